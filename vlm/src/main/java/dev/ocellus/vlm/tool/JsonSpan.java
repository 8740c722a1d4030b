package dev.ocellus.vlm.tool;

/** Where JSON ends in a text that goes on behind it. */
final class JsonSpan {
  /** The JSON has not ended. */
  static final int UNFINISHED = -1;

  /** What begins there is no object, list or string, or is malformed. */
  static final int NONE = -2;

  private JsonSpan() {}

  /**
   * The place behind an object, list or string; only its brackets and quotes are looked at.
   *
   * @param from where it begins
   */
  static int end(String text, int from) {
    int depth = 0;
    boolean quoted = false;
    for (int i = from; i < text.length(); i++) {
      char c = text.charAt(i);
      if (quoted) {
        if (c == '\\') {
          i++;
        } else if (c == '"') {
          quoted = false;
        } else if (c < ' ') {
          return NONE;
        }
      } else {
        switch (c) {
          case '"' -> quoted = true;
          case '{', '[' -> depth++;
          case '}', ']' -> depth--;
          default -> {
            if (depth == 0) {
              return NONE;
            }
          }
        }
      }
      if (depth < 0) {
        return NONE;
      }
      if (depth == 0 && !quoted) {
        return i + 1;
      }
    }
    return UNFINISHED;
  }

  /** Whether a text that holds JSON somewhere ends inside of one of its strings. */
  static boolean endsInString(String text) {
    int at = 0;
    while (at < text.length()) {
      char c = text.charAt(at);
      if (c == '{' || c == '[') {
        int end = end(text, at);
        if (end == UNFINISHED) {
          return isQuotedAtEnd(text, at);
        }
        if (end == NONE) {
          return false;
        }
        at = end;
      } else {
        at++;
      }
    }
    return false;
  }

  private static boolean isQuotedAtEnd(String text, int from) {
    boolean quoted = false;
    for (int i = from; i < text.length(); i++) {
      char c = text.charAt(i);
      if (quoted && c == '\\') {
        i++;
      } else if (c == '"') {
        quoted = !quoted;
      }
    }
    return quoted;
  }
}
