package dev.ocellus.cli;

import dev.ocellus.vlm.Answer;
import dev.ocellus.vlm.AnswerListener;
import dev.ocellus.vlm.ChatSession;
import dev.ocellus.vlm.Content;
import dev.ocellus.vlm.GenerationOptions;
import dev.ocellus.vlm.Message;
import dev.ocellus.vlm.Role;
import dev.ocellus.vlm.StopReason;
import dev.ocellus.vlm.image.ImageDecoder;
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
  private final Verb verb;
  private final PrintStream out;
  private final ChatSession session;
  private final VideoMixin video;
  private final Progress progress;
  private final Interrupt interrupt;
  private final ReplCommands commands;
  private final List<Content> pending = new ArrayList<>();
  private GenerationOptions options;
  private @Nullable Answer last;
  private boolean failed;

  Repl(
      Verb verb,
      ChatSession session,
      GenerationOptions options,
      VideoMixin video,
      Progress progress,
      Interrupt interrupt) {
    this.verb = verb;
    this.out = verb.io().out();
    this.session = session;
    this.options = options;
    this.video = video;
    this.progress = progress;
    this.interrupt = interrupt;
    this.commands = new ReplCommands(this);
  }

  /**
   * Talks until the input ends.
   *
   * @param images pictures for the first question
   * @return the exit code: with typed input always 0, with piped input 1 if a turn failed
   */
  int run(List<Path> images) throws IOException {
    Io io = verb.io();
    boolean typed = io.inTerminal() && io.outTerminal();
    for (Path image : images) {
      attach(image);
    }
    for (Path path : video.paths) {
      attachVideo(path);
    }
    if (typed) {
      verb.note("/help tells the commands, Ctrl-C stops an answer, Ctrl-D ends");
    }
    try (LineInput input =
        typed
            ? LineInput.terminal(io, interrupt, ReplCommands.names())
            : LineInput.piped(io, interrupt)) {
      input.onInterrupt(session::cancel);
      boolean goOn = true;
      while (goOn) {
        String line = input.read(prompt());
        goOn = line != null && accept(line.strip());
      }
    }
    return !typed && failed ? ExitCode.FAILED : ExitCode.OK;
  }

  private String prompt() {
    return pending.isEmpty() ? "> " : "[%d picture(s)] > ".formatted(pending.size());
  }

  /** Does what a line says; false to end. */
  private boolean accept(String line) {
    if (line.isEmpty()) {
      return true;
    }
    try {
      if (line.startsWith("/") && !line.startsWith("//")) {
        return commands.run(line);
      }
      ask(line.startsWith("//") ? line.substring(1) : line);
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
    PrintStream err = verb.io().err();
    err.println("ocellus: error: " + (message != null ? message : "unexpected: " + e));
    if (verb.output.stacktrace) {
      e.printStackTrace(err);
    }
    err.flush();
  }

  private void ask(String text) {
    List<Content> parts = new ArrayList<>(pending);
    parts.add(new Content.Text(text));
    Message question = new Message(Role.USER, parts);
    answer(List.of(question), talk -> session.send(question, options, talk));
    pending.clear();
  }

  /** Answers the last question anew. */
  void regenerate() {
    List<Message> history = session.history();
    int question = history.size() - 1;
    while (question >= 0 && history.get(question).role() != Role.USER) {
      question--;
    }
    if (question < 0) {
      throw new IllegalArgumentException("there is no question to answer again");
    }
    List<Message> upTo = history.subList(0, question + 1);
    answer(upTo, talk -> session.complete(upTo, options, talk));
  }

  private interface Turn {
    Answer run(AnswerListener listener);
  }

  private void answer(List<Message> messages, Turn turn) {
    Talk talk = new Talk(progress, out, true);
    talk.begin(messages);
    Answer answer;
    try {
      answer = turn.run(talk);
    } finally {
      talk.end();
    }
    last = answer;
    if (answer.stopReason() == StopReason.CANCELLED) {
      verb.note("stopped");
    } else if (answer.stopReason() == StopReason.CONTEXT) {
      verb.note("the context is full; /clear or /undo makes room, and -c gives more");
    }
    if (verb.output.verbose) {
      verb.note(Talk.statistics(answer));
    }
  }

  /** Adds a picture to the next question. */
  void attach(Path path) throws IOException {
    requireEncoder();
    pending.add(
        new Content.Image(ImageDecoder.decode(path), path.toAbsolutePath().normalize().toString()));
  }

  /** Adds a video to the next question, read with the options of the command line. */
  Content.Video attachVideo(Path path) throws IOException {
    requireEncoder();
    Content.Video content = video.read(path);
    session.model().requireTakes(content);
    pending.add(content);
    return content;
  }

  private void requireEncoder() {
    if (session.model().encoder().isEmpty()) {
      throw new IllegalArgumentException(
          "no image encoder is loaded; start again with --mmproj to talk about pictures");
    }
  }

  /** Takes back pictures of the next question, and reports whether there were any. */
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
