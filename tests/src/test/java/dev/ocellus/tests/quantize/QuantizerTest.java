package dev.ocellus.tests.quantize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.Setting;
import dev.ocellus.SettingsRelated;
import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.gguf.TensorType;
import dev.ocellus.quantize.InvalidTensorDataException;
import dev.ocellus.quantize.MissingImportanceException;
import dev.ocellus.quantize.PlannedTensor;
import dev.ocellus.quantize.QuantizeException;
import dev.ocellus.quantize.QuantizeOptions;
import dev.ocellus.quantize.QuantizePlan;
import dev.ocellus.quantize.Quantizer;
import dev.ocellus.quantize.Recipe;
import dev.ocellus.quantize.SizePlanner;
import dev.ocellus.quantize.SizeTarget;
import dev.ocellus.quantize.TypeOverride;
import dev.ocellus.quantize.file.GgufHash;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class QuantizerTest {
  @TempDir Path directory;

  @Test
  void namesTheTensorThatHoldsNaN() throws IOException {
    float[] values = new float[256 * 4];
    values[700] = Float.NaN;
    Path in = model("nan.gguf", values);
    Path out = directory.resolve("out.gguf");
    assertThatThrownBy(() -> quantize(in, out, QuantizeOptions.of(Recipe.Q4_0)))
        .isInstanceOf(InvalidTensorDataException.class)
        .hasMessageContaining("nan.gguf")
        .hasMessageContaining("blk.0.ffn_up.weight");
    assertThat(directory).isDirectoryNotContaining("glob:**out*");
    assertThat(directory).isDirectoryNotContaining("glob:**.tmp");
  }

  @Test
  void leavesNothingWhenItIsStopped() throws IOException {
    Path out = directory.resolve("out.gguf");
    Files.writeString(out, "older");
    var flag = new CancellationFlag();
    try (GgufFile file = GgufFile.open(LlamaCppGolden.TEXT)) {
      QuantizePlan plan = Quantizer.plan(file, QuantizeOptions.of(Recipe.Q4_K_M));
      assertThatThrownBy(() ->
              Quantizer.run(
                  file,
                  plan,
                  out,
                  (i, n, t) -> {
                    if (i == 5) {
                      flag.cancel();
                    }
                  },
                  flag))
          .isInstanceOf(CancellationException.class);
    }
    assertThat(out).hasContent("older");
    try (var files = Files.list(directory)) {
      assertThat(files).containsExactly(out);
    }
  }

  @Test
  void refusesTypesThatNeedImportance() {
    assertThatThrownBy(() ->
            quantize(
                LlamaCppGolden.TEXT,
                directory.resolve("o.gguf"),
                QuantizeOptions.of(Recipe.IQ2_XXS)))
        .isInstanceOf(MissingImportanceException.class)
        .hasMessageContaining("importance matrix");
    // ggml would end the process here, as the output weights are exempt from the usual check
    assertThatThrownBy(() ->
            quantize(
                LlamaCppGolden.TEXT,
                directory.resolve("o.gguf"),
                QuantizeOptions.builder(Recipe.Q4_0).outputTensorType(TensorType.IQ1_S).build()))
        .isInstanceOf(MissingImportanceException.class)
        .hasMessageContaining("output.weight");
  }

  @Test
  void refusesToQuantizeTwiceUnlessAsked() throws IOException {
    Path once = directory.resolve("once.gguf");
    quantize(LlamaCppGolden.TEXT, once, QuantizeOptions.of(Recipe.Q8_0));
    Path twice = directory.resolve("twice.gguf");
    assertThatThrownBy(() -> quantize(once, twice, QuantizeOptions.of(Recipe.Q4_0)))
        .isInstanceOf(QuantizeException.class)
        .extracting(e -> ((SettingsRelated) e).settings().getFirst())
        .isEqualTo(Setting.ALLOW_REQUANTIZE);
    quantize(once, twice, QuantizeOptions.builder(Recipe.Q4_0).allowRequantize(true).build());
    assertThat(twice).exists();
  }

  @Test
  void refusesToOverwriteItsInput() throws IOException {
    Path copy = directory.resolve("model.gguf");
    Files.copy(LlamaCppGolden.TEXT, copy);
    assertThatThrownBy(() -> quantize(copy, copy, QuantizeOptions.of(Recipe.Q4_0)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("is the input");
    assertThat(copy).hasSameBinaryContentAs(LlamaCppGolden.TEXT);
  }

  @Test
  void takesTheFirstOverrideThatMatches() throws IOException {
    QuantizeOptions options =
        QuantizeOptions.builder(Recipe.Q4_0)
            .overrides(
                List.of(TypeOverride.parse("attn_(k|v)=q6_k"), TypeOverride.parse("attn_v=q8_0")))
            .build();
    try (GgufFile file = GgufFile.open(LlamaCppGolden.TEXT)) {
      assertThat(Quantizer.plan(file, options).tensors())
          .filteredOn(t -> t.name().contains("attn_v.weight"))
          .extracting(PlannedTensor::type)
          .containsOnly(TensorType.Q6_K);
    }
  }

  @Test
  void reportsRowsThatDoNotFillBlocks() throws IOException {
    Path file = directory.resolve("odd.gguf");
    new GgufWriter()
        .string("general.architecture", "llama")
        .tensor("blk.0.ffn_up.weight", new float[288 * 2], 288, 2)
        .write(file);
    try (GgufFile odd = GgufFile.open(file)) {
      PlannedTensor t = Quantizer.plan(odd, QuantizeOptions.of(Recipe.Q4_K_S)).tensors().getFirst();
      assertThat(t.unfit()).isEqualTo(TensorType.Q4_K);
      assertThat(t.type()).isEqualTo(TensorType.Q5_0);
    }
  }

  @Test
  void findsATypeMixForASize() throws IOException {
    try (GgufFile file = GgufFile.open(LlamaCppGolden.TEXT)) {
      QuantizePlan plan =
          SizePlanner.plan(
              file,
              QuantizeOptions.builder(Recipe.Q8_0).threads(2).build(),
              new SizeTarget.FileBytes(700_000),
              (i, n, t) -> {},
              new CancellationFlag());
      Path out = directory.resolve("small.gguf");
      Quantizer.run(file, plan, out, (i, n, t) -> {}, new CancellationFlag());
      assertThat(Files.size(out)).isBetween(670_000L, 700_000L);
      assertThat(plan.tensors().stream().map(PlannedTensor::type).distinct().count())
          .isGreaterThan(2);
    }
  }

  @Test
  void tellsWhenNoMixIsSmallEnough() throws IOException {
    try (GgufFile file = GgufFile.open(LlamaCppGolden.TEXT)) {
      assertThatThrownBy(() ->
              SizePlanner.plan(
                  file,
                  QuantizeOptions.of(Recipe.Q8_0),
                  new SizeTarget.BitsPerWeight(1),
                  (i, n, t) -> {},
                  new CancellationFlag()))
          .isInstanceOf(QuantizeException.class)
          .hasMessageContaining("larger target");
    }
  }

  @Test
  void copiesEverythingForTheRecipeCopy() throws IOException {
    Path out = directory.resolve("copy.gguf");
    quantize(LlamaCppGolden.TEXT, out, QuantizeOptions.of(Recipe.COPY));
    try (GgufFile a = GgufFile.open(LlamaCppGolden.TEXT);
        GgufFile b = GgufFile.open(out)) {
      assertThat(GgufHash.of(b).tensors())
          .containsExactlyInAnyOrderElementsOf(GgufHash.of(a).tensors());
    }
  }

  private static void quantize(Path in, Path out, QuantizeOptions options) throws IOException {
    try (GgufFile file = GgufFile.open(in)) {
      Quantizer.run(
          file, Quantizer.plan(file, options), out, (i, n, t) -> {}, new CancellationFlag());
    }
  }

  private Path model(String name, float[] values) throws IOException {
    Path file = directory.resolve(name);
    new GgufWriter()
        .string("general.architecture", "llama")
        .tensor("blk.0.ffn_up.weight", values, 256, values.length / 256)
        .write(file);
    return file;
  }
}
