package dev.ocellus.spark;

import dev.ocellus.compute.OutOfDeviceMemoryException;
import dev.ocellus.llama.ContextOverflowException;
import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.prompt.PromptException;
import dev.ocellus.vlm.template.TemplateException;
import dev.ocellus.vlm.vision.UnsupportedContentException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import org.jspecify.annotations.Nullable;

/**
 * Why a row has no result.
 *
 * @param code in a word
 * @param message in full
 */
record RowFailure(ErrorCode code, String message) {
  /** Thrown to end a row for a reason that nobody else has a type for. */
  static final class Thrown extends IOException {
    private static final long serialVersionUID = 1;

    private final ErrorCode code;

    Thrown(ErrorCode code, String message, @Nullable Throwable cause) {
      super(message, cause);
      this.code = code;
    }
  }

  /** What is to be said of a row; null if the failure is not the row's, but of all. */
  static @Nullable RowFailure of(Throwable e) {
    ErrorCode code = code(e);
    String message = e.getMessage();
    return code == null
        ? null
        : new RowFailure(
            code, message == null || message.isBlank() ? e.getClass().getSimpleName() : message);
  }

  private static @Nullable ErrorCode code(Throwable e) {
    if (e instanceof Thrown thrown) {
      return thrown.code;
    }
    if (e instanceof ImageFormatException image) {
      return code(image.kind());
    }
    if (e instanceof FileNotFoundException || e instanceof NoSuchFileException) {
      return ErrorCode.NOT_FOUND;
    }
    if (e instanceof IOException) {
      return ErrorCode.UNREADABLE;
    }
    if (e instanceof ContextOverflowException) {
      return ErrorCode.CONTEXT_OVERFLOW;
    }
    if (e instanceof OutOfDeviceMemoryException) {
      return ErrorCode.OUT_OF_DEVICE_MEMORY;
    }
    boolean refused =
        e instanceof PromptException
            || e instanceof TemplateException
            || e instanceof UnsupportedContentException;
    return refused ? ErrorCode.REFUSED : null;
  }

  private static ErrorCode code(ImageFormatException.Kind kind) {
    return switch (kind) {
      case NOT_AN_IMAGE -> ErrorCode.NOT_AN_IMAGE;
      case UNSUPPORTED -> ErrorCode.UNSUPPORTED_FORMAT;
      case TRUNCATED -> ErrorCode.TRUNCATED;
      case CORRUPT -> ErrorCode.CORRUPT;
      case TOO_LARGE -> ErrorCode.TOO_LARGE;
    };
  }
}
