package dev.ocellus.cli.chat;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.cli.command.OcellusCommand;
import dev.ocellus.cli.command.Version;
import dev.ocellus.cli.options.ImageSource;
import dev.ocellus.cli.options.ModelMixin;
import dev.ocellus.cli.options.ModelOpener;
import dev.ocellus.cli.options.SeenImagesMixin;
import dev.ocellus.cli.options.SessionMixin;
import dev.ocellus.cli.terminal.ExitCode;
import dev.ocellus.cli.terminal.Interrupt;
import dev.ocellus.cli.terminal.Io;
import dev.ocellus.cli.terminal.Json;
import dev.ocellus.cli.terminal.Preview;
import dev.ocellus.cli.terminal.Progress;
import dev.ocellus.cli.terminal.TextInput;
import dev.ocellus.vlm.ChatSession;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.Content;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.chat.StopReason;
import dev.ocellus.vlm.encoder.VisionEncoder;
import dev.ocellus.vlm.image.Visual;
import dev.ocellus.vlm.options.OverflowPolicy;
import dev.ocellus.vlm.options.SessionOptions;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** A conversation: interactive, or one answer. */
@Command(
    name = "chat",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    header = ChatCommand.HEADER,
    description =
        "With -p or --messages it gives one answer; otherwise it is interactive (/help lists its commands).",
    footerHeading = "%nExamples:%n",
    footer = {
      "  ocellus chat -m model.gguf --mmproj mmproj.gguf",
      "  ocellus chat --image docs/pictures/seven.png -p \"What number is this?\" --temp 0",
      "  ocellus chat -m model.gguf --mmproj mmproj.gguf --messages chat.json --json",
      "",
      "Exit codes: 0 answered, 1 failed, 2 wrong command line, 130 Ctrl-C."
    })
public final class ChatCommand extends OcellusCommand {
  /** What it does, in one line. */
  public static final String HEADER = "Chats with a model about text and images.";

  @Option(
      names = {"-p", "--prompt"},
      paramLabel = "TEXT",
      description = "Ask this and end after the answer.")
  @Nullable String prompt;

  @Option(
      names = {"-f", "--file"},
      paramLabel = "FILE",
      description = "As -p, with the text of a file (- for standard input).")
  @Nullable String promptFile;

  @Option(
      names = {"--image", "-i"},
      paramLabel = "FILE",
      description =
          "An image, or a PDF document or TIFF file whose pages are images, for the question: a path, a file: URL, or - for standard input; repeatable.")
  List<ImageSource> images = new ArrayList<>();

  @Option(
      names = {"-sys", "--system", "--system-prompt"},
      paramLabel = "TEXT",
      description = "System message.")
  @Nullable String system;

  @Option(
      names = "--messages",
      paramLabel = "FILE",
      description =
          "Answer the conversation of a JSON file in OpenAI's form (- for standard input). Paths of images start from the file's directory.")
  @Nullable String messagesFile;

  @Option(
      names = "--context-full",
      paramLabel = "error|evict",
      description =
          "When the conversation does not fit the context any more: refuse the question, or forget the oldest turns. Default: error.")
  @Nullable String contextFull;

  @Option(names = "--no-preview", description = "Do not show thumbnails.")
  boolean noPreview;

  @Mixin PagesMixin pages = new PagesMixin();
  @Mixin SeenImagesMixin seen = new SeenImagesMixin();
  @Mixin VideoMixin video = new VideoMixin();
  @Mixin ModelMixin model = new ModelMixin();
  @Mixin SessionMixin sessions = new SessionMixin();
  @Mixin GenerationMixin generation = new GenerationMixin();

  public ChatCommand(Io io) {
    super(io);
  }

