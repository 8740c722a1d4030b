package dev.ocellus.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.safetensors.SafetensorsFormatException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Files of a checkpoint that are not what their names say. */
class DamagedCheckpointTest {
  private static final String POINTER =
      "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 4976698672\n";

  @TempDir Path directory;
  @TempDir Path out;

  private Path convert() throws IOException {
    Path file = out.resolve("model.gguf");
    Converter.convert(
        directory, ConvertOptions.defaults().withOutput(file, null), ConvertProgress.NONE);
    return file;
  }

  @Test
  void namesAPointerInPlaceOfTheTensors() throws IOException {
    CheckpointBuilder.llama(directory).write();
    Files.writeString(directory.resolve("model.safetensors"), POINTER);
    assertThatThrownBy(this::convert)
        .isInstanceOf(SafetensorsFormatException.class)
        .hasMessageContainingAll("model.safetensors", "Git LFS pointer", "git lfs pull");
  }

  @Test
  void namesAWebPageInPlaceOfTheTensors() throws IOException {
    CheckpointBuilder.llama(directory).write();
    Files.writeString(directory.resolve("model.safetensors"), "<!DOCTYPE html><html></html>");
    assertThatThrownBy(this::convert)
        .isInstanceOf(SafetensorsFormatException.class)
        .hasMessageContainingAll("model.safetensors", "HTML page");
  }

  @ParameterizedTest
  @ValueSource(strings = {"tokenizer.json", "tokenizer.model", "config.json"})
  void namesAPointerInPlaceOfAnotherFile(String name) throws IOException {
    CheckpointBuilder.llama(directory).write();
    Files.writeString(directory.resolve(name), POINTER);
    assertThatThrownBy(this::convert)
        .isInstanceOf(ConversionException.class)
        .hasMessageContainingAll(name, "Git LFS pointer");
  }

  /** Python writes these for what JSON has no number for, and reads them. */
  @ParameterizedTest
  @ValueSource(strings = {"NaN", "Infinity", "-Infinity", "[0.0, Infinity]"})
  void readsNumbersThatPythonWrites(String number) throws IOException {
    CheckpointBuilder.llama(directory).write();
    Path config = directory.resolve("config.json");
    String json = Files.readString(config);
    Files.writeString(config, "{\"attention_dropout\": " + number + ", " + json.substring(1));
    try (GgufFile file = GgufFile.open(convert())) {
      assertThat(file.metadata().string("general.architecture")).isEqualTo("llama");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"INF", "+INF", "-INF", "+Infinity", "nan"})
  void refusesNumbersThatPythonRefuses(String number) throws IOException {
    CheckpointBuilder.llama(directory).write();
    Path config = directory.resolve("config.json");
    String json = Files.readString(config);
    Files.writeString(config, "{\"attention_dropout\": " + number + ", " + json.substring(1));
    assertThatThrownBy(this::convert)
        .isInstanceOf(ConversionException.class)
        .hasMessageContainingAll("config.json", "not valid JSON");
  }

  @Test
  void refusesANumberThatIsNotFiniteWhereOneIsNeeded() throws IOException {
    CheckpointBuilder.llama(directory).write();
    Path config = directory.resolve("config.json");
    Files.writeString(config, Files.readString(config).replace("1.0E-5", "NaN"));
    assertThatThrownBy(this::convert)
        .isInstanceOf(ConversionException.class)
        .hasMessageContainingAll("config.json", "rms_norm_eps", "finite", "NaN");
  }

  @ParameterizedTest
  @ValueSource(strings = {"weight_scale", "input_scale"})
  void namesFormsOf8BitFloatsThatAreNotRead(String scale) throws IOException {
    String layer = "model.layers.0.mlp.up_proj.";
    CheckpointBuilder builder =
        CheckpointBuilder.llama(directory)
            .without(layer + "weight")
            .tensor(layer + scale, new float[] {2}, 1);
    builder.config().putObject("quantization_config").put("quant_method", "fp8");
    builder.write();
    byte[] header =
        "{\"%sweight\":{\"dtype\":\"F8_E4M3\",\"shape\":[12,8],\"data_offsets\":[0,96]}}"
            .formatted(layer)
            .getBytes(StandardCharsets.UTF_8);
    ByteBuffer file = ByteBuffer.allocate(8 + header.length + 96).order(ByteOrder.LITTLE_ENDIAN);
    file.putLong(header.length).put(header);
    Files.write(directory.resolve("model-8-bits.safetensors"), file.array());
    assertThatThrownBy(this::convert)
        .isInstanceOf(ConversionException.class)
        .hasMessageContainingAll(layer + scale, "FP8", "weight_scale_inv");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "config.json",
        "tokenizer.json",
        "tokenizer.model",
        "tokenizer_config.json",
        "generation_config.json",
        "model.safetensors",
        "model.safetensors.index.json",
        "chat_template.jinja"
      })
  @DisabledOnOs(value = OS.WINDOWS, disabledReason = "no named pipes")
  void refusesAPipeInsteadOfWaitingForIt(String name) throws Exception {
    CheckpointBuilder.llama(directory).write();
    // so that the file is asked for at all
    Files.writeString(directory.resolve("tokenizer_config.json"), "{\"bos_token\": \"<s>\"}");
    Path file = directory.resolve(name);
    Files.deleteIfExists(file);
    Process mkfifo = new ProcessBuilder("mkfifo", file.toString()).start();
    assumeTrue(mkfifo.waitFor() == 0, "mkfifo is missing");
    assertThatThrownBy(this::convert)
        .isInstanceOf(FileSystemException.class)
        .hasMessageContainingAll(name, "is not a regular file");
  }
}
