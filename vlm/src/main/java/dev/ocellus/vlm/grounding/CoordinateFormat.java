package dev.ocellus.vlm.grounding;

import dev.ocellus.vlm.grounding.JsonRegionReader.Keys;
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
  /**
   * JSON with {@code box_2d} or {@code point} in thousandths of the image, y before x: Gemma 3 and
   * 4.
   */
  JSON_Y_FIRST,
  /** Lists of numbers in thousandths of the image, also in JSON as Qwen3-VL's: GLM-4V. */
  LISTS,
  /** Marks with boxes in 999ths of the image: DeepSeek-OCR-2. */
  MARKS,
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
      case "gemma3", "gemma4", "gemma4-unified" -> Optional.of(JSON_Y_FIRST);
      case "glm4v" -> Optional.of(LISTS);
      case "deepseek-ocr2" -> Optional.of(MARKS);
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
    Scale thousandths = new Scale(image, 1000, 1000);
    return switch (this) {
      case TAGS -> new TagReader(thousandths).read(answer);
      case JSON_THOUSANDTHS -> new JsonRegionReader(thousandths, Keys.X_FIRST).read(answer);
      case JSON_PIXELS ->
          new JsonRegionReader(new Scale(image, encoded.width(), encoded.height()), Keys.X_FIRST)
              .read(answer);
      case JSON_Y_FIRST -> new JsonRegionReader(thousandths, Keys.Y_FIRST).read(answer);
      case LISTS -> new ListReader(thousandths).read(answer);
      case MARKS -> MarkReader.read(answer, image);
      case LOCATION_TOKENS -> LocationReader.read(answer, image);
    };
  }
}
