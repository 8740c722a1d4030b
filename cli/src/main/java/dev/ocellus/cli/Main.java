package dev.ocellus.cli;

import dev.ocellus.cli.terminal.Io;
import java.util.List;

/** Starts the program. */
public final class Main {
  private Main() {}

  /** {@code ocellus COMMAND …}; ends with the exit code that docs/cli.md documents. */
  public static void main(String[] args) {
    EarlyLibraries.begin(List.of(args));
    System.exit(new Ocellus(Io.ofProcess()).run(List.of(args)));
  }
}
