package dev.ocellus.cli.chat;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.OcellusException;
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
import dev.ocellus.cli.terminal.PngFiles;
import dev.ocellus.cli.terminal.Progress;
import dev.ocellus.vlm.ChatSession;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.Content;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.chat.Role;
import dev.ocellus.vlm.chat.StopReason;
import dev.ocellus.vlm.encoder.VisionEncoder;
import dev.ocellus.vlm.grounding.Region;
import dev.ocellus.vlm.grounding.RegionDrawing;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.Visual;
import dev.ocellus.vlm.json.AnswerJson;
import dev.ocellus.vlm.options.SessionOptions;
import dev.ocellus.vlm.vision.ImageOptions;
import dev.ocellus.vlm.vision.UnsupportedContentException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** One answer about each image. */
@Command(
    name = "describe",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    header = DescribeCommand.HEADER,
    description =
        "Answers with the likeliest tokens unless sampling options say otherwise. Several images are described one by one.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  ocellus describe docs/pictures/red-circle.png",
      "  ocellus describe -p \"How many shapes are there?\" a.png b.png",
      "  ocellus describe -m model.gguf --mmproj mmproj.gguf --json photo.jpg",
      "",
      "Exit codes: 0 all described, 1 an image or the model failed, 2 wrong command line, 130 Ctrl-C."
    })
public final class DescribeCommand extends OcellusCommand {
  /** What it does, in one line. */
  public static final String HEADER = "Describes images, or answers one question about each.";

  @Parameters(
      paramLabel = "IMAGE",
      arity = "0..*",
      description =
          "Images, PDF documents or TIFF files of several pages: paths, file: URLs, or - for standard input.")
  List<ImageSource> images = new ArrayList<>();

  @Option(
      names = {"-p", "--prompt"},
      paramLabel = "TEXT",
      description =
          "The question. Default: \"Describe the image.\" For models that caption images: the"
              + " beginning of the caption. Default: none.")
  @Nullable String prompt;

  @Option(
      names = {"-sys", "--system", "--system-prompt"},
      paramLabel = "TEXT",
      description = "System message.")
  @Nullable String system;

  @Mixin TaskMixin tasks = new TaskMixin();

  @Option(
      names = "--boxes",
      description =
          "Read boxes and points from the answer, in pixels of the image: \"regions\" of --json, lines else.")
  boolean boxes;

  @Option(
      names = "--draw",
      paramLabel = "FILE.png",
      description = "Draw them onto a copy of the image; for one image. Implies --boxes.")
  @Nullable Path draw;

  @Mixin PagesMixin pages = new PagesMixin();
  @Mixin SeenImagesMixin seen = new SeenImagesMixin();
  @Mixin VideoMixin video = new VideoMixin();
  @Mixin ModelMixin model = new ModelMixin();
  @Mixin SessionMixin sessions = new SessionMixin();
  @Mixin GenerationMixin generation = new GenerationMixin();

  public DescribeCommand(Io io) {
    super(io);
  }

  @Override
  protected int run() throws IOException {
    var unused = checked(() -> generation.applyOnce(GenerationOptions.greedy()));
    SessionOptions sessionOptions = checked(sessions::options);
    if (images.isEmpty() && video.paths.isEmpty()) {
      throw usage("Missing required parameter: 'IMAGE' (or --video)");
    }
    images = pages.expand(this, images);
    if (draw != null && !(isOne() && video.paths.isEmpty())) {
      throw usage("--draw takes one image");
    }
    // Read before a model is loaded for nothing, and once: a pipe has no second time.
    Content.Image only = isOne() && !images.isEmpty() ? images.getFirst().read(io()) : null;
    Optional<ImageWriter> writer;
    try (var progress = progress()) {
      writer = ImageWriter.open(this, model, progress);
    }
    if (writer.isPresent()) {
      requireNoneOfChats();
      try (ImageWriter opened = writer.get()) {
        return new WriterRun(this, opened, generation)
            .describe(images, video, only, system, prompt);
      }
    }
    try (var interrupt = new Interrupt();
        var progress = progress();
        var opened =
            ModelOpener.open(
                this, model.loadOptions(this).withSessions(sessionOptions), progress, interrupt);
        var session = opened.newChat()) {
      interrupt.onInterrupt(session::cancel);
      model.noteLimits(this, opened.encoder());
      if (boxes || draw != null) {
        opened.requireCoordinates();
      }
      GenerationOptions options = checked(() -> generation.applyOnce(base(opened)));
      return describeAll(only, opened, session, options, progress, interrupt);
    }
  }

