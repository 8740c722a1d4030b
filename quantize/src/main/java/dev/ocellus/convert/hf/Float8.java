package dev.ocellus.convert.hf;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.safetensors.SafetensorsType;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Checkpoints whose matrices are 8-bit floats with a scale for each block ({@code
 * quantization_config.quant_method} "fp8", as DeepSeek and Qwen publish them): scales are
 * multiplied in. Other ways of quantization are refused, as their numbers would be read wrongly.
 */
final class Float8 {
  private static final String SCALE = "_scale_inv";

  /** What stands beside a matrix in the forms of compressed-tensors, ModelOpt and FBGEMM. */
  private static final List<String> OTHER_FORMS =
      List.of("weight_scale", "input_scale", "weight_scale_2", "input_scale_ub");

  private static final Set<SafetensorsType> IN_8_BITS =
      EnumSet.of(SafetensorsType.F8_E4M3, SafetensorsType.F8_E5M2);

  private Float8() {}

  static Map<String, LazyTensor> widened(HfConfig config, Map<String, LazyTensor> stored) {
    requireReadable(config, stored);
    JsonNode quantization = config.find("quantization_config");
    if (quantization == null) {
      return stored;
    }
    String method = quantization.path("quant_method").asText("");
    if (method.equals("awq") || method.equals("gptq")) {
      return PackedMatrices.unpacked(config, quantization, stored);
    }
    if (!method.equals("fp8")) {
      throw config.invalid(
          "quantization_config.quant_method",
          "none, fp8, awq or gptq",
          "'%s' (take the checkpoint that is not quantized)".formatted(method));
    }
    JsonNode block = quantization.path("weight_block_size");
    Map<String, LazyTensor> out = new LinkedHashMap<>();
    stored.forEach((name, tensor) -> {
      if (name.endsWith(SCALE) || name.endsWith("activation_scale")) {
        return;
      }
      LazyTensor scale = stored.get(name + SCALE);
      out.put(name, scale == null ? tensor : scaled(tensor, scale, block));
    });
    return out;
  }

  /**
   * One scale for a tensor or a row, and scales of activations: read as they are, numbers are
   * wrong.
   */
  private static void requireReadable(HfConfig config, Map<String, LazyTensor> stored) {
    for (String name : stored.keySet()) {
      for (String other : OTHER_FORMS) {
        LazyTensor matrix =
            name.endsWith("." + other)
                ? stored.get(name.substring(0, name.length() - other.length()) + "weight")
                : null;
        if (matrix != null && IN_8_BITS.contains(matrix.type())) {
          throw new ConversionException(
              "%s: '%s' belongs to a form of 8-bit floats (FP8) that is not read; only matrices with '%s' are. Take the checkpoint that is not quantized."
                  .formatted(config.file(), name, "weight" + SCALE));
        }
      }
    }
  }

  private static LazyTensor scaled(LazyTensor tensor, LazyTensor scale, JsonNode block) {
    if (tensor.rank() != 2 || scale.count() > Integer.MAX_VALUE) {
      throw mismatch(tensor, scale);
    }
    long rows = block.isArray() ? block.path(0).asLong() : tensor.size(0);
    long columns = block.isArray() ? block.path(1).asLong() : tensor.size(1);
    if (rows < 1
        || columns < 1
        || scale.count() != blocks(tensor.size(0), rows) * blocks(tensor.size(1), columns)) {
      throw mismatch(tensor, scale);
    }
    return tensor.scaledByBlock(scale.values(), rows, columns);
  }

  private static long blocks(long size, long block) {
    return (size + block - 1) / block;
  }

  private static ConversionException mismatch(LazyTensor tensor, LazyTensor scale) {
    return new ConversionException(
        "The scales %s do not fit the 8-bit matrix %s. The checkpoint is damaged."
            .formatted(scale, tensor));
  }
}
