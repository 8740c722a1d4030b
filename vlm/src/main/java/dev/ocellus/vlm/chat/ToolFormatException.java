package dev.ocellus.vlm.chat;

import dev.ocellus.OcellusException;

/** Tool definitions that are not in OpenAI's form, or a call that cannot be forced. */
public final class ToolFormatException extends OcellusException {
  private static final long serialVersionUID = 1;

  public ToolFormatException(String message) {
    super(message);
  }

  ToolFormatException(String message, Throwable cause) {
    super(message, cause);
  }
}
