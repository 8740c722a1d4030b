package dev.ocellus.convert.hf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.safetensors.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Golden data of torch: {@code tests/golden/make/packed.py}. */
class PackedMatricesTest {
  private static final Path DATA = Path.of("src/test/resources/packed");
  private static final String MODULE = "model.layers.0.mlp.up_proj";

  @TempDir Path folder;

  private HfFolder open(String file, String quantization) throws IOException {
    Files.writeString(
        folder.resolve("config.json"),
        "{\"model_type\": \"llama\", \"quantization_config\": {%s}}"
            .formatted(quantization.replace('\'', '"')));
    Files.copy(DATA.resolve(file + ".safetensors"), folder.resolve("model.safetensors"));
    return HfFolder.open(folder);
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '`',
      delimiter = '|',
      value = {
        "awq | 'quant_method': 'awq', 'bits': 4, 'group_size': 8, 'version': 'gemm', 'zero_point': true",
        "gptq2 | 'quant_method': 'gptq', 'bits': 2, 'group_size': 16",
        "gptq4 | 'quant_method': 'gptq', 'bits': 4, 'group_size': 8, 'desc_act': true",
        "gptq8 | 'quant_method': 'gptq', 'bits': 8, 'group_size': 8, 'checkpoint_format': 'gptq'",
        "gptq4v2 | 'quant_method': 'gptq', 'bits': 4, 'checkpoint_format': 'gptq_v2'"
      })
  void areWhatTorchMakesOfThem(String file, String quantization) throws IOException {
    try (HfFolder opened = open(file, quantization);
        SafetensorsFile golden =
            SafetensorsFile.open(DATA.resolve(file + ".expected.safetensors"))) {
      assertThat(opened.tensors()).containsOnlyKeys(MODULE + ".weight", "model.norm.weight");
      LazyTensor matrix = Objects.requireNonNull(opened.tensors().get(MODULE + ".weight"));
      assertThat(matrix.shape())
          .isEqualTo(golden.shape("expected").stream().mapToLong(Long::longValue).toArray());
      assertThat(matrix.values()).containsExactly(golden.floats("expected"));
    }
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '`',
      delimiter = '|',
      value = {
        "'quant_method': 'awq', 'bits': 4, 'version': 'gemv' | gemm",
        "'quant_method': 'awq', 'bits': 3 | bits",
        "'quant_method': 'gptq', 'bits': 3 | 2, 4 or 8",
        "'quant_method': 'gptq', 'bits': 4, 'checkpoint_format': 'marlin' | marlin",
        "'quant_method': 'bitsandbytes' | bitsandbytes",
        "'quant_method': 'gptq', 'bits': 8 | no matrix of integers of 8 bits"
      })
  void refusesOtherLayouts(String quantization, String reason) {
    assertThatThrownBy(() -> open("gptq4", quantization).close())
        .isInstanceOf(ConversionException.class)
        .hasMessageContaining(reason);
  }

  @Test
  void refusesAPartThatIsMissing() {
    assertThatThrownBy(() -> PackedMatrix.awq(4).of("a.b", Map.of()))
        .isInstanceOf(ConversionException.class)
        .hasMessageContainingAll("a.b.qweight", "nothing");
  }
}
