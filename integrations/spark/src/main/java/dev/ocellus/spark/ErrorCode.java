package dev.ocellus.spark;

import java.util.Locale;

/** Why a row has no result, as {@code error_code} says it. */
public enum ErrorCode {
  /** The column holds null. */
  NO_INPUT(true),
  /** The column's text is no path or URI, or of a file system that is not there. */
  BAD_URI(true),
  /** There is no such file, or it is a directory. */
  NOT_FOUND(false),
  /** The file system failed, refused, or took too long. */
  UNREADABLE(false),
  /** Something else than an image, or no bytes at all. */
  NOT_AN_IMAGE(true),
  /** An image in a format, or a variant of one, that is not decoded. */
  UNSUPPORTED_FORMAT(true),
  /** The file ends before the image does. */
  TRUNCATED(true),
  /** The file contradicts its own format. */
  CORRUPT(true),
  /** More bytes or pixels than allowed. */
  TOO_LARGE(true),
  /** Prompt and image do not fit the model's context. */
  CONTEXT_OVERFLOW(true),
  /** The model takes no such image or prompt. */
  REFUSED(true),
  /** The answer is not of the schema's type, such as an integer of more than 64 bits. */
  INVALID_JSON(true),
  /** The device had too little memory for this image at that moment. */
  OUT_OF_DEVICE_MEMORY(false);

  private final boolean permanent;

  ErrorCode(boolean permanent) {
    this.permanent = permanent;
  }

  /** Whether the same row would fail again; others are worth another run. */
  public boolean isPermanent() {
    return permanent;
  }

  /** Whether a file was read, and its bytes are at fault. */
  boolean isDecoding() {
    return switch (this) {
      case NOT_AN_IMAGE, UNSUPPORTED_FORMAT, TRUNCATED, CORRUPT, TOO_LARGE -> true;
      default -> false;
    };
  }

  /** The word of the column. */
  public String wireName() {
    return name().toLowerCase(Locale.ROOT);
  }
}
