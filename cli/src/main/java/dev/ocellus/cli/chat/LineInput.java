package dev.ocellus.cli.chat;

import dev.ocellus.cli.terminal.Interrupt;
import dev.ocellus.cli.terminal.Io;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jline.builtins.Completers.FileNameCompleter;
import org.jline.reader.Candidate;
import org.jline.reader.Completer;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.UserInterruptException;
import org.jline.reader.impl.DefaultParser;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;
import org.jspecify.annotations.Nullable;

/** Where the lines of an interactive chat come from. */
sealed interface LineInput extends AutoCloseable {
  /** The next line; null at the end of input, and an empty one when it was given up with Ctrl-C. */
  @Nullable String read(String prompt) throws IOException;

  /**
   * Lets a text be changed, where a person types.
   *
   * @return the changed text; null where nothing can be edited, and an empty one when it was given
   *     up
   */
  default @Nullable String edit(String prompt, String text) throws IOException {
    return null;
  }

  /** What Ctrl-C does while no line is being read. */
  void onInterrupt(Runnable action);

  @Override
  void close() throws IOException;

  /** Lines of a pipe or a file: nothing is prompted, edited or remembered. */
  static LineInput piped(Io io, Interrupt interrupt) {
    return new Piped(
        new BufferedReader(new InputStreamReader(io.in(), StandardCharsets.UTF_8)), interrupt);
  }

  /** Lines that a person types, with editing, history and completion. */
  static LineInput terminal(Io io, Interrupt interrupt, List<String> commands) throws IOException {
    Terminal terminal =
        TerminalBuilder.builder()
            .system(true)
            .dumb(true) // without a complaint where nothing better is to be had
            .nativeSignals(true)
            .signalHandler(Terminal.SignalHandler.SIG_IGN)
            .encoding(StandardCharsets.UTF_8)
            .build();
    LineReader reader =
        LineReaderBuilder.builder()
            .terminal(terminal)
            .appName("ocellus")
            .parser(new DefaultParser().quoteChars(new char[0]).escapeChars(new char[0]))
            .completer(completer(commands))
            .option(LineReader.Option.DISABLE_EVENT_EXPANSION, true) // ! is an exclamation mark
            .variable(LineReader.HISTORY_SIZE, 1000)
            .build();
    Path history = historyFile(io.environment());
    Path parent = history.getParent();
    if (parent != null && !Files.isDirectory(parent)) {
      try {
        Files.createDirectories(parent);
      } catch (IOException e) {
        return new Typed(
            terminal, reader, interrupt); // a chat that is not remembered is better than none
      }
    }
    reader.setVariable(LineReader.HISTORY_FILE, history);
    return new Typed(terminal, reader, interrupt);
  }

  private static Path historyFile(Map<String, String> environment) {
    String state = environment.getOrDefault("XDG_STATE_HOME", "");
    Path base =
        state.isEmpty()
            ? Path.of(System.getProperty("user.home", "."), ".local", "state")
            : Path.of(state);
    return base.resolve("ocellus").resolve("history");
  }

  private static Completer completer(List<String> commands) {
    FileNameCompleter files = new FileNameCompleter();
    return (reader, line, candidates) -> {
      String word = line.word();
      boolean command = line.wordIndex() == 0 && word.startsWith("/") && word.indexOf('/', 1) < 0;
      if (command) {
        commands.forEach(name -> candidates.add(new Candidate(name)));
      }
      // a path also stands alone on a line, or beside a question
      if (!command || commands.stream().noneMatch(name -> name.startsWith(word))) {
        files.complete(reader, line, candidates);
      }
    };
  }

  /** Lines of a pipe. */
  record Piped(BufferedReader lines, Interrupt interrupt) implements LineInput {
    @Override
    public @Nullable String read(String prompt) throws IOException {
      interrupt.check();
      return MultiLine.read(first -> lines.readLine());
    }

    @Override
    public void onInterrupt(Runnable action) {
      interrupt.onInterrupt(action);
    }

    @Override
    public void close() throws IOException {
      lines.close();
    }
  }

  /** Lines of a terminal. */
  record Typed(Terminal terminal, LineReader reader, Interrupt interrupt) implements LineInput {
    @Override
    public @Nullable String read(String prompt) throws IOException {
      try {
        return MultiLine.read(first -> reader.readLine(first ? prompt : "… "));
      } catch (UserInterruptException e) {
        terminal.writer().println("(Ctrl-D or /quit ends)");
        return "";
      } catch (EndOfFileException e) {
        return null;
      }
    }

    @Override
    public String edit(String prompt, String text) {
      try {
        return reader.readLine(prompt, null, (Character) null, text.replace("\n", " "));
      } catch (UserInterruptException | EndOfFileException e) {
        return "";
      }
    }

    @Override
    public void onInterrupt(Runnable action) {
      terminal.handle(Terminal.Signal.INT, signal -> action.run());
      interrupt.onEveryInterrupt(action); // a dumb terminal does not take signals over
    }

    @Override
    public void close() throws IOException {
      terminal.close();
    }
  }
}
