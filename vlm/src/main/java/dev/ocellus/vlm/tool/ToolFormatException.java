package dev.ocellus.vlm.tool;

import dev.ocellus.OcellusException;

/** Tool definitions that are not in OpenAI's form. */
public final class ToolFormatException extends OcellusException {
  private static final long serialVersionUID = 1;

  ToolFormatException(String message) {
    super(message);
  }

  ToolFormatException(String message, Throwable cause) {
    super(message, cause);
  }
}
