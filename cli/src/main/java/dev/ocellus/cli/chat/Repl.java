package dev.ocellus.cli.chat;

import dev.ocellus.cli.command.ErrorHandling;
import dev.ocellus.cli.command.OcellusCommand;
import dev.ocellus.cli.command.SettingOptions;
import dev.ocellus.cli.options.ImageSource;
import dev.ocellus.cli.terminal.ExitCode;
import dev.ocellus.cli.terminal.Interrupt;
import dev.ocellus.cli.terminal.Io;
import dev.ocellus.cli.terminal.OutputClosedException;
import dev.ocellus.cli.terminal.Preview;
import dev.ocellus.cli.terminal.Progress;
import dev.ocellus.vlm.ChatSession;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.Content;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.chat.Role;
import dev.ocellus.vlm.chat.StopReason;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.document.DocumentOptions;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The interactive chat. A turn that fails is reported and leaves the conversation as it was; Ctrl-C
 * stops an answer and not the program.
 */
final class Repl {
  private final OcellusCommand command;
  private final PrintStream out;
  private final ChatSession session;
  private final Progress progress;
  private final Interrupt interrupt;
  private final ReplCommands commands;
  private final List<Content> pending = new ArrayList<>();
  private final VideoMixin video;
  private final Preview preview;
  private @Nullable LineInput input;
  private GenerationOptions options;
  private @Nullable Answer last;
  private boolean failed;

  Repl(
      OcellusCommand command,
      ChatSession session,
      GenerationOptions options,
      VideoMixin video,
      Preview preview,
      Progress progress,
      Interrupt interrupt) {
    this.command = command;
    this.out = command.io().out();
    this.session = session;
    this.options = options;
    this.video = video;
    this.preview = preview;
    this.progress = progress;
    this.interrupt = interrupt;
    this.commands = new ReplCommands(this);
  }

  /**
   * Talks until the input ends.
   *
   * @param images images for the first question
   * @return the exit code: with typed input always 0, with piped input 1 if a turn failed
   */
  int run(List<ImageSource> images) throws IOException {
    Io io = command.io();
    boolean typed = io.inTerminal() && io.outTerminal();
    for (ImageSource image : images) {
      attach(image);
    }
    for (Path path : video.paths) {
      attachVideo(path);
    }
    if (typed) {
      if (session.model().encoder().isPresent()) {
        command.note("drop images into the line, or add them with /image");
      }
      command.note("/help lists the commands, Ctrl-C stops an answer, Ctrl-D ends");
    }
    try (LineInput lines =
        typed
            ? LineInput.terminal(io, interrupt, ReplCommands.names())
            : LineInput.piped(io, interrupt)) {
      input = lines;
      lines.onInterrupt(session::cancel);
      boolean goOn = true;
      while (goOn) {
        String line = lines.read(prompt());
        goOn = line != null && accept(line.strip());
      }
    }
    return !typed && failed ? ExitCode.FAILED : ExitCode.OK;
  }

  private String prompt() {
    List<String> state = new ArrayList<>();
    if (session.contextUsed() > 0) {
      state.add("%d/%d".formatted(session.contextUsed(), session.contextSize()));
    }
    if (!pending.isEmpty()) {
      state.add("%d image%s".formatted(pending.size(), pending.size() == 1 ? "" : "s"));
    }
    return state.isEmpty() ? "> " : "[" + String.join(", ", state) + "] > ";
  }

  /** Does what a line says; false to end. */
  private boolean accept(String line) {
    if (line.isEmpty()) {
      return true;
    }
    try {
      boolean escaped = line.startsWith("//");
      if (!escaped && ReplCommands.isCommand(line)) {
        return commands.run(line);
      }
      // terminals write the paths of files that are dropped onto them into the line
      DroppedImages dropped =
          session.model().encoder().isPresent() && !escaped
              ? DroppedImages.of(line)
              : new DroppedImages(escaped ? line.substring(1) : line, List.of());
      List<Content> before = List.copyOf(pending);
      try {
        for (Path image : dropped.images()) {
          attach(new ImageSource(image.toString()));
        }
      } catch (IOException | RuntimeException e) {
        pending.clear();
        pending.addAll(before);
        throw e;
      }
      if (dropped.images().isEmpty() && line.startsWith("/") && !escaped) {
        return commands.run(line); // which says that there is no such command
      }
      if (!dropped.text().isEmpty()) {
        ask(dropped.text());
      }
    } catch (OutputClosedException e) {
      throw e;
    } catch (IOException | RuntimeException e) {
      report(e);
    }
    return true;
  }

  private void report(Exception e) {
    failed = true;
    progress.done();
    String message = ErrorHandling.expected(e);
    PrintStream err = command.io().err();
    err.println(
        "ocellus: error: "
            + (message != null
                ? message + SettingOptions.hint(e, command.spec())
                : "unexpected: " + e));
    if (command.showsStackTrace()) {
      e.printStackTrace(err);
    }
    err.flush();
  }

