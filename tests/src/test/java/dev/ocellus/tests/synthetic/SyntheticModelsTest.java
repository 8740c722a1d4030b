package dev.ocellus.tests.synthetic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.gguf.TensorType;
import dev.ocellus.llama.Batch;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.llama.LlamaModel;
import dev.ocellus.llama.ModelOptions;
import dev.ocellus.vlm.encoder.ImageEmbeddings;
import dev.ocellus.vlm.encoder.VisionEncoder;
import dev.ocellus.vlm.image.Rgb;
import dev.ocellus.vlm.image.RgbImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class SyntheticModelsTest {
  private @TempDir Path directory;

  @ParameterizedTest
  @EnumSource(names = {"F32", "F16", "Q8_0"})
  void aTextModelDecodesToFiniteLogits(TensorType type) throws IOException {
    Path file = directory.resolve("text.gguf");
    SyntheticModels.writeText("tiny", type, 1, file);
    try (var model = LlamaModel.load(file, ModelOptions.defaults());
        var context = model.newContext(ContextOptions.defaults().withContext(64));
        var batch = Batch.ofTokens(8)) {
      for (int i = 0; i < 8; i++) {
        batch.add(37 * i, i, 0, i == 7);
      }
      context.decode(batch, new CancellationFlag());
      float[] logits = new float[model.vocab().nTokens()];
      context.logits(7, logits);
      assertThat(logits).hasSize(512);
      assertFiniteAndVaried(logits);
    }
  }

  @Test
  void theTokenizerJoinsLettersByItsMergesAndKnowsItsSpecialTokens() throws IOException {
    Path file = directory.resolve("text.gguf");
    SyntheticModels.writeText("tiny", TensorType.F16, 1, file);
    try (var model = LlamaModel.load(file, ModelOptions.defaults())) {
      int[] special = model.vocab().tokenize("<|im_end|>", true);
      assertThat(special).containsExactly(511);
      assertThat(model.vocab().isEndOfGeneration(511)).isTrue();
      int[] text = model.vocab().tokenize("aa", false);
      assertThat(text).hasSize(1);
      assertThat(model.vocab().text(text[0])).isEqualTo("aa");
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "F16", "Q8_0"})
  void anImageEncoderGivesFiniteRows(TensorType type) throws IOException {
    Path file = directory.resolve("mmproj.gguf");
    SyntheticModels.writeMmproj("tiny", type, 1, file);
    try (var encoder = VisionEncoder.open(file, 1, false)) {
      ImageEmbeddings rows =
          encoder.encode(encoder.prepare(RgbImage.filled(60, 40, new Rgb(200, 30, 90))));
      assertThat(rows.nTokens()).isEqualTo(16);
      assertThat(rows.width()).isEqualTo(64);
      assertFiniteAndVaried(rows.values());
    }
  }

  @ParameterizedTest
  @CsvSource({"siglip-tiny, 52", "qwen2.5-vl-tiny, 6"})
  void everyKindOfEncoderGivesFiniteRows(String preset, int nTokens) throws IOException {
    Path file = directory.resolve("mmproj.gguf");
    SyntheticModels.writeMmproj(preset, TensorType.F16, 1, file);
    try (var encoder = VisionEncoder.open(file, 1, false)) {
      ImageEmbeddings rows =
          encoder.encode(encoder.prepare(RgbImage.filled(60, 40, new Rgb(200, 30, 90))));
      assertThat(rows.nTokens()).isEqualTo(nTokens);
      assertThat(rows.width()).isEqualTo(64);
      assertFiniteAndVaried(rows.values());
    }
  }

  @Test
  void theSameSeedGivesTheSameFile() throws IOException {
    Path a = directory.resolve("a.gguf");
    Path b = directory.resolve("b.gguf");
    Path other = directory.resolve("other.gguf");
    SyntheticModels.main(new String[] {"--mmproj", "tiny", "--seed", "5", "--out", a.toString()});
    SyntheticModels.writeMmproj("tiny", TensorType.F16, 5, b);
    SyntheticModels.writeMmproj("tiny", TensorType.F16, 6, other);
    assertThat(Files.mismatch(a, b)).isEqualTo(-1);
    assertThat(Files.mismatch(a, other)).isNotEqualTo(-1);
  }

  @Test
  void namesThePresetsThatExist() {
    Path file = directory.resolve("x.gguf");
    assertThatThrownBy(() -> SyntheticModels.writeText("70b", TensorType.F16, 1, file))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("preset: expected one of [0.5b, tiny, wide], found 70b");
  }

  private static void assertFiniteAndVaried(float[] values) {
    float min = Float.MAX_VALUE;
    float max = -Float.MAX_VALUE;
    for (float value : values) {
      assertThat(Float.isFinite(value)).isTrue();
      min = Math.min(min, value);
      max = Math.max(max, value);
    }
    assertThat(max).isGreaterThan(min);
  }
}
