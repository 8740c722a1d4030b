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
import dev.ocellus.cli.terminal.Progress;
import dev.ocellus.io.AtomicFile;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.StopReason;
import dev.ocellus.vlm.encoder.VisionEncoder;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.document.DocumentOptions;
import dev.ocellus.vlm.json.AnswerJson;
import dev.ocellus.vlm.ocr.OcrOptions;
import dev.ocellus.vlm.ocr.PageReader;
import dev.ocellus.vlm.ocr.PageText;
import dev.ocellus.vlm.options.SessionOptions;
import dev.ocellus.vlm.vision.ImageOptions;
import dev.ocellus.vlm.vision.OcrForm;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The text of pages. */
@Command(
    name = "ocr",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    header = OcrCommand.HEADER,
    description =
        "Asks in the words that the authors of the model document (docs/ocr.md); pages are printed as they are read.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  ocellus ocr -m Florence-2-base page.png",
      "  ocellus ocr -m model.gguf --mmproj mmproj.gguf --pages 1-3 letter.pdf",
      "  ocellus ocr -m model.gguf --mmproj mmproj.gguf --outdir texts scans/*.tif",
      "",
      "Exit codes: 0 all read, 1 a page or the model failed, 2 wrong command line, 130 Ctrl-C."
    })
public final class OcrCommand extends OcellusCommand {
  /** What it does, in one line. */
  public static final String HEADER =
      "Reads images, PDF documents and TIFF files as text or Markdown.";

  @Parameters(
      paramLabel = "FILE",
      arity = "1..*",
      description =
          "Images, PDF documents, TIFF files: paths, file: URLs, or - for standard input.")
  List<ImageSource> files = new ArrayList<>();

  @Option(
      names = "--format",
      paramLabel = "text|markdown",
      description = "What is wanted; some models write only one of them. Default: markdown.")
  @Nullable String format;

  @Option(
      names = {"-p", "--prompt"},
      paramLabel = "TEXT",
      description = "Ask this instead of the model's own prompt for pages.")
  @Nullable String prompt;

  @Option(
      names = "--boxes",
      description = "Ask for places where the model gives them: \"regions\" of --json.")
  boolean boxes;

  @Option(
      names = "--no-repeat-guard",
      description = "Do without the model's guard against endless repetition.")
  boolean noGuard;

  @Option(
      names = "--outdir",
      paramLabel = "DIR",
      description = "Write DIR/NAME.txt or .md for each file, instead of standard output.")
  @Nullable Path directory;

  @Mixin PagesMixin pages = new PagesMixin();
  @Mixin SeenImagesMixin seen = new SeenImagesMixin();
  @Mixin ModelMixin model = new ModelMixin();
  @Mixin SessionMixin sessions = new SessionMixin();
  @Mixin GenerationMixin generation = new GenerationMixin();

  public OcrCommand(Io io) {
    super(io);
  }

  @Override
  protected int run() throws IOException {
    var unused = checked(() -> generation.applyOnce(GenerationOptions.greedy()));
    DocumentOptions documents = checked(pages::options);
    OcrForm form = form();
    SessionOptions sessionOptions = checked(sessions::options);
    if (directory != null) {
      requireOwnNames(directory);
    }
    try (var interrupt = new Interrupt();
        var progress = progress();
        var reader = new LazyReader(sessionOptions, form, progress, interrupt)) {
      return new Run(reader, documents, progress, interrupt).all();
    }
  }

  /** Before anything is read: the text of no file may take the place of another's. */
  private void requireOwnNames(Path to) {
    Map<String, ImageSource> taken = new HashMap<>();
    for (ImageSource file : files) {
      ImageSource other = taken.put(name(file), file);
      if (other != null) {
        throw usage(
            "--outdir: %s and %s would both be written to %s; read them in two runs with two folders"
                .formatted(other, file, to.resolve(name(file))));
      }
    }
  }

  /** Of what is written for a file, without its ending. */
  private static String name(ImageSource file) {
    return file.name().equals(ImageSource.STANDARD_INPUT) || file.isInline()
        ? "standard-input"
        : String.valueOf(Path.of(file.name()).getFileName());
  }

  /** Loads the model for the first page that there is, so that files without any cost no time. */
  private final class LazyReader implements AutoCloseable {
    private final SessionOptions sessions;
    private final OcrForm wanted;
    private final Progress progress;
    private final Interrupt interrupt;
    private @Nullable VisionLanguageModel opened;
    private @Nullable PageReader reader;

    LazyReader(SessionOptions sessions, OcrForm wanted, Progress progress, Interrupt interrupt) {
      this.sessions = sessions;
      this.wanted = wanted;
      this.progress = progress;
      this.interrupt = interrupt;
    }

    PageReader get() throws IOException {
      PageReader ready = reader;
      return ready == null ? open() : ready;
    }

    private PageReader open() throws IOException {
      VisionLanguageModel loaded =
          ModelOpener.open(
              OcrCommand.this,
              model.loadOptions(OcrCommand.this).withSessions(sessions),
              progress,
              interrupt);
      opened = loaded;
      model.noteLimits(OcrCommand.this, loaded.encoder());
      PageReader ready = new PageReader(loaded, options(loaded, wanted));
      reader = ready;
      interrupt.onInterrupt(ready::cancel);
      if (ready.form() != wanted && prompt == null) {
        note(
            "this model writes pages as " + ready.form().name().toLowerCase(Locale.ROOT) + " only");
      }
      return ready;
    }

