package dev.ocellus.vlm.chat;

import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.Visual;
import org.jspecify.annotations.Nullable;

/** A part of a message. */
public sealed interface Content {
  /** Text as somebody wrote it; nothing in it is ever taken for a control token. */
  record Text(String text) implements Content {}

  /**
   * An image.
   *
   * @param image decoded pixels
   * @param source where it came from, for people; may be empty
   */
  record Image(RgbImage image, String source) implements Content {}

  /**
   * A video, for models that take them. They look at some of its frames: each family chooses as its
   * reference does.
   *
   * @param video frames with their times
   * @param source where it came from, for people; may be empty
   */
  record Video(dev.ocellus.vlm.image.Video video, String source) implements Content {}

  /** The image or video that this part is, or null for text. */
  default @Nullable Visual visual() {
    return switch (this) {
      case Text text -> null;
      case Image image -> image.image();
      case Video video -> video.video();
    };
  }
}
