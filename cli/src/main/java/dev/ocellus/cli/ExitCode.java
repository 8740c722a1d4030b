package dev.ocellus.cli;

/** What the program answers to the shell; docs/cli.md lists them for users. */
final class ExitCode {
  static final int OK = 0;
  static final int FAILED = 1;
  static final int USAGE = 2;

  /** Ended by Ctrl-C: 128 and the number of the signal, as shells count. */
  static final int INTERRUPTED = 130;

  /** Whoever read the output went away, as with {@code | head}: 128 and the number of SIGPIPE. */
  static final int OUTPUT_CLOSED = 141;

  private ExitCode() {}
}
