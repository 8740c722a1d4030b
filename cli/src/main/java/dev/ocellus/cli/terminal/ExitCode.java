package dev.ocellus.cli.terminal;

/** What the program answers to the shell; docs/cli.md lists them for users. */
public final class ExitCode {
  public static final int OK = 0;
  public static final int FAILED = 1;
  public static final int USAGE = 2;

  /** Ended by Ctrl-C: 128 and the number of the signal, as shells count. */
  public static final int INTERRUPTED = 130;

  /** Whoever read the output went away, as with {@code | head}: 128 and the number of SIGPIPE. */
  public static final int OUTPUT_CLOSED = 141;

  private ExitCode() {}
}
