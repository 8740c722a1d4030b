package dev.ocellus.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.pickle.PickleFormatException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Checkpoints that make_llama.py saved with PyTorch give the files that safetensors give. */
class PyTorchCheckpointTest {
  @TempDir Path directory;
  @TempDir Path out;

  private void add(String resource, String name) throws IOException {
    try (InputStream in = PyTorchCheckpointTest.class.getResourceAsStream("pytorch/" + resource)) {
      Files.copy(Objects.requireNonNull(in, resource), directory.resolve(name));
    }
  }

  private byte[] convert(String name) throws IOException {
    Path file = out.resolve(name);
    Converter.convert(
        directory,
        ConvertOptions.defaults()
            .withOutput(file, null)
            .withModelName("m")
            .withTypes(OutputType.F32, OutputType.F32),
        ConvertProgress.NONE);
    return Files.readAllBytes(file);
  }

  private byte[] expected() throws IOException {
    CheckpointBuilder.llama(directory).write();
    byte[] bytes = convert("expected.gguf");
    Files.delete(directory.resolve("model.safetensors"));
    return bytes;
  }

  @ParameterizedTest
  @CsvSource({
    "llama.bin, pytorch_model.bin",
    "llama.bin, model_final.pt",
    "llama-legacy.pth, checkpoint.pth"
  })
  void oneFileGivesWhatSafetensorsGive(String resource, String name) throws IOException {
    byte[] expected = expected();
    add(resource, name);
    Files.writeString(directory.resolve("optimizer.pt"), "a state of training");
    Files.writeString(directory.resolve("training_args.bin"), "options of training");
    assertThat(convert("model.gguf")).isEqualTo(expected);
  }

  @Test
  void filesWithAndWithoutAnIndexGiveWhatSafetensorsGive() throws IOException {
    byte[] expected = expected();
    String first = "pytorch_model-00001-of-00002.bin";
    String second = "pytorch_model-00002-of-00002.bin";
    add("llama-1.bin", first);
    assertThatThrownBy(() -> convert("model.gguf"))
        .isInstanceOf(ConversionException.class)
        .hasMessageContaining(second + " is missing, of 2 files");
    add("llama-2.bin", second);
    assertThat(convert("model.gguf")).isEqualTo(expected);
    Path index = directory.resolve("pytorch_model.bin.index.json");
    Files.writeString(
        index,
        "{\"weight_map\": {\"model.norm.weight\": \"%s\", \"lm_head.weight\": \"%s\"}}"
            .formatted(first, second));
    assertThat(convert("model.gguf")).isEqualTo(expected);
    Files.writeString(index, "{\"weight_map\": {\"x\": \"%s\"}}".formatted(first));
    assertThatThrownBy(() -> convert("model.gguf"))
        .isInstanceOf(ConversionException.class)
        .hasMessageContainingAll("1 tensors of the index are in none of its files", "x");
    Files.writeString(index, "{\"weight_map\": {\"x\": \"model.safetensors\"}}");
    assertThatThrownBy(() -> convert("model.gguf"))
        .isInstanceOf(ConversionException.class)
        .hasMessageContaining(".bin file");
  }

  @Test
  void safetensorsAreTakenWhereBothAreThere() throws IOException {
    byte[] expected = expected();
    CheckpointBuilder.llama(directory).write();
    Files.writeString(directory.resolve("pytorch_model.bin"), "not looked at");
    assertThat(convert("model.gguf")).isEqualTo(expected);
  }

  @Test
  void whatIsNotClearIsSaid() throws IOException {
    expected();
    assertThatThrownBy(() -> convert("model.gguf"))
        .isInstanceOf(ConversionException.class)
        .hasMessageContainingAll("no model.safetensors", "no pytorch_model.bin");
    add("llama.bin", "a.pt");
    add("llama.bin", "b.pth");
    assertThatThrownBy(() -> convert("model.gguf"))
        .isInstanceOf(ConversionException.class)
        .hasMessageContainingAll("2 files may hold the model", "a.pt, b.pth");
  }

  @Test
  void damageAndProgramsAreNamedAndLeaveNoFile() throws IOException {
    expected();
    add("llama.bin", "pytorch_model.bin");
    Path file = directory.resolve("pytorch_model.bin");
    byte[] whole = Files.readAllBytes(file);
    List<String> messages = new ArrayList<>();
    for (int length : new int[] {0, 100, whole.length / 2, whole.length - 1}) {
      Files.write(file, java.util.Arrays.copyOf(whole, length));
      assertThatThrownBy(() -> convert("model.gguf"))
          .isInstanceOf(PickleFormatException.class)
          .satisfies(e -> messages.add(e.getMessage()));
    }
    assertThat(messages).allMatch(m -> m.contains("pytorch_model.bin"));
    assertThat(out.resolve("model.gguf")).doesNotExist();
  }

  @Test
  void adaptersAreReadToo(@TempDir Path base) throws IOException {
    CheckpointBuilder.llama(base).write();
    Files.writeString(directory.resolve("adapter_config.json"), "{\"r\": 2, \"lora_alpha\": 16}");
    assertThatThrownBy(() ->
            Converter.convertAdapter(
                directory, base, ConvertOptions.defaults(), ConvertProgress.NONE))
        .isInstanceOf(ConversionException.class)
        .hasMessageContainingAll("adapter_model.safetensors", "adapter_model.bin");
    add("adapter.bin", "adapter_model.bin");
    Path file = out.resolve("lora.gguf");
    Converter.convertAdapter(
        directory, base, ConvertOptions.defaults().withOutput(file, null), ConvertProgress.NONE);
    assertThat(file).isNotEmptyFile();
  }
}
