package dev.ocellus.vlm.model;

import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.codes.PixelArchitecture;
import dev.ocellus.vlm.codes.PixelRange;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.Normalize;
import dev.ocellus.vlm.image.ResizeFilter;
import dev.ocellus.vlm.model.vq.PixelTransformer;
import dev.ocellus.vlm.vision.ConfigReader;
import java.util.Map;

/** The families of models of pixels, by their architecture. */
final class PixelFamilies {
  private static final int MAX_SIDE = 1 << 12;

  static final Families<PixelArchitecture> ALL =
      new Families<>(
          ModelKind.PIXEL_MODEL,
          "architecture",
          metadata -> metadata.string("general.architecture", ""),
          Map.of("imagegpt", PixelFamilies::imageGpt));

  private PixelFamilies() {}

  private static PixelArchitecture imageGpt(GgufMetadata metadata, Weights weights) {
    ConfigReader c = new ConfigReader(metadata, "imagegpt.");
    PixelTransformer prior = new PixelTransformer(c, weights, 1);
    int width = c.integer("image_width", 1, MAX_SIDE);
    int height = c.integer("image_height", 1, MAX_SIDE);
    if ((long) width * height != prior.nPositions()) {
      throw c.invalid(
          "image_width",
          "a width that makes %d pixels with a height of %d".formatted(prior.nPositions(), height),
          Integer.toString(width));
    }
    float[] colours = metadata.floats("imagegpt.colours");
    if (colours.length != 3 * prior.nCodes()) {
      throw c.invalid("colours", 3 * prior.nCodes() + " numbers", Integer.toString(colours.length));
    }
    ImageSize size = new ImageSize(width, height);
    return new PixelArchitecture(
        "imagegpt",
        size,
        new PixelRange(
            size,
            PixelRange.Fit.STRETCH,
            1,
            c.filter(ResizeFilter.BILINEAR),
            c.normalize(Normalize.HALF)),
        colours,
        prior);
  }
}
