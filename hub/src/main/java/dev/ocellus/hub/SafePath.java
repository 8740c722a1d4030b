package dev.ocellus.hub;

import java.util.regex.Pattern;

/** Paths that a server or a user names, before they become paths of this machine. */
final class SafePath {
  private static final int MAX_LENGTH = 1000;

  /** Control characters, backslashes, colons and what Windows takes for wildcards. */
  private static final Pattern FORBIDDEN = Pattern.compile("[\\x00-\\x1f\\x7f\\\\:*?\"<>|]");

  private SafePath() {}

  static boolean isSafe(String path) {
    if (path.isEmpty() || path.length() > MAX_LENGTH || FORBIDDEN.matcher(path).find()) {
      return false;
    }
    for (String part : path.split("/", -1)) {
      if (part.isEmpty() || part.equals(".") || part.equals("..")) {
        return false;
      }
    }
    return true;
  }

  /**
   * Gives the path back.
   *
   * @throws HubException if it could lead out of the folder that it belongs in
   */
  static String check(String path) {
    if (!isSafe(path)) {
      throw new HubException(
          HubException.Kind.NAME,
          "'%s' is no path of a file in a repository"
              .formatted(path.replaceAll("\\p{Cntrl}", "?")));
    }
    return path;
  }
}
