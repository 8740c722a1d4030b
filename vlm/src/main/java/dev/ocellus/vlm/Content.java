package dev.ocellus.vlm;

import dev.ocellus.vlm.image.RgbImage;

/** A part of a message. */
public sealed interface Content {
  /** Text as somebody wrote it; nothing in it is ever taken for a control token. */
  record Text(String text) implements Content {}

  /**
   * A picture.
   *
   * @param image decoded pixels
   * @param source where it came from, for people; may be empty
   */
  record Image(RgbImage image, String source) implements Content {}
}
