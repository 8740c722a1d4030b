package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.OcellusException;
import dev.ocellus.Setting;
import dev.ocellus.SettingsRelated;
import dev.ocellus.UnsupportedArchitectureException;
import dev.ocellus.ggml.Device;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufFormatException;
import dev.ocellus.gguf.GgufTensor;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.llama.LlamaException;
import dev.ocellus.llama.ModelOptions;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.encoder.VisionEncoder;
import dev.ocellus.vlm.options.LoadOptions;
import dev.ocellus.vlm.options.ModelMismatchException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files that are not what they should be: each gets a message that says what to do. */
class WrongFilesTest {
  @TempDir Path directory;

  @Test
  void saysWhereAnEncoderBelongsThatIsGivenAsTextModel() {
    assertThatThrownBy(() -> VisionLanguageModel.open(LoadOptions.of(Golden.MMPROJ)))
        .isInstanceOf(OcellusException.class)
        .hasMessageContaining("Open it as the mmproj");
  }

  @Test
  void saysWhereATextModelBelongsThatIsGivenAsEncoder() {
    assertThatThrownBy(() -> VisionLanguageModel.open(LoadOptions.of(Golden.TEXT, Golden.TEXT)))
        .isInstanceOf(UnsupportedArchitectureException.class)
        .hasMessageContaining("llama")
        .hasMessageContaining("Open it as the text model");
  }

  @Test
  void refusesFilesOfDifferentModels() throws IOException {
    Path narrow = directory.resolve("narrow.gguf");
    try (GgufFile source = GgufFile.open(Golden.MMPROJ)) {
      GgufWriter writer = new GgufWriter().putAll(source.metadata());
      for (GgufTensor t : source.tensors()) {
        switch (t.name()) {
          case "mm.2.weight" -> writer.tensor(t.name(), new float[256 * 128], 256, 128);
          case "mm.2.bias" -> writer.tensor(t.name(), new float[128], 128);
          default -> writer.tensor(t);
        }
      }
      writer.write(narrow);
    }
    assertThatThrownBy(() -> VisionLanguageModel.open(LoadOptions.of(Golden.TEXT, narrow)))
        .isInstanceOf(ModelMismatchException.class)
        .hasMessageContaining("128")
        .hasMessageContaining("256");
  }

  @Test
  void tellsHowMuchOfATruncatedFileIsMissing() throws IOException {
    byte[] whole = Files.readAllBytes(Golden.MMPROJ);
    Path half = directory.resolve("half.gguf");
    Files.write(half, Arrays.copyOf(whole, whole.length / 2));
    assertThatThrownBy(() -> VisionEncoder.open(half, 1, false))
        .isInstanceOf(GgufFormatException.class)
        .hasMessageContaining("half.gguf");
  }

  @Test
  void refusesGpuLayersWithoutAGpu() {
    Assumptions.assumeTrue(Device.gpus().isEmpty(), "a GPU is here");
    LoadOptions options =
        Golden.options().withModelOptions(ModelOptions.defaults().withGpuLayers(99));
    assertThatThrownBy(() -> VisionLanguageModel.open(options))
        .isInstanceOf(LlamaException.class)
        .extracting(e -> ((SettingsRelated) e).settings().getFirst())
        .isEqualTo(Setting.GPU_LAYERS);
  }

  @Test
  void refusesAContextThatNoMachineHolds() throws IOException {
    LoadOptions options = Golden.options().withContextOptions(Golden.context(1 << 28));
    try (VisionLanguageModel model = VisionLanguageModel.open(options)) {
      assertThatThrownBy(model::newChat)
          .isInstanceOf(OcellusException.class)
          .extracting(e -> ((SettingsRelated) e).settings().getFirst())
          .isEqualTo(Setting.CONTEXT_SIZE);
    }
  }
}
