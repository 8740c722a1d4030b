package dev.ocellus.cli.chat;

import dev.ocellus.cli.command.Ranges;
import dev.ocellus.cli.options.ImageSource;
import dev.ocellus.cli.terminal.TextInput;
import dev.ocellus.io.AtomicFile;
import dev.ocellus.llama.Vocab;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.image.ImageLimits;
import dev.ocellus.vlm.json.ImageLoader;
import dev.ocellus.vlm.json.MessagesJson;
import dev.ocellus.vlm.sampling.SamplingOptions;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** The commands of the interactive chat, which start with a slash. */
final class ReplCommands {
  private record Entry(String name, String argument, String description) {}

  private static final List<Entry> ALL =
      List.of(
          new Entry("/image", "PATH", "add an image to the next question"),
          new Entry("/video", "PATH", "add a video: a directory of frames, or an animated GIF"),
          new Entry("/clear", "", "forget the conversation (the system message stays)"),
          new Entry("/undo", "", "take back the last question with its answer"),
          new Entry("/regen", "", "answer the last question again"),
          new Entry(
              "/edit",
              "[#N] [TEXT]",
              "ask another question instead of the last (or the Nth); without a text, edit it"),
          new Entry("/system", "TEXT", "set the system message; without a text, remove it"),
          new Entry(
              "/set", "NAME VALUE", "set an option such as temp, top-k, seed, n; alone: show"),
          new Entry("/stats", "", "tokens and times of the last answer, and the context in use"),
          new Entry("/tokens", "[TEXT]", "tokens of a text; alone, of each message"),
          new Entry(
              "/save", "FILE", "keep the conversation: as JSON in FILE.json, else as a session"),
          new Entry("/load", "FILE", "continue a saved conversation"),
          new Entry("/help", "", "this list"),
          new Entry("/quit", "", "end; so does Ctrl-D"));

  private final Repl repl;

  ReplCommands(Repl repl) {
    this.repl = repl;
  }

  static List<String> names() {
    return ALL.stream().map(Entry::name).toList();
  }

  /** Whether the first word of a line is a command. */
  static boolean isCommand(String line) {
    String word = line.split("\\s", 2)[0];
    return names().contains(word) || List.of("/regenerate", "/exit", "/?").contains(word);
  }

  /** Runs a line; false to end the chat. */
  boolean run(String line) throws IOException {
    int space = line.indexOf(' ');
    String name = space < 0 ? line : line.substring(0, space);
    String argument = space < 0 ? "" : line.substring(space + 1).strip();
    switch (name) {
      case "/image" -> image(argument);
      case "/video" -> video(argument);
      case "/clear" -> clear();
      case "/undo" -> undo();
      case "/regen", "/regenerate" -> repl.regenerate();
      case "/edit" -> edit(argument);
      case "/tokens" -> tokens(argument);
      case "/system" -> system(argument);
      case "/set" -> set(argument);
      case "/stats" -> stats();
      case "/save" -> save(path(argument));
      case "/load" -> load(path(argument));
      case "/help", "/?" -> help();
      case "/quit", "/exit" -> {
        return false;
      }
      default -> throw unknown(name);
    }
    repl.out().flush();
    return true;
  }

  private static IllegalArgumentException unknown(String name) {
    return new IllegalArgumentException(
        "unknown command %s; /help tells those that there are. (A question that starts with a slash is typed with two.)"
            .formatted(name));
  }

  private void image(String argument) throws IOException {
    boolean isUrl = argument.regionMatches(true, 0, "file:", 0, 5);
    repl.attach(new ImageSource(isUrl ? argument : path(argument).toString()));
  }

  private void video(String argument) throws IOException {
    Path path = path(argument);
    var video = repl.attachVideo(path).video();
    repl.out().println("added %s: %d frames".formatted(path, video.nFrames()));
  }

  private void clear() {
    repl.detach();
    repl.session()
        .setHistory(repl.session().history().stream().filter(m -> m.role().instructs()).toList());
  }

  private void undo() {
    if (repl.detach()) {
      repl.out().println("the images for the next question are taken back");
    } else if (repl.session().undo()) {
      repl.out().println("taken back; %d messages left".formatted(repl.session().history().size()));
    } else {
      throw new IllegalArgumentException("there is no question to take back");
    }
  }

  private void system(String text) {
    List<Message> messages = new ArrayList<>();
    if (!text.isEmpty()) {
      messages.add(Message.system(text));
    }
    repl.session().history().stream().filter(m -> !m.role().instructs()).forEach(messages::add);
    repl.session().setHistory(messages);
  }

  /** The options of the command line, by the same names. */
  @Command(name = "/set", mixinStandardHelpOptions = false)
  private static final class Settings {
    @Mixin GenerationMixin generation = new GenerationMixin();
  }

