package dev.ocellus.vlm.image;

import dev.ocellus.OcellusException;
import org.jspecify.annotations.Nullable;

/** An image file cannot be decoded; {@link #kind} says why in one word, the message in full. */
public class ImageFormatException extends OcellusException {
  private static final long serialVersionUID = 1;

  /** What is wrong. */
  public enum Kind {
    /** Something else than an image, or no bytes at all. */
    NOT_AN_IMAGE,
    /** An image in a format, or a variant of one, that is not decoded here. */
    UNSUPPORTED,
    /** The file ends before the image does. */
    TRUNCATED,
    /** The file contradicts its own format. */
    CORRUPT,
    /** More bytes, pixels or frames than {@link ImageLimits} allow. */
    TOO_LARGE
  }

  private final Kind kind;

  /**
   * An image that cannot be decoded.
   *
   * @param message what, where, expected and found
   */
  public ImageFormatException(Kind kind, String message) {
    this(kind, message, null);
  }

  /** As {@link #ImageFormatException(Kind, String)}, because of something else. */
  public ImageFormatException(Kind kind, String message, @Nullable Throwable cause) {
    super(message, cause);
    this.kind = kind;
  }

  public Kind kind() {
    return kind;
  }

  /** Of {@link Kind#TRUNCATED}. */
  public static ImageFormatException truncated(String message) {
    return new ImageFormatException(Kind.TRUNCATED, message);
  }

  /** Of {@link Kind#CORRUPT}. */
  public static ImageFormatException corrupt(String message) {
    return new ImageFormatException(Kind.CORRUPT, message);
  }

  /** Of {@link Kind#UNSUPPORTED}. */
  public static ImageFormatException unsupported(String message) {
    return new ImageFormatException(Kind.UNSUPPORTED, message);
  }

  /** The same, with the file's name in front. */
  public ImageFormatException in(String source) {
    return new ImageFormatException(kind, source + ": " + getMessage(), getCause());
  }
}
