package dev.ocellus.convert.model.base;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ocellus.convert.hf.HfConfig;
import dev.ocellus.gguf.GgufWriter;
import java.util.OptionalInt;

/**
 * How many pixels an image may have after it is resized, as processors in the manner of Qwen2-VL's
 * say it.
 *
 * @param min at least
 * @param max at most
 */
public record PixelLimits(int min, int max) {
  /** Those of a processor, or its class's. The older names count before those in {@code size}. */
  public static PixelLimits of(HfConfig processor, PixelLimits defaults) {
    return new PixelLimits(
        find(processor, "min_pixels", "shortest_edge").orElse(defaults.min),
        find(processor, "max_pixels", "longest_edge").orElse(defaults.max));
  }

  /** Those of a processor that knows {@code size} alone, or its class's. */
  public static PixelLimits ofSize(HfConfig processor, PixelLimits defaults) {
    return new PixelLimits(
        find(processor, "", "shortest_edge").orElse(defaults.min),
        find(processor, "", "longest_edge").orElse(defaults.max));
  }

  /** A limit by its older name or as a part of {@code size}, if the processor has it. */
  public static OptionalInt find(HfConfig processor, String name, String inSize) {
    JsonNode own = processor.find(name);
    JsonNode size = processor.find("size");
    JsonNode value = own != null || size == null ? own : size.get(inSize);
    return value != null && value.canConvertToInt() && value.asInt() > 0
        ? OptionalInt.of(value.asInt())
        : OptionalInt.empty();
  }

  /** Limits of one of {@code n} frames, where these are for all together. */
  public PixelLimits ofFrame(int n) {
    return new PixelLimits(Math.ceilDiv(min, n), max / n);
  }

  public void write(GgufWriter out) {
    out.u32("clip.vision.image_min_pixels", min);
    out.u32("clip.vision.image_max_pixels", max);
  }
}