  private void ask(String text) {
    List<Content> parts = new ArrayList<>(pending);
    parts.add(new Content.Text(text));
    Message question = Message.user(parts);
    answer(List.of(question), printer -> session.send(question, options, printer));
    pending.clear();
  }

  /** Answers the last question anew. */
  void regenerate() {
    answer(List.of(), printer -> session.regenerate(options, printer));
  }

  /**
   * Asks another question instead of one that was asked; its images stay. What was said after it is
   * forgotten, unless the new question fails.
   *
   * @param number which question, from 1; 0 for the last
   * @param text the new question; empty to let it be edited
   */
  void edit(int number, String text) throws IOException {
    List<Message> history = session.history();
    List<Integer> questions = new ArrayList<>();
    for (int i = 0; i < history.size(); i++) {
      if (history.get(i).role() == Role.USER) {
        questions.add(i);
      }
    }
    if (questions.isEmpty() || number > questions.size()) {
      throw new IllegalArgumentException(
          "there %s %d question(s) to edit"
              .formatted(questions.size() == 1 ? "is" : "are", questions.size()));
    }
    int index = questions.get(number == 0 ? questions.size() - 1 : number - 1);
    Message old = history.get(index);
    String changed = text;
    if (changed.isEmpty()) {
      String edited = input == null ? null : input.edit("edit> ", old.text());
      if (edited == null) {
        throw new IllegalArgumentException("expected the new question: /edit [#NUMBER] TEXT");
      }
      changed = edited.strip();
      if (changed.isEmpty()) {
        return; // given up
      }
    }
    List<Content> parts = new ArrayList<>();
    old.content().stream().filter(part -> !(part instanceof Content.Text)).forEach(parts::add);
    parts.add(new Content.Text(changed));
    List<Message> messages = new ArrayList<>(history.subList(0, index));
    messages.add(Message.user(parts));
    answer(messages, printer -> session.complete(messages, options, printer));
  }

  private interface Turn {
    Answer run(AnswerListener listener);
  }

  private void answer(List<Message> messages, Turn turn) {
    AnswerPrinter printer = new AnswerPrinter(progress, out, true);
    printer.begin(messages);
    Answer answer;
    try {
      answer = turn.run(printer);
    } finally {
      printer.end();
    }
    last = answer;
    if (answer.usage().evictedMessages() > 0) {
      command.note(
          "the context was full: the %d oldest messages are forgotten"
              .formatted(answer.usage().evictedMessages()));
    }
    if (answer.stopReason() == StopReason.CANCELLED) {
      command.note("stopped");
    } else if (answer.stopReason() == StopReason.CONTEXT) {
      command.note("the context is full; /clear or /undo makes room, and -c gives more");
    }
    if (command.isVerbose()) {
      command.note(AnswerPrinter.statistics(answer));
    }
  }

  /** Adds an image to the next question, or all pages of a document. */
  void attach(ImageSource source) throws IOException {
    requireEncoder();
    if (source.document() != null) {
      attachImage(source);
      return;
    }
    for (ImageSource page :
        new PagesMixin().pages(command.io(), source, DocumentOptions.defaults())) {
      attachImage(page);
    }
  }

  private void attachImage(ImageSource source) throws IOException {
    Content.Image read = source.read(command.io());
    RgbImage image = read.image();
    Path path = Path.of(read.source()).toAbsolutePath().normalize();
    boolean isFile = !read.source().isEmpty();
    pending.add(isFile ? new Content.Image(image, path.toString()) : read);
    out.print(preview.render(image, command.io().environment()));
    Object name = isFile ? path.getFileName() : "the image";
    out.println("added %s (%d x %d)".formatted(name, image.width(), image.height()));
    out.flush();
  }

  /** Adds a video to the next question, read with the options of the command line. */
  Content.Video attachVideo(Path path) throws IOException {
    requireEncoder();
    Content.Video content = video.read(path);
    session.model().pipeline().prompts().requireSupported(content);
    pending.add(content);
    return content;
  }

  private void requireEncoder() {
    if (session.model().encoder().isEmpty()) {
      throw new IllegalArgumentException(
          "no image encoder is loaded; start again with --mmproj to talk about images");
    }
  }

  /** Takes back images of the next question, and reports whether there were any. */
  boolean detach() {
    boolean any = !pending.isEmpty();
    pending.clear();
    return any;
  }

  ChatSession session() {
    return session;
  }

  GenerationOptions options() {
    return options;
  }

  void setOptions(GenerationOptions options) {
    this.options = options;
  }

  @Nullable Answer last() {
    return last;
  }

  PrintStream out() {
    return out;
  }
}
