package dev.ocellus.quantize.inspect;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.ocellus.gguf.GgufArray;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufString;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.gguf.MetadataType;
import dev.ocellus.gguf.TensorType;
import dev.ocellus.io.Memory;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GgufReportTest {
  @TempDir static Path dir;
  private final GgufFile file;
  private final GgufReport report;

  GgufReportTest() throws IOException {
    Path p = dir.resolve("tiny.gguf");
    List<String> tokens = IntStream.range(0, 20).mapToObj(i -> "tok" + i).toList();
    new GgufWriter()
        .string("general.architecture", "llama")
        .string("general.name", "Tiny\u001b[31m")
        .string("general.type", "model")
        .u32("general.file_type", 15)
        .u64("t.u64", -1)
        .f32("t.f32", 0.1f)
        .f32("t.nan", Float.NaN)
        .bool("t.bool", true)
        .put("t.bytes", GgufString.of(new byte[] {(byte) 0xff}))
        .put("t.u64s", GgufArray.ofIntegers(MetadataType.U64, -1))
        .string("tokenizer.ggml.model", "gpt2")
        .string("tokenizer.ggml.pre", "qwen2")
        .strings("tokenizer.ggml.tokens", tokens)
        .strings("tokenizer.ggml.merges", Collections.nCopies(3, "a b"))
        .u32("tokenizer.ggml.eos_token_id", 2)
        .u32("tokenizer.ggml.bos_token_id", 99)
        .string("tokenizer.chat_template", "{{ a }}\n".repeat(30))
        .tensor("small", new float[] {1, 2, 3, 4}, 2, 2)
        .tensor("packed", TensorType.Q8_0, new Memory(MemorySegment.ofArray(new byte[68])), 64)
        .write(p);
    file = GgufFile.open(p);
    report = GgufReport.of(file);
  }

  @AfterEach
  void close() {
    file.close();
  }

  @Test
  void sumsUpParametersAndTypes() {
    assertThat(report.parameters()).isEqualTo(68);
    assertThat(report.tensorBytes()).isEqualTo(84);
    assertThat(report.bitsPerWeight()).isEqualTo(8.0 * 84 / 68);
    assertThat(report.fileType()).contains("Q4_K_M");
    assertThat(report.typeTotals())
        .containsExactly(
            new GgufReport.TypeTotal(TensorType.Q8_0, 1, 64, 68),
            new GgufReport.TypeTotal(TensorType.F32, 1, 4, 16));
  }

  @Test
  void describesTheTokenizer() {
    GgufReport.Tokenizer t = report.tokenizer().orElseThrow();
    assertThat(t.tokens()).isEqualTo(20);
    assertThat(t.merges()).isEqualTo(3);
    assertThat(t.special())
        .containsExactly(
            new GgufReport.SpecialToken("eos", 2, "tok2"),
            new GgufReport.SpecialToken("bos", 99, ""));
  }

  @Test
  void givesJsonOfTheDocumentedShape() throws IOException {
    JsonNode j = new ObjectMapper().readTree(report.toJson(false).toString());
    assertThat(j.fieldNames())
        .toIterable()
        .containsExactly(
            "format",
            "version",
            "files",
            "file_bytes",
            "alignment",
            "architecture",
            "name",
            "type",
            "file_type",
            "parameters",
            "tensor_bytes",
            "bits_per_weight",
            "tensor_types",
            "tokenizer",
            "chat_template",
            "metadata",
            "tensors");
    assertThat(j.at("/metadata/t.u64/value").bigIntegerValue()).hasToString("18446744073709551615");
    assertThat(j.at("/metadata/t.u64s/value/0").asText()).isEqualTo("18446744073709551615");
    assertThat(j.at("/metadata/t.f32/value").asText()).isEqualTo("0.1");
    assertThat(j.at("/metadata/t.bytes/value").asText()).isEqualTo("\ufffd");
    assertThat(j.at("/metadata/tokenizer.ggml.tokens/element_type").asText()).isEqualTo("str");
    assertThat(j.at("/metadata/tokenizer.ggml.tokens/length").asInt()).isEqualTo(20);
    assertThat(j.at("/metadata/tokenizer.ggml.tokens/value")).hasSize(8);
    assertThat(j.at("/metadata/tokenizer.ggml.tokens/truncated").asBoolean()).isTrue();
    assertThat(j.at("/metadata/tokenizer.ggml.merges").has("truncated")).isFalse();
    assertThat(j.at("/tokenizer/special/eos/text").asText()).isEqualTo("tok2");
    assertThat(j.at("/tensors/0/shape")).hasToString("[2,2]");
    assertThat(j.at("/tensors/1/type").asText()).isEqualTo("q8_0");
    assertThat(j.at("/tensors/1/bytes").asInt()).isEqualTo(68);
  }

  @Test
  void givesWholeArraysWhenAsked() {
    JsonNode j = report.toJson(true);
    assertThat(j.at("/metadata/tokenizer.ggml.tokens/value")).hasSize(20);
    assertThat(j.at("/metadata/tokenizer.ggml.tokens").has("truncated")).isFalse();
    assertThat(report.toText(TextOptions.DEFAULT.withFull(true))).contains("tok19");
    assertThat(report.toText(TextOptions.DEFAULT)).doesNotContain("tok19").contains("12 more");
  }

  @ParameterizedTest
  @ValueSource(ints = {20, 40, 80, 200})
  void keepsLinesWithinTheWidth(int width) {
    String text = report.toText(TextOptions.DEFAULT.withWidth(width));
    assertThat(text.lines()).allMatch(line -> line.codePointCount(0, line.length()) <= width);
  }

  @Test
  void showsTheTables() {
    String text = report.toText(TextOptions.DEFAULT);
    assertThat(text)
        .contains("tiny.gguf: GGUF version 3", "Q4_K_M", "llama", "9.88 bits per weight")
        .contains("20 tokens, 3 merges", "2 × 2", "… 18 more lines", "81.0 %");
    assertThat(report.toText(TextOptions.DEFAULT.withTensors(false))).doesNotContain("2 × 2");
  }

  @Test
  void passesNoEscapeSequenceOfTheFileToTheTerminal() {
    assertThat(report.toText(TextOptions.DEFAULT)).doesNotContain("\u001b").contains("\\u001b[31m");
    assertThat(report.toText(TextOptions.DEFAULT.withFull(true))).doesNotContain("\u001b");
    assertThat(report.toText(TextOptions.DEFAULT.withAnsi(true))).contains("\u001b[1mMetadata");
  }
}
