package dev.ocellus.vlm.chat;

import java.util.Locale;

/** Why an answer ended. */
public enum StopReason {
  /** The model ended its turn. */
  END,
  /** A stop string appeared. */
  STOP_STRING,
  /** As many tokens as were allowed. */
  LENGTH,
  /** The context is full. */
  CONTEXT,
  /** Somebody cancelled it. */
  CANCELLED;

  /** The word that JSON output uses. */
  public String wireName() {
    return name().toLowerCase(Locale.ROOT);
  }
}