    @Override
    public void close() {
      if (reader != null) {
        reader.close();
      }
      if (opened != null) {
        opened.close();
      }
    }
  }

  private OcrForm form() {
    return switch (format == null ? "markdown" : format) {
      case "text" -> OcrForm.TEXT;
      case "markdown", "md" -> OcrForm.MARKDOWN;
      default -> throw usage("--format: expected text or markdown, found '" + format + "'");
    };
  }

  private OcrOptions options(VisionLanguageModel opened, OcrForm form) {
    GenerationOptions own = opened.defaultOptions();
    GenerationOptions base =
        own.equals(GenerationOptions.defaults()) ? GenerationOptions.greedy() : own;
    return OcrOptions.defaults()
        .withForm(form)
        .withPlaces(boxes)
        .withPrompt(prompt)
        .withGuarded(!noGuard)
        .withGeneration(checked(() -> generation.applyOnce(base)));
  }

  /** One run over all files. */
  private final class Run {
    private final LazyReader model;
    private final DocumentOptions documents;
    private final Progress progress;
    private final Interrupt interrupt;
    private final ArrayNode results = Json.array();
    private boolean printed;
    private int nRead;
    private int code = ExitCode.OK;

    Run(LazyReader model, DocumentOptions documents, Progress progress, Interrupt interrupt) {
      this.model = model;
      this.documents = documents;
      this.progress = progress;
      this.interrupt = interrupt;
    }

    int all() throws IOException {
      for (ImageSource file : files) {
        ObjectNode result = Json.object().put("file", file.toString());
        ArrayNode read = result.putArray("pages");
        StringBuilder text = new StringBuilder();
        for (ImageSource page : open(file, result)) {
          interrupt.check();
          read.add(page(page, text));
        }
        if (directory != null && !text.isEmpty()) {
          write(directory, file, text.toString());
        }
        results.add(result);
      }
      if (printsJson()) {
        printJson(results);
      }
      return code;
    }

    /** The pages of a file; none where it cannot be opened, which is told. */
    private List<ImageSource> open(ImageSource file, ObjectNode result) {
      try {
        return pages.pages(io(), file, documents);
      } catch (IOException | OcellusException e) {
        fail(file.toString(), e, result);
        return List.of();
      }
    }

    private ObjectNode page(ImageSource source, StringBuilder text) throws IOException {
      ObjectNode json = Json.object().put("page", source.page());
      RgbImage image;
      try {
        image = source.read(io()).image();
      } catch (IOException | OcellusException e) {
        fail(source.toString(), e, json);
        return json;
      }
      json.putArray("size").add(image.width()).add(image.height());
      read(source, image, model.get(), text, json);
      save(image, json);
      return json;
    }

    private void read(
        ImageSource source,
        RgbImage image,
        PageReader reader,
        StringBuilder text,
        ObjectNode json) {
      try {
        begin();
        boolean streams = reader.streamsText() && directory == null && !printsJson();
        var printer = new AnswerPrinter(progress, io().out(), streams);
        progress.start("reading " + source);
        PageText page;
        try {
          page = reader.read(image, printer);
        } finally {
          printer.end();
        }
        if (!streams && directory == null && !printsJson()) {
          io().out().println(page.text());
          io().out().flush();
        }
        text.append(text.isEmpty() ? "" : "\n").append(page.text()).append('\n');
        json.put("text", page.text());
        json.set("regions", AnswerJson.regions(page.regions()));
        json.set("image_details", AnswerJson.images(printer.images()));
        json.put("stop_reason", page.answer().stopReason().wireName());
        json.put("completion_tokens", page.answer().usage().completionTokens());
        told(source, page);
      } catch (OcellusException e) {
        fail(source.toString(), e, json);
      }
    }

    /** What the encoder got, if somebody asks for it. */
    private void save(RgbImage image, ObjectNode json) throws IOException {
      VisionLanguageModel opened = model.opened;
      VisionEncoder encoder = opened == null ? null : opened.encoder().orElse(null);
      if (seen.isAsked() && opened != null && encoder != null && !json.has("error")) {
        ImageOptions options = opened.options().vision().images();
        json.set("preprocessed", seen.save(encoder, image, options, nRead));
      }
      nRead++;
    }

    /** An empty line between pages. */
    private void begin() {
      if (printed && directory == null && !printsJson()) {
        io().out().println();
      }
      printed = true;
    }

    private void told(ImageSource source, PageText page) {
      StopReason reason = page.answer().stopReason();
      if (reason == StopReason.CANCELLED) {
        interrupt.check();
      }
      if (reason == StopReason.CONTEXT || reason == StopReason.LENGTH) {
        note(
            "%s was not read to its end: %s"
                .formatted(
                    source,
                    reason == StopReason.CONTEXT
                        ? "the context is full (option -c)"
                        : "the answer has as many tokens as it may have (option -n)"));
      }
      if (isVerbose()) {
        note(AnswerPrinter.statistics(page.answer()));
      }
    }

    private void fail(String name, Exception e, ObjectNode json) {
      progress.done();
      json.put("error", failed(name, e));
      code = ExitCode.FAILED;
    }

    private void write(Path to, ImageSource file, String text) throws IOException {
      Files.createDirectories(to);
      String ending = model.get().form() == OcrForm.TEXT ? ".txt" : ".md";
      Path target = to.resolve(name(file) + ending);
      AtomicFile.write(target, text.getBytes(StandardCharsets.UTF_8));
      note("wrote " + target);
    }
  }
}
