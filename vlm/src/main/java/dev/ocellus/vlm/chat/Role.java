package dev.ocellus.vlm.chat;

import java.util.Locale;

/** Who says a message. */
public enum Role {
  SYSTEM,
  /** What some models call the one who gives instructions beside, or instead of, the system. */
  DEVELOPER,
  USER,
  ASSISTANT,
  TOOL;

  /** Whether it tells the model how to answer, rather than being a turn of the conversation. */
  public boolean instructs() {
    return this == SYSTEM || this == DEVELOPER;
  }

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
        "role: expected system, developer, user, assistant or tool, found '" + word + "'");
  }
}
