package dev.ocellus.gguf;

/** Text from a file made fit for a message: short, in quotes, no control characters. */
final class Quote {
  private static final int MAX_CHARS = 80;

  private Quote() {}

  static String of(String s) {
    StringBuilder sb = new StringBuilder("'");
    int n = Math.min(s.length(), MAX_CHARS);
    for (int i = 0; i < n; i++) {
      char c = s.charAt(i);
      // A terminal obeys escape sequences; a message must not carry any that a file holds.
      sb.append(Character.isISOControl(c) ? '\ufffd' : c);
    }
    return sb.append(s.length() > n ? "…'" : "'").toString();
  }
}
