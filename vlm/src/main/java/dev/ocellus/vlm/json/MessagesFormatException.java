package dev.ocellus.vlm.json;

import dev.ocellus.OcellusException;
import org.jspecify.annotations.Nullable;

/** JSON that is not a conversation; the message names the place, as {@code messages[2].role}. */
public class MessagesFormatException extends OcellusException {
  private static final long serialVersionUID = 1;

  public MessagesFormatException(String message) {
    super(message);
  }

  public MessagesFormatException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
