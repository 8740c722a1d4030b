package dev.ocellus.cli.command;

import dev.ocellus.OcellusException;
import dev.ocellus.cli.command.OpenValues.UnknownOptionException;
import dev.ocellus.cli.terminal.ExitCode;
import dev.ocellus.cli.terminal.Io;
import dev.ocellus.cli.terminal.OutputClosedException;
import dev.ocellus.cli.terminal.Printable;
import java.io.EOFException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/** Turns exceptions into one clear message and an exit code. */
public final class ErrorHandling {
  private final Io io;
  private final Supplier<CommandLine> whole;
  private boolean outputFailureTold;

  /**
   * Tells of errors on the streams of a program.
   *
   * @param whole gives all commands with all their options
   */
  public ErrorHandling(Io io, Supplier<CommandLine> whole) {
    this.io = io;
    this.whole = whole;
  }

  /** The command line could not be understood. */
  public int usage(ParameterException e, String[] arguments) {
    CommandLine line = e.getCommandLine();
    error(messageOf(e, arguments));
    suggest(e);
    io.err().println("Try '%s --help'.".formatted(line.getCommandSpec().qualifiedName()));
    io.err().flush();
    return ExitCode.USAGE;
  }

  private void suggest(ParameterException e) {
    String typed = unmatched(e);
    if (typed == null) {
      return;
    }
    CommandLine line = e.getCommandLine();
    String name = typed.replaceFirst("(?s)=.*", "");
    List<String> near =
        Suggestions.of(
            name,
            isUnknownOption(e)
                ? line.getCommandSpec().optionsMap().keySet()
                : line.getSubcommands().keySet());
    List<String> others = near.isEmpty() && isUnknownOption(e) ? commandsWith(name) : List.of();
    if (!near.isEmpty()) {
      io.err().println("Did you mean: " + String.join(" or ", near) + "?");
    } else if (!others.isEmpty()) {
      io.err().println("It is an option of: " + String.join(", ", others) + ".");
    }
    if (e instanceof UnknownOptionException among) {
      io.err()
          .println(
              "If it is meant as a value of %1$s, write %1$s=%2$s."
                  .formatted(among.before(), Printable.shortened(typed)));
    }
  }

  /** The commands that have an option of this name, which the one that was called has not. */
  private List<String> commandsWith(String option) {
    return whole.get().getSubcommands().entrySet().stream()
        .filter(command -> command.getValue().getCommandSpec().optionsMap().containsKey(option))
        .map(Map.Entry::getKey)
        .toList();
  }

  /** The argument that could not be understood; null if the mistake is another. */
  private static @Nullable String unmatched(ParameterException e) {
    return switch (e) {
      case UnknownOptionException among -> among.unknown();
      case UnmatchedArgumentException u when !u.getUnmatched().isEmpty() ->
          u.getUnmatched().getFirst();
      default -> null;
    };
  }

  private static boolean isUnknownOption(ParameterException e) {
    return e instanceof UnknownOptionException
        || (e instanceof UnmatchedArgumentException unmatched && unmatched.isUnknownOption());
  }

  private static String messageOf(ParameterException e, String[] arguments) {
    String typed = unmatched(e);
    if (typed != null) {
      boolean atRoot = e.getCommandLine().getParent() == null;
      return isUnknownOption(e)
          ? "unknown option " + typed
          : atRoot ? "unknown command '" + typed + "'" : "unexpected argument '" + typed + "'";
    }
    String number = Ranges.notANumber(e, List.of(arguments));
    if (number != null) {
      return number;
    }
    String message = e.getMessage();
    return message == null ? e.toString() : message;
  }

  /** The command failed. */
  public int failure(Exception e, CommandLine line, ParseResult parsed) {
    OcellusCommand command = line.getCommand() instanceof OcellusCommand known ? known : null;
    boolean stacktrace = command != null && command.showsStackTrace();
    if (e instanceof OutputClosedException closed) {
      return outputClosed(closed);
    }
    io.out().flush();
    if (e instanceof CancellationException) {
      error("interrupted");
      return ExitCode.INTERRUPTED;
    }
    String expected = expected(e);
    if (expected != null && command != null) {
      expected = command.named(expected);
    }
    String hint = SettingOptions.hint(e, line.getCommandSpec());
    error(expected != null ? expected + hint : "internal error: " + e);
    if (stacktrace) {
      e.printStackTrace(io.err());
    } else if (expected == null) {
      io.err().println("Run it again with --stacktrace and report what it prints.");
    }
    io.err().flush();
    return ExitCode.FAILED;
  }

  /** Nobody reads the output, or it cannot be stored. */
  public int outputClosed(OutputClosedException e) {
    if (e.readerGone()) {
      return ExitCode.OUTPUT_CLOSED;
    }
    if (!outputFailureTold) { // what is still buffered fails again at the end
      outputFailureTold = true;
      error(String.valueOf(e.getMessage()));
    }
    return ExitCode.FAILED;
  }

  /** The message of an exception that speaks to the user; null for what is a mistake of ours. */
  public static @Nullable String expected(Exception e) {
    String message = e.getMessage();
    return switch (e) {
      case OcellusException o -> message;
      case NoSuchFileException f ->
          f.getReason() == null ? "no such file: " + f.getFile() : withReason(f);
      case AccessDeniedException f -> "no permission for " + withReason(f);
      case FileSystemException f -> withReason(f);
      case EOFException f -> "the file ends too early" + (message == null ? "" : ": " + message);
      case FileNotFoundException f -> message;
      case IOException f -> message == null ? f.toString() : message;
      case IllegalArgumentException f -> message;
      case UncheckedIOException f -> {
        IOException cause = f.getCause();
        yield cause == null ? message : expected(cause);
      }
      default -> null;
    };
  }

  private static String withReason(FileSystemException e) {
    String reason = e.getReason();
    return reason == null ? e.getFile() : e.getFile() + ": " + reason;
  }

  private void error(String message) {
    io.err().println("ocellus: error: " + message);
    io.err().flush();
  }
}
