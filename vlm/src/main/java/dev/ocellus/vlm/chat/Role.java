package dev.ocellus.vlm.chat;

import java.util.Locale;

/** Who says a message. */
public enum Role {
  SYSTEM,
  USER,
  ASSISTANT,
  TOOL;

  /** The word that templates and OpenAI's format use. */
  public String wireName() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * The role of such a word.
   *
   * @throws IllegalArgumentException for any other; the message lists the words
   */
  public static Role of(String word) {
    for (Role role : values()) {
      if (role.wireName().equals(word)) {
        return role;
      }
    }
    throw new IllegalArgumentException(
        "role: expected system, user, assistant or tool, found '" + word + "'");
  }
}
