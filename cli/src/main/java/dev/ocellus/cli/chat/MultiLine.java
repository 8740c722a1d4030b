package dev.ocellus.cli.chat;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Puts lines together that belong to one question: a line that ends with a backslash goes on in the
 * next one, and three quotes begin a text that ends with three quotes.
 */
final class MultiLine {
  private static final String QUOTES = "\"\"\"";

  /** Reads a line; null at the end of the input. */
  interface Lines {
    @Nullable String next(boolean first) throws IOException;
  }

  private MultiLine() {}

  /** The next question; null at the end of the input. */
  static @Nullable String read(Lines lines) throws IOException {
    String line = lines.next(true);
    if (line == null) {
      return null;
    }
    String start = line.stripLeading();
    return start.startsWith(QUOTES)
        ? quoted(start.substring(QUOTES.length()), lines)
        : continued(line, lines);
  }

  private static String continued(String first, Lines lines) throws IOException {
    StringBuilder text = new StringBuilder(first);
    while (endsWith(text, "\\")) {
      text.setLength(text.length() - 1);
      String next = lines.next(false);
      if (next == null) {
        break;
      }
      text.append('\n').append(next);
    }
    return text.toString();
  }

  private static String quoted(String first, Lines lines) throws IOException {
    StringBuilder text = new StringBuilder(first.stripTrailing());
    while (!endsWith(text, QUOTES)) {
      String next = lines.next(false);
      if (next == null) {
        return text.toString(); // what was typed is not thrown away
      }
      if (!text.isEmpty()) {
        text.append('\n');
      }
      text.append(next.stripTrailing());
    }
    text.setLength(text.length() - QUOTES.length());
    return text.toString().strip();
  }

  private static boolean endsWith(StringBuilder text, String end) {
    int from = text.length() - end.length();
    return from >= 0 && text.indexOf(end, from) == from;
  }
}