  private void set(String argument) {
    if (argument.isEmpty()) {
      show();
      return;
    }
    String[] words = argument.split("[\\s=]+", 2);
    String name = words[0].replaceFirst("^-+", "").replace('_', '-');
    if (words.length < 2) {
      throw new IllegalArgumentException("expected a name and a value: /set temp 0.7");
    }
    if (name.equals("ignore-eos")) {
      repl.setOptions(repl.options().withIgnoreEos(List.of("on", "true", "1").contains(words[1])));
      show();
      return;
    }
    Settings settings = new Settings();
    try {
      Ranges.check(
          new CommandLine(settings)
              .parseArgs((name.length() == 1 ? "-" : "--") + name + "=" + words[1]));
    } catch (CommandLine.UnmatchedArgumentException e) {
      throw new IllegalArgumentException(
          "no option '%s'; there are those that chat --help tells, such as temp, top-k, seed, n, stop"
              .formatted(name),
          e);
    } catch (CommandLine.ParameterException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
    repl.setOptions(settings.generation.apply(repl.options()));
    repl.out().println(name + " = " + words[1]);
  }

  private void show() {
    GenerationOptions o = repl.options();
    SamplingOptions s = o.sampling();
    repl.out()
        .println(
            String.format(
                Locale.ROOT,
                "n %d, temp %s, top-k %d, top-p %s, min-p %s, repeat-penalty %s, repeat-last-n %d, presence-penalty %s, frequency-penalty %s, seed %s, stop %s, ignore-eos %s",
                o.maxTokens(),
                s.temperature(),
                s.topK(),
                s.topP(),
                s.minP(),
                s.repeatPenalty(),
                s.penaltyLastN(),
                s.presencePenalty(),
                s.frequencyPenalty(),
                s.seed() == -1 ? "random" : String.valueOf(s.seed()),
                o.stop(),
                o.ignoreEos()));
  }

  private void stats() {
    Answer last = repl.last();
    repl.out().println(last == null ? "no answer yet" : AnswerPrinter.statistics(last));
    repl.out()
        .println(
            "context: %d of %d tokens, %d messages"
                .formatted(
                    repl.session().contextUsed(),
                    repl.session().contextSize(),
                    repl.session().history().size()));
    long checkpoints = repl.session().checkpointBytes();
    if (checkpoints > 0) {
      repl.out().println("checkpoints: %.1f MiB".formatted(checkpoints / 1048576.0));
    }
  }

  private void edit(String argument) throws IOException {
    Matcher numbered =
        Pattern.compile("#(\\d{1,6})(?:\\s+(.*))?", Pattern.DOTALL).matcher(argument);
    if (numbered.matches()) {
      int number = Integer.parseInt(numbered.group(1));
      String text = numbered.group(2);
      if (number == 0) {
        throw new IllegalArgumentException("questions are counted from #1");
      }
      repl.edit(number, text == null ? "" : text.strip());
    } else {
      repl.edit(0, argument);
    }
  }

  private void tokens(String text) {
    Vocab vocab = repl.session().model().pipeline().decoder().vocab();
    if (!text.isEmpty()) {
      int[] ids = vocab.tokenize(text, false);
      StringBuilder line = new StringBuilder();
      for (int id : ids) {
        line.append(id)
            .append(" '")
            .append(new String(vocab.piece(id, true), StandardCharsets.UTF_8))
            .append("'  ");
      }
      repl.out().println(line.toString().strip());
      repl.out().println("%d tokens".formatted(ids.length));
      return;
    }
    for (Message message : repl.session().history()) {
      repl.out()
          .println(
              "  %-9s %5d tokens of text%s"
                  .formatted(
                      message.role().wireName(),
                      vocab.tokenize(message.text(), false).length,
                      message.visuals().isEmpty()
                          ? ""
                          : ", %d image(s)".formatted(message.visuals().size())));
    }
    repl.out()
        .println(
            "context: %d of %d tokens"
                .formatted(repl.session().contextUsed(), repl.session().contextSize()));
  }

  private void save(Path path) throws IOException {
    if (!isJson(path)) {
      repl.session().save(path);
      repl.out()
          .println(
              "session of %d messages written to %s"
                  .formatted(repl.session().history().size(), path));
      return;
    }
    AtomicFile.write(
        path, MessagesJson.write(repl.session().history()).getBytes(StandardCharsets.UTF_8));
    repl.out()
        .println("%d messages written to %s".formatted(repl.session().history().size(), path));
  }

  private static boolean isJson(Path path) {
    return path.toString().toLowerCase(Locale.ROOT).endsWith(".json");
  }

  private void load(Path path) throws IOException {
    if (!isJson(path)) {
      repl.session().restore(path);
      repl.out()
          .println(
              "%d messages, %d tokens in the context"
                  .formatted(repl.session().history().size(), repl.session().contextUsed()));
      return;
    }
    Path parent = path.toAbsolutePath().getParent();
    List<Message> messages =
        MessagesJson.parse(
            TextInput.read(path),
            ImageLoader.files(
                parent == null ? Path.of("").toAbsolutePath() : parent, ImageLimits.DEFAULT));
    repl.session().setHistory(messages);
    repl.out().println("%d messages".formatted(messages.size()));
  }

  private void help() {
    for (Entry entry : ALL) {
      repl.out()
          .println(
              "  %-18s %s"
                  .formatted((entry.name + " " + entry.argument).strip(), entry.description));
    }
    repl.out()
        .println(
            """
            A path of an image, dropped or pasted into the line, adds it to the question.
            A line that ends with \\ goes on in the next one; \"""…\""" holds several lines.
            Ctrl-C stops an answer, Ctrl-D ends.\
            """);
  }

  /** A path as people type or drop it: in quotes, with escaped spaces, or from the home. */
  static Path path(@Nullable String typed) {
    String text = typed == null ? "" : typed.strip();
    if (text.isEmpty()) {
      throw new IllegalArgumentException("expected a path after the command");
    }
    char first = text.charAt(0);
    if (text.length() > 1
        && (first == '"' || first == '\'')
        && text.charAt(text.length() - 1) == first) {
      text = text.substring(1, text.length() - 1);
    } else {
      text = text.replace("\\ ", " ");
    }
    if (text.equals("~") || text.startsWith("~/")) {
      text = System.getProperty("user.home", "") + text.substring(1);
    }
    try {
      return Path.of(text);
    } catch (InvalidPathException e) {
      throw new IllegalArgumentException("not a path: " + text, e);
    }
  }
}
