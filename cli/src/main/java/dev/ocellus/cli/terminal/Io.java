package dev.ocellus.cli.terminal;

import java.io.BufferedOutputStream;
import java.io.Console;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;

/**
 * What a command reads and writes, and whether a person is on the other side.
 *
 * @param in standard input
 * @param out standard output; throws {@link OutputClosedException} when nobody reads any more
 * @param err standard error
 * @param inTerminal whether input comes from a terminal
 * @param outTerminal whether output goes to a terminal
 * @param errTerminal whether errors go to a terminal
 * @param environment environment variables
 */
public record Io(
    InputStream in,
    PrintStream out,
    PrintStream err,
    boolean inTerminal,
    boolean outTerminal,
    boolean errTerminal,
    Map<String, String> environment) {

  /**
   * Set by the launcher to those of 0, 1 and 2 that are terminals. Java itself can only tell
   * whether both input and output are.
   */
  static final String TERMINALS = "ocellus.terminals";

  /** The streams of this process. */
  public static Io ofProcess() {
    String terminals = System.getProperty(TERMINALS);
    if (terminals == null) {
      terminals =
          Optional.ofNullable(System.console()).filter(Console::isTerminal).isPresent()
              ? "012"
              : "";
    }
    return new Io(
        System.in,
        stream(FileDescriptor.out, 1, terminals.contains("1"), "stdout.encoding"),
        stream(FileDescriptor.err, 2, terminals.contains("2"), "stderr.encoding"),
        terminals.contains("0"),
        terminals.contains("1"),
        terminals.contains("2"),
        System.getenv());
  }

  /** UTF-8, except on a console with an encoding of its own, as Windows has. */
  private static PrintStream stream(
      FileDescriptor to, int descriptor, boolean terminal, String encodingProperty) {
    boolean windows = System.getProperty("os.name", "").startsWith("Windows");
    Charset charset =
        terminal && windows
            ? Charset.forName(System.getProperty(encodingProperty, "UTF-8"))
            : StandardCharsets.UTF_8;
    OutputStream raw = new OutputClosedException.Detector(new FileOutputStream(to), descriptor);
    return new PrintStream(new BufferedOutputStream(raw, 8192), false, charset);
  }
}
