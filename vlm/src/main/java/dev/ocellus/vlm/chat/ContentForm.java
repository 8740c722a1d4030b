package dev.ocellus.vlm.chat;

import java.util.List;

/**
 * How the content of a message was given. A chat template can tell a string from a list of parts,
 * and what it makes of them differs, so a message keeps to what it was.
 */
public enum ContentForm {
  /** A string. */
  STRING,
  /** A list of parts, also where it is one text. */
  PARTS,
  /** JSON's null, as answers have that only call tools. */
  NULL,
  /** There was no content. */
  ABSENT;

  /** Whether a message of this form can have these parts. */
  boolean fits(List<Content> parts) {
    return switch (this) {
      case STRING -> parts.size() == 1 && parts.getFirst() instanceof Content.Text;
      case PARTS -> true;
      case NULL, ABSENT -> parts.isEmpty();
    };
  }
}
