package dev.ocellus.convert.model.maker;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ocellus.convert.hf.HfConfig;
import dev.ocellus.gguf.GgufWriter;

/**
 * How images are brought to what a VQ model takes. Without a preprocessor_config.json they are
 * stretched to the size of the configuration, and bytes become numbers from -1 to 1.
 */
final class VqImages {
  private static final int BICUBIC = 3;
  private static final double RESCALE = 1.0 / 255;

  private final HfConfig processor;
  private final int resolution;
  private final boolean pads;

  /**
   * @param resolution the size where the processor does not tell one
   * @param pads whether the processor's class pads images that are no squares
   */
  VqImages(HfConfig processor, int resolution, boolean pads) {
    this.processor = processor;
    this.resolution = resolution;
    this.pads = pads;
  }

  void write(GgufWriter out) {
    JsonNode size = processor.find("size");
    JsonNode crop = processor.find("crop_size");
    boolean crops =
        size != null && size.has("shortest_edge") && processor.flag("do_center_crop", true);
    out.u32("vq.image_size", side(crops && crop != null ? crop : size));
    out.string("vq.image_fit", pads && size != null ? "pad" : crops ? "crop" : "stretch");
    out.u32("vq.image_resample", processor.integerOr("resample", BICUBIC));
    processor.findInteger("min_size").ifPresent(min -> out.u32("vq.image_min_size", min));
    double rescale = processor.findReal("rescale_factor").orElse(RESCALE);
    boolean halves = processor.findFloats("image_mean").isEmpty();
    // Chameleon's processor divides by half of 255 and takes 1 away, in these words
    double scale = RESCALE / rescale;
    out.floats("vq.image_mean", scaled(processor, "image_mean", halves, scale));
    out.floats("vq.image_std", scaled(processor, "image_std", halves, scale));
  }

  private int side(@org.jspecify.annotations.Nullable JsonNode size) {
    JsonNode number = size == null ? null : size.isNumber() ? size : first(size);
    int side = number == null ? resolution : number.asInt();
    if (side < 1) {
      throw processor.invalid("size", "at least 1 pixel", "" + size);
    }
    return side;
  }

  private static @org.jspecify.annotations.Nullable JsonNode first(JsonNode size) {
    for (String key : new String[] {"height", "shortest_edge", "width"}) {
      if (size.has(key)) {
        return size.get(key);
      }
    }
    return null;
  }

  private static float[] scaled(HfConfig processor, String key, boolean halves, double scale) {
    if (halves) {
      return new float[] {0.5f, 0.5f, 0.5f};
    }
    float[] values =
        processor.findFloats(key).orElseThrow(() -> processor.missing(key, "three numbers"));
    if (values.length != 3) {
      throw processor.invalid(key, "three numbers", "" + values.length);
    }
    float[] result = new float[3];
    for (int c = 0; c < 3; c++) {
      result[c] = (float) (values[c] * scale);
    }
    return result;
  }
}
