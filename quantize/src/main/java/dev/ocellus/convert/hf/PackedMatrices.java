package dev.ocellus.convert.hf;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ocellus.convert.common.ConversionException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * Checkpoints of AWQ (arXiv:2306.00978) and GPTQ (arXiv:2210.17323), whose matrices are small
 * integers in words of 32 bits, with a scale and a zero for each column of a group of rows. They
 * become what their matrices stand for.
 *
 * <p>Layouts: <a
 * href="https://github.com/casper-hansen/AutoAWQ/blob/v0.2.9/awq/utils/packing_utils.py">AutoAWQ</a>,
 * <a
 * href="https://github.com/AutoGPTQ/AutoGPTQ/blob/v0.7.1/auto_gptq/nn_modules/qlinear/qlinear_cuda_old.py">AutoGPTQ</a>.
 */
final class PackedMatrices {
  private static final String WORDS = ".qweight";
  private static final Set<String> PARTS = Set.of(WORDS, ".qzeros", ".scales", ".g_idx");

  private PackedMatrices() {}

  /**
   * The tensors with plain matrices in place of packed ones.
   *
   * @param quantization the section of the configuration
   * @throws ConversionException if the layout is none of those known
   */
  static Map<String, LazyTensor> unpacked(
      HfConfig config, JsonNode quantization, Map<String, LazyTensor> stored) {
    boolean awq = quantization.path("quant_method").asText().equals("awq");
    int bits = quantization.path("bits").asInt(quantization.path("w_bit").asInt(4));
    requireKnown(config, quantization, awq, bits);
    // the first layout has zeros that are one too small
    boolean first = !quantization.path("checkpoint_format").asText("gptq").equals("gptq_v2");
    Map<String, LazyTensor> out = new LinkedHashMap<>();
    stored.forEach((name, tensor) -> {
      if (name.endsWith(WORDS)) {
        String module = name.substring(0, name.length() - WORDS.length());
        PackedMatrix matrix = awq ? PackedMatrix.awq(bits) : PackedMatrix.gptq(bits, first);
        out.put(module + ".weight", matrix.of(module, stored));
      } else if (!isPart(name, stored)) {
        out.put(name, tensor);
      }
    });
    return out;
  }

  private static boolean isPart(String name, Map<String, LazyTensor> stored) {
    return PARTS.stream()
        .anyMatch(part ->
            name.endsWith(part)
                && stored.containsKey(name.substring(0, name.length() - part.length()) + WORDS));
  }

  private static void requireKnown(HfConfig config, JsonNode quantization, boolean awq, int bits) {
    boolean known = awq ? bits == 4 : bits == 2 || bits == 4 || bits == 8;
    if (!known) {
      throw config.invalid(
          "quantization_config.bits", awq ? "4" : "2, 4 or 8", Integer.toString(bits));
    }
    String version = quantization.path("version").asText("gemm").toLowerCase(java.util.Locale.ROOT);
    if (awq && !version.equals("gemm")) {
      throw config.invalid(
          "quantization_config.version",
          "gemm, whose layout is read",
          "'%s' (take the checkpoint that is not quantized)".formatted(version));
    }
    String format = quantization.path("checkpoint_format").asText("gptq");
    if (!awq && !Set.of("gptq", "gptq_v2").contains(format)) {
      throw config.invalid(
          "quantization_config.checkpoint_format",
          "gptq or gptq_v2, whose layouts are read",
          "'%s' (take the checkpoint that is not quantized)".formatted(format));
    }
  }
}
