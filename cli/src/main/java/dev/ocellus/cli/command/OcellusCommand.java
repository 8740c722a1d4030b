package dev.ocellus.cli.command;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ocellus.cli.log.StderrLoggerFinder;
import dev.ocellus.cli.terminal.Io;
import dev.ocellus.cli.terminal.Json;
import dev.ocellus.cli.terminal.Printable;
import dev.ocellus.cli.terminal.Progress;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.IntUnaryOperator;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What all commands have in common. */
public abstract class OcellusCommand implements Callable<Integer> {
  private static final int MAX_TOLD = 10;

  @Mixin OutputMixin output = new OutputMixin();

  @Spec @Nullable CommandSpec spec;

  private final Io io;

  /** What stands for something that the user gave; the latest first. */
  private final Deque<Stand> stands = new ArrayDeque<>();

  /** Names of what was fetched. */
  private final Map<Path, String> fetched = new HashMap<>();

  /**
   * A file that was made or fetched of what the user gave.
   *
   * @param shown in its place in messages
   * @param given what it was made of, or itself
   */
  private record Stand(Path file, String shown, Path given) {}

  public OcellusCommand(Io io) {
    this.io = io;
  }

  /** Does the work; the answer is the exit code. */
  protected abstract int run() throws IOException;

  @Override
  public final Integer call() throws IOException {
    StderrLoggerFinder.configure(io.err(), output.verbose, output.quiet);
    Ranges.check(spec().commandLine().getParseResult());
    NamedModels.resolve(this);
    int code = run();
    io.out().flush();
    return code;
  }

  public final Io io() {
    return io;
  }

  /**
   * Has messages name the folder that the user gave instead of a file that was made of it; one that
   * was fetched by its name too.
   */
  public final void showAs(Path file, Path folder) {
    String shown = fetchedAs(folder).map(name -> named(name, folder)).orElseGet(folder::toString);
    stands.addFirst(new Stand(file, shown, folder));
  }

  /** Has messages name a model by its name too, beside the file that was fetched. */
  public final void showName(Path file, String name) {
    stands.addFirst(new Stand(file, named(name, file), file));
  }

  private static String named(String name, Path file) {
    return "%s (%s)".formatted(name, file);
  }

  /** Keeps by which name a file or folder was fetched. */
  final void fetched(Path file, String name) {
    fetched.put(file, name);
  }

  /** The name that a file or folder was fetched by; empty if it was given as it is. */
  public final Optional<String> fetchedAs(Path file) {
    return Optional.ofNullable(fetched.get(file));
  }

  /** A message with the names that the user knows. */
  public final String named(String message) {
    String text = message;
    for (Stand stand : stands) {
      text = text.replace(stand.file().toString(), stand.shown());
    }
    return text;
  }

  /** A model's file, or the folder that it was made of. */
  public final Path given(Path file) {
    return stands.stream()
        .filter(stand -> stand.file().equals(file))
        .map(Stand::given)
        .findFirst()
        .orElse(file);
  }

  /** The name of a model's file, or of the folder that it was made of. */
  public final String nameOf(Path file) {
    return String.valueOf(given(file).toAbsolutePath().normalize().getFileName());
  }

  /** Whether a program reads the output. */
  public final boolean printsJson() {
    return output.json;
  }

  /** Whether nobody wants notes and progress. */
  public final boolean isQuiet() {
    return output.quiet;
  }

  /** Whether log lines are wanted. */
  public final boolean isVerbose() {
    return output.verbose;
  }

  /** Whether an error comes with where it came from. */
  public final boolean showsStackTrace() {
    return output.stacktrace;
  }

  /** Whether standard output takes colours. */
  public final boolean colorOn() {
    return output.colorOn(io, io.outTerminal());
  }

  /** A remark for people, on standard error. */
  public final void note(String text) {
    if (!output.quiet) {
      io.err().println("ocellus: " + text);
      io.err().flush();
    }
  }

  /** Says that a text was longer than the model takes, if it was. */
  public final void noteCut(String text, int contextLength, int nDropped) {
    if (nDropped > 0) {
      note(
          "the text '%s' is longer than the %d tokens that the model takes; the last %d were left out"
              .formatted(Printable.shortened(text), contextLength, nDropped));
    }
  }

  /**
   * Tells what went wrong with one of several inputs, while the others go on.
   *
   * @param name of the input
   * @return the message, with the options that it is about
   */
  public final String failed(String name, Exception e) {
    String message =
        named(String.valueOf(ErrorHandling.expected(e))) + SettingOptions.hint(e, spec());
    io.err().println("ocellus: error: " + (message.startsWith(name) ? "" : name + ": ") + message);
    io.err().flush();
    return message;
  }

  /** The same of many texts: of the first ones, and how many more there are. */
  public final void noteCut(List<String> texts, int contextLength, IntUnaryOperator nDropped) {
    int n = 0;
    for (int i = 0; i < texts.size(); i++) {
      int dropped = nDropped.applyAsInt(i);
      if (dropped > 0 && ++n <= MAX_TOLD) {
        noteCut(texts.get(i), contextLength, dropped);
      }
    }
    if (n > MAX_TOLD) {
      note("so are %d more texts; the end of each was left out".formatted(n - MAX_TOLD));
    }
  }

  public final void printJson(JsonNode node) {
    io.out().println(Json.write(node));
    io.out().flush();
  }

  /** A mistake in the command line. */
  public final ParameterException usage(String message) {
    return new ParameterException(spec().commandLine(), message);
  }

  /** Takes values that options gave; what is wrong with one is a mistake in the command line. */
  public final <T> T checked(Supplier<T> values) {
    try {
      return values.get();
    } catch (IllegalArgumentException e) {
      throw usage(e.getMessage() == null ? e.toString() : e.getMessage());
    }
  }

  public final Progress progress() {
    boolean canWipe = !io.environment().getOrDefault("TERM", "").equals("dumb");
    return new Progress(io.err(), io.errTerminal() && canWipe && !output.quiet && !output.verbose);
  }

  /** The command's options. */
  public final CommandSpec spec() {
    if (spec == null) {
      throw new IllegalStateException("picocli did not set the command's spec");
    }
    return spec;
  }
}
