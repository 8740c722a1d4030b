package dev.ocellus.tests.launcher;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/**
 * What {@link LauncherTest} starts in place of Ocellus: it prints its arguments, and what glibc was
 * told.
 */
final class LauncherProbe {
  /** What it ends with. */
  static final int STATUS = 7;

  private LauncherProbe() {}

  public static void main(String[] arguments) {
    var out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    for (String argument : arguments) {
      out.println("[" + argument + "]");
    }
    String tunables = System.getenv("GLIBC_TUNABLES");
    if (tunables != null) {
      out.println(tunables);
    }
    System.exit(STATUS);
  }
}
