package dev.ocellus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ocellus.quantize.imatrix.ImportanceMatrix;
import dev.ocellus.vlm.DemoModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Commands that make, measure and change model files. */
class ModelToolsTest {
  @TempDir Path directory;

  @Test
  void quantizesWithTheArgumentsOfLlamaQuantize() throws IOException {
    Path out = directory.resolve("out.gguf");
    Cli run =
        Cli.run(
            "quantize", "--json", "--allow-requantize", "--pure", Models.text(), out, "q4_k", 1);
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.json().get("type").asText()).isEqualTo("Q4_K_M");
    assertThat(run.json().get("bytes").asLong()).isLessThan(Files.size(out));
    assertThat(run.json().at("/tensors/0/type").asText()).isNotEmpty();
  }

  @Test
  void showsWhatItWouldDo() throws IOException {
    Cli run = Cli.run("quantize", "--dry-run", Models.text(), "Q4_K_M");
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.out()).contains("attn_v.weight", "q6_K", "bits a weight");
  }

  @Test
  void explainsWrongArguments() throws IOException {
    assertThat(Cli.run("quantize", Models.text()).code()).isEqualTo(2);
    Cli unknown = Cli.run("quantize", Models.text(), "out.gguf", "Q4_X");
    assertThat(unknown.code()).isEqualTo(2);
    assertThat(unknown.err()).contains("Q4_K_M");
    Cli both =
        Cli.run("quantize", "--target-bpw", 4, "--target-size", "1M", Models.text(), "out.gguf");
    assertThat(both.code()).isEqualTo(2);
  }

  @Test
  void gathersImportanceOfTextAndVisionFromImages() throws IOException {
    Path chats = chats();
    Path out = directory.resolve("imatrix.gguf");
    Cli run = Cli.run("imatrix", "-q", "-t", 1, "-n", 2, "--messages", chats, "-o", out);
    assertThat(run.code()).as(run.err()).isZero();
    ImportanceMatrix matrix = ImportanceMatrix.read(out);
    assertThat(matrix.entries()).containsKeys("blk.0.attn_q.weight", "v.blk.0.attn_q.weight");
    assertThat(matrix.datasets()).containsExactly(chats.toString());

    Path twice = directory.resolve("twice.gguf");
    Cli merge = Cli.run("imatrix", "--in-file", out, "--in-file", out, "-o", twice);
    assertThat(merge.code()).as(merge.err()).isZero();
    assertThat(merge.err()).contains("weights from conversations");
    long once = rows(matrix);
    assertThat(rows(ImportanceMatrix.read(twice))).isEqualTo(2 * once);
  }

  @Test
  void comparesAnswersAndEncoders() throws IOException {
    Path text = DemoModel.files().model();
    Path mmproj = Objects.requireNonNull(DemoModel.files().mmproj());
    Path html = directory.resolve("report.html");
    Cli run =
        Cli.run(
            "compare",
            "--json",
            "-t",
            1,
            text,
            text,
            "--mmproj",
            mmproj,
            "--messages",
            chats(),
            "--html",
            html);
    assertThat(run.code()).as(run.err()).isZero();
    JsonNode found = run.json().get("chats");
    assertThat(found.get("same_answers").asInt()).isEqualTo(2);
    assertThat(found.at("/kl/value").asDouble()).isLessThan(1e-6);
    assertThat(html).content().contains("<svg");

    Path image = Cli.redCircle(directory);
    Cli encoders =
        Cli.run(
            "compare",
            "--json",
            "-t",
            1,
            mmproj,
            mmproj,
            "--image",
            image,
            "--image",
            image.toUri(),
            "--no-weights");
    assertThat(encoders.code()).as(encoders.err()).isZero();
    assertThat(encoders.json().at("/images/0/cosine").asDouble()).isGreaterThan(0.999999);
    assertThat(encoders.json().at("/images/1/cosine").asDouble()).isGreaterThan(0.999999);
    assertThat(encoders.json().get("layers").size()).isGreaterThan(2);
  }

  @Test
  void measuresPerplexity() throws IOException {
    Path text = directory.resolve("text.txt");
    Files.writeString(text, "There is a small yellow triangle at the top. ".repeat(40));
    Cli run = Cli.run("perplexity", "--json", "-q", "-t", 1, "-c", 64, "-f", text);
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.json().get("perplexity").asDouble()).isGreaterThan(1);
    assertThat(run.json().get("tokens").asLong()).isEqualTo(31 * run.json().get("chunks").asLong());
  }

  @Test
  void editsSplitsJoinsAndCompares() throws IOException {
    Path copy = Files.copy(Models.text(), directory.resolve("m.gguf"));
    assertThat(Cli.run("edit", copy, "--set", "general.name=str:Mine").code()).isZero();
    Cli diff = Cli.run("diff", Models.text(), copy);
    assertThat(diff.code()).isEqualTo(1);
    assertThat(diff.out()).contains("+ metadata general.name: str Mine");
    Path prefix = directory.resolve("part");
    Cli split = Cli.run("split", "--split-max-tensors", 10, copy, prefix);
    assertThat(split.code()).as(split.err()).isZero();
    String first = split.out().lines().findFirst().orElseThrow();
    Path joined = directory.resolve("joined.gguf");
    Cli merge = Cli.run("merge", first.substring(0, first.indexOf(".gguf") + 5), joined);
    assertThat(merge.code()).as(merge.err()).isZero();
    assertThat(Cli.run("hash", "--json", joined).json().get("sha256"))
        .isEqualTo(Cli.run("hash", "--json", copy).json().get("sha256"));
  }

  private static long rows(ImportanceMatrix matrix) {
    return Objects.requireNonNull(matrix.entries().get("blk.0.attn_q.weight")).counts()[0];
  }

  private Path chats() throws IOException {
    Path image = Cli.redCircle(directory);
    String one =
        """
        [{"role": "user", "content": [
          {"type": "image_url", "image_url": {"url": "%s"}},
          {"type": "text", "text": "Describe the image."}]}]
        """
            .formatted(image.getFileName());
    Path file = directory.resolve("chats.json");
    Files.writeString(file, "[" + one + "," + one + "]");
    return file;
  }
}
