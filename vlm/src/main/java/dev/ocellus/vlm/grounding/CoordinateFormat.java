package dev.ocellus.vlm.grounding;

import dev.ocellus.vlm.image.ImageSize;
import java.util.List;
import java.util.Optional;

/** How the models of a family write coordinates, and what these are relative to. */
public enum CoordinateFormat {
  /**
   * {@code <ref>label</ref><box>(x1,y1),(x2,y2)</box>} in thousandths of the image, also as {@code
   * <|object_ref_start|>} and {@code <|box_start|>}, and with brackets: Qwen-VL, Qwen2-VL,
   * InternVL.
   */
  TAGS,
  /** JSON with {@code bbox_2d} or {@code point_2d} in thousandths of the image: Qwen3-VL. */
  JSON_THOUSANDTHS,
  /** The same in pixels of the image as it went into the encoder: Qwen2.5-VL. */
  JSON_PIXELS,
  /** {@code <loc0123>} four times, y first, in 1024ths of the image, then a label: PaliGemma. */
  LOCATION_TOKENS;

  /**
   * The format of a family.
   *
   * @param family {@link dev.ocellus.vlm.vision.VisionArchitecture#name}
   * @return empty for one that was not trained to give coordinates
   */
  public static Optional<CoordinateFormat> ofFamily(String family) {
    return switch (family) {
      case "qwen-vl", "qwen2-vl", "internvl" -> Optional.of(TAGS);
      case "qwen3-vl" -> Optional.of(JSON_THOUSANDTHS);
      case "qwen2.5-vl" -> Optional.of(JSON_PIXELS);
      case "paligemma" -> Optional.of(LOCATION_TOKENS);
      default -> Optional.empty();
    };
  }

  /**
   * The regions of an answer, in its order; what cannot be read as one is left out.
   *
   * @param answer its text, control tokens included
   * @param image size of the image as it was given
   * @param encoded its size as it went into the encoder
   */
  public List<Region> read(String answer, ImageSize image, ImageSize encoded) {
    return switch (this) {
      case TAGS -> new TagReader(new Scale(image, 1000, 1000)).read(answer);
      case JSON_THOUSANDTHS -> new JsonRegionReader(new Scale(image, 1000, 1000)).read(answer);
      case JSON_PIXELS ->
          new JsonRegionReader(new Scale(image, encoded.width(), encoded.height())).read(answer);
      case LOCATION_TOKENS -> LocationReader.read(answer, image);
    };
  }
}