  /** As the model's checkpoint asks for, else the likeliest tokens. */
  private static GenerationOptions base(VisionLanguageModel opened) {
    GenerationOptions own = opened.defaultOptions();
    return own.equals(GenerationOptions.defaults()) ? GenerationOptions.greedy() : own;
  }

  private int describeAll(
      Content.@Nullable Image only,
      VisionLanguageModel opened,
      ChatSession session,
      GenerationOptions options,
      Progress progress,
      Interrupt interrupt)
      throws IOException {
    ArrayNode results = Json.array();
    int code = ExitCode.OK;
    int count = images.size() + video.paths.size();
    for (int i = 0; i < count; i++) {
      boolean isVideo = i >= images.size();
      String name = (isVideo ? video.paths.get(i - images.size()) : images.get(i)).toString();
      ObjectNode result = Json.object().put(isVideo ? "video" : "image", name);
      try {
        Content shown =
            isVideo
                ? video.read(video.paths.get(i - images.size()))
                : only != null ? only : images.get(i).read(io());
        AnswerPrinter printer = new AnswerPrinter(progress, io().out(), !printsJson());
        Answer answer = describe(name, shown, question(opened, shown), session, options, printer);
        result.setAll(printer.json(this, opened, options, answer));
        if (shown instanceof Content.Image image) {
          afterwards(opened, answer, image.image(), result);
        }
        save(opened, shown, i, result);
        if (isVerbose()) {
          note(AnswerPrinter.statistics(answer));
        }
        if (answer.stopReason() == StopReason.CANCELLED) {
          interrupt.check();
        }
      } catch (IOException | OcellusException e) {
        if (isOne()) {
          throw e;
        }
        result.put("error", failed(name, e));
        code = ExitCode.FAILED;
      }
      results.add(result);
    }
    if (printsJson()) {
      printJson(results);
    }
    return code;
  }

  private void requireNoneOfChats() {
    if (boxes || draw != null || seen.isAsked() || tasks.isGiven()) {
      throw new UnsupportedContentException(
          "--task, --boxes, --draw and --save-preprocessed are for models that chat; this one only writes about images.");
    }
  }

  /** What is asked for besides the answer. */
  private void afterwards(
      VisionLanguageModel opened, Answer answer, RgbImage image, ObjectNode result)
      throws IOException {
    opened
        .taskResult(answer, image)
        .ifPresent(found -> result.set("task_result", AnswerJson.taskResult(found)));
    if (boxes || draw != null) {
      List<Region> regions = opened.regions(answer, image);
      result.set("regions", AnswerJson.regions(regions));
      if (!printsJson()) {
        regions.forEach(region -> io().out().println(shown(region)));
      }
      if (draw != null) {
        PngFiles.write(draw, RegionDrawing.draw(image, regions));
      }
    }
  }

  /** What the encoder got, if somebody asks for it. */
  private void save(VisionLanguageModel opened, Content shown, int index, ObjectNode result)
      throws IOException {
    VisionEncoder encoder = opened.encoder().orElse(null);
    Visual visual = shown.visual();
    if (seen.isAsked() && encoder != null && visual != null) {
      ImageOptions options = opened.options().vision().images();
      result.set("preprocessed", seen.save(encoder, visual, options, index));
    }
  }

  private static String shown(Region region) {
    String points =
        region.points().stream().map(p -> p.x() + "," + p.y()).collect(Collectors.joining(" "));
    String kind = region.kind().name().toLowerCase(Locale.ROOT);
    return "%s %s %s".formatted(kind, points, region.label()).strip();
  }

  private boolean isOne() {
    return images.size() + video.paths.size() == 1;
  }

  private String question(VisionLanguageModel opened, Content shown) {
    return tasks
        .question(this, opened, prompt, shown)
        .orElse(prompt == null ? "Describe the image." : prompt);
  }

  private Answer describe(
      String name,
      Content shown,
      String question,
      ChatSession session,
      GenerationOptions options,
      AnswerPrinter printer) {
    List<Message> messages = new ArrayList<>();
    if (system != null) {
      messages.add(Message.system(system));
    }
    messages.add(new Message(Role.USER, List.of(shown, new Content.Text(question))));
    if (!isOne() && !printsJson()) {
      io().out().print(name + ": ");
      io().out().flush();
    }
    printer.begin(messages);
    try {
      return session.complete(messages, options, printer);
    } finally {
      printer.end();
    }
  }
}