  @Override
  protected int run() throws IOException {
    boolean once = prompt != null || promptFile != null || messagesFile != null;
    if (prompt != null && promptFile != null) {
      throw usage("-p and -f both give the question; use one of them");
    }
    if (messagesFile != null && system != null) {
      throw usage("--system does not go with --messages; put the system message into the file");
    }
    if (printsJson() && !once) {
      throw usage("--json needs a question: give it with -p, -f or --messages");
    }
    var unused = checked(() -> generation.apply(GenerationOptions.defaults()));
    OverflowPolicy whenFull = checked(this::whenFull);
    SessionOptions sessionOptions = checked(sessions::options).withOverflow(whenFull);
    List<Message> messages = once ? messages() : List.of();
    Optional<ImageWriter> writer;
    try (var progress = progress()) {
      writer = ImageWriter.open(this, model, progress);
    }
    if (writer.isPresent()) {
      try (ImageWriter opened = writer.get()) {
        return new WriterRun(this, opened, generation).chat(once ? messages : messages());
      }
    }
    try (var interrupt = new Interrupt();
        var progress = progress();
        var opened =
            ModelOpener.open(
                this, model.loadOptions(this).withSessions(sessionOptions), progress, interrupt);
        var session = opened.newChat()) {
      model.noteLimits(this, opened.encoder());
      if (once) {
        interrupt.onInterrupt(session::cancel);
        return answer(opened, session, messages, progress);
      }
      if (system != null) {
        session.add(Message.system(system));
      }
      GenerationOptions options = checked(() -> generation.apply(opened.defaultOptions()));
      return new Repl(this, session, options, video, preview(), progress, interrupt)
          .run(pages.expand(this, images));
    }
  }

  private Preview preview() {
    boolean none = noPreview || isQuiet() || !io().outTerminal();
    return none ? Preview.OFF : Preview.of(io().environment());
  }

  private OverflowPolicy whenFull() {
    return switch (contextFull == null ? "error" : contextFull) {
      case "error" -> OverflowPolicy.ERROR;
      case "evict" -> OverflowPolicy.EVICT;
      default ->
          throw new IllegalArgumentException(
              "--context-full: expected error or evict, found '%s'".formatted(contextFull));
    };
  }

  private int answer(
      VisionLanguageModel opened, ChatSession session, List<Message> messages, Progress progress)
      throws IOException {
    GenerationOptions options = checked(() -> generation.applyOnce(opened.defaultOptions()));
    AnswerPrinter printer = new AnswerPrinter(progress, io().out(), !printsJson());
    printer.begin(messages);
    Answer answer;
    try {
      answer = session.complete(messages, options, printer);
    } finally {
      printer.end();
    }
    ArrayNode saved = save(opened, messages);
    if (printsJson()) {
      ObjectNode json = printer.json(this, opened, options, answer);
      json.set("preprocessed", saved);
      printJson(json);
    }
    if (isVerbose()) {
      note(AnswerPrinter.statistics(answer));
    }
    return answer.stopReason() == StopReason.CANCELLED ? ExitCode.INTERRUPTED : ExitCode.OK;
  }

  /** What the encoder got of all images and videos, if somebody asks for it. */
  private ArrayNode save(VisionLanguageModel opened, List<Message> messages) throws IOException {
    ArrayNode names = Json.array();
    VisionEncoder encoder = opened.encoder().orElse(null);
    if (!seen.isAsked() || encoder == null) {
      return names;
    }
    int index = 0;
    for (Message message : messages) {
      for (Visual visual : message.visuals()) {
        names.addAll(seen.save(encoder, visual, opened.options().vision().images(), index));
        index++;
      }
    }
    return names;
  }

  /** The conversation that the options describe. */
  private List<Message> messages() throws IOException {
    List<Message> messages = new ArrayList<>();
    if (messagesFile != null) {
      messages.addAll(TextInput.readMessages(io(), messagesFile));
    }
    if (system != null) {
      messages.add(Message.system(system));
    }
    String text = prompt;
    if (promptFile != null) {
      text = TextInput.read(io(), promptFile);
    }
    if (text != null || !images.isEmpty() || !video.paths.isEmpty()) {
      List<Content> parts = new ArrayList<>();
      for (ImageSource image : pages.expand(this, images)) {
        parts.add(image.read(io()));
      }
      parts.addAll(video.read());
      if (text != null) {
        parts.add(new Content.Text(text));
      }
      messages.add(Message.user(parts));
    }
    return messages;
  }
}
