package dev.ocellus.cli.search;

import dev.ocellus.cli.command.OcellusCommand;
import dev.ocellus.cli.command.Version;
import dev.ocellus.cli.options.ImageSource;
import dev.ocellus.cli.search.EmbedWriter.Entry;
import dev.ocellus.cli.search.EmbedWriter.Space;
import dev.ocellus.cli.terminal.ExitCode;
import dev.ocellus.cli.terminal.Interrupt;
import dev.ocellus.cli.terminal.Io;
import dev.ocellus.cli.terminal.Progress;
import dev.ocellus.cli.terminal.TextInput;
import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.compute.ComputationCancelledException;
import dev.ocellus.vlm.dual.TextTokens;
import dev.ocellus.vlm.embedding.DualEncoder;
import dev.ocellus.vlm.embedding.EmbeddingStream;
import dev.ocellus.vlm.embedding.ImageEmbedding;
import dev.ocellus.vlm.embedding.ImageReader;
import dev.ocellus.vlm.embedding.StreamOptions;
import dev.ocellus.vlm.embedding.VisionLanguageEmbedder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Images and texts to vectors of one space. */
@Command(
    name = "embed",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    header = EmbedCommand.HEADER,
    description = {
      "Vectors of images first, then those of texts, each in the order given. Their product is the cosine: near 1 where image and text belong together.",
      "Prints a JSON object a line, with --json one object for all; with -o, writes an .npy file of float32, [vectors, dimension], CSV or JSON. Any number of images is taken: the next ones are read while some are encoded.",
      "Qwen3-VL-Embedding (-m and --mmproj, or the folder of its checkpoint) also embeds images together with texts, for a purpose (--instruction).",
      "An image that cannot be read is reported and the others are embedded all the same: it has \"error\" in JSON, empty fields in CSV and a row of NaN in .npy, and the exit code is 1."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  ocellus embed -m clip-vit-base-patch32 --image a.png b.jpg --text \"a dog\" --json",
      "  ocellus embed -m clip.gguf --image photos/*.jpg -o photos.npy",
      "  ocellus embed -m Qwen3-VL-Embedding-2B --image a.png --text \"a red bicycle\" --together --json",
      "  find photos -name '*.jpg' | ocellus embed -m clip.gguf --images - -o photos.csv",
      "",
      "Exit codes: 0 all written, 1 failed, 2 wrong command line, 130 Ctrl-C."
    })
public final class EmbedCommand extends OcellusCommand {
  /** What it does, in one line. */
  public static final String HEADER = "Embeds images and texts with a dual encoder such as CLIP.";

  private static final int TEXTS_AT_ONCE = 256;

  @Option(
      names = "--image",
      paramLabel = "FILE",
      arity = "1..*",
      description = "Images: paths, file: URLs, or - for standard input.")
  List<ImageSource> images = new ArrayList<>();

  @Option(
      names = "--images",
      paramLabel = "FILE",
      description = "A file with an image a line, after those of --image; - for standard input.")
  @Nullable String imageFile;

  @Option(names = "--text", paramLabel = "TEXT", arity = "1..*", description = "Texts.")
  List<String> texts = new ArrayList<>();

  @Option(
      names = "--texts",
      paramLabel = "FILE",
      description = "A file with a text a line, after those of --text; - for standard input.")
  @Nullable String textFile;

  @Option(
      names = {"-o", "--out"},
      paramLabel = "FILE",
      description =
          "Write to a file, which is there when it is whole; its name tells the format: .npy, .csv, .jsonl or .json.")
  @Nullable Path out;

  @Option(
      names = "--format",
      paramLabel = "npy|csv|jsonl|json",
      description = "What to write, whatever the file is called; csv also without -o.")
  @Nullable EmbedFormat format;

  @Option(
      names = "--no-normalize",
      description = "Vectors as the projection gives them, not of length 1.")
  boolean noNormalize;

  @Option(
      names = "--instruction",
      paramLabel = "TEXT",
      description =
          "For Qwen3-VL-Embedding: what the vectors are for. Default: Represent the user's input.")
  String instruction = "";

  @Option(
      names = "--together",
      description =
          "For Qwen3-VL-Embedding: each image together with its text, or with the only text, is one"
              + " input.")
  boolean together;

  @Mixin DualMixin model = new DualMixin();
  @Mixin EmbedderMixin embedder = new EmbedderMixin();

  private boolean failed;

  public EmbedCommand(Io io) {
    super(io);
  }

  @Override
  protected int run() throws IOException {
    images.addAll(lines(imageFile).map(ImageSource::new).toList());
    texts.addAll(lines(textFile).toList());
    if (images.isEmpty() && texts.isEmpty()) {
      throw usage("nothing to embed; give --image or --text, or a file with --images or --texts");
    }
    EmbedFormat chosen = format();
    if (embedder.takes(model)) {
      return embedInputs(chosen);
    }
    embedder.requireNone(this);
    if (!instruction.isEmpty() || together) {
      throw EmbedderMixin.notFor(this, "--instruction and --together");
    }
    try (var interrupt = new Interrupt();
        var progress = progress();
        DualEncoder encoder = model.open(this);
        EmbeddingStream<ImageSource> stream = stream(encoder)) {
      interrupt.onInterrupt(stream::close);
      List<TextTokens> tokens = encoder.tokenize(texts);
      noteCut(texts, encoder.contextLength(), i -> tokens.get(i).nDropped());
      Entries entries = new Entries(encoder, stream, progress, tokens);
      write(new EmbedWriter(Space.of(encoder), entries), chosen, images.size() + texts.size());
      interrupt.check();
    }
    return failed ? ExitCode.FAILED : ExitCode.OK;
  }

  private void write(EmbedWriter writer, EmbedFormat chosen, int count) throws IOException {
    if (out == null) {
      writer.print(io().out(), chosen);
    } else {
      writer.write(out, chosen, count);
    }
  }

  private int embedInputs(EmbedFormat chosen) throws IOException {
    CancellationFlag flag = new CancellationFlag();
    try (var interrupt = new Interrupt();
        var progress = progress();
        VisionLanguageEmbedder opened = embedder.open(this, model)) {
      interrupt.onInterrupt(flag::cancel);
      var inputs = new EmbedInputs(this, opened, flag, progress);
      try {
        write(new EmbedWriter(new Space(opened.dimension(), 1, 0), inputs), chosen, inputs.size());
      } catch (ComputationCancelledException e) {
        interrupt.check();
        throw e;
      }
      return inputs.failed() ? ExitCode.FAILED : ExitCode.OK;
    }
  }

  private Stream<String> lines(@Nullable String file) throws IOException {
    return file == null
        ? Stream.of()
        : TextInput.read(io(), file).lines().filter(line -> !line.isBlank());
  }

  private EmbedFormat format() {
    Path file = out;
    if (file == null) {
      if (format == EmbedFormat.npy) {
        throw usage("--format npy needs a file: -o FILE");
      }
      return printsJson() ? EmbedFormat.json : format != null ? format : EmbedFormat.jsonl;
    }
    if (format != null) {
      return format;
    }
    if (!String.valueOf(file.getFileName()).contains(".")) {
      return EmbedFormat.npy;
    }
    return EmbedFormat.of(file)
        .orElseThrow(() ->
            usage(
                "the name of '%s' does not tell what to write; give --format (%s)"
                    .formatted(file, EmbedFormat.names())));
  }

  private EmbeddingStream<ImageSource> stream(DualEncoder encoder) {
    StreamOptions options = StreamOptions.defaults();
    ImageReader<ImageSource> reader = source -> source.read(io()).image();
    return noNormalize
        ? encoder.imageFeatures(images.iterator(), reader, options)
        : encoder.embedImages(images.iterator(), reader, options);
  }

  /** Images first, then texts. */
  private final class Entries implements Iterator<Entry> {
    private final DualEncoder encoder;
    private final EmbeddingStream<ImageSource> stream;
    private final Progress progress;
    private final long begun = System.nanoTime();
    private final List<TextTokens> tokens;
    private final Deque<Entry> encoded = new ArrayDeque<>();
    private int nImages;
    private int nTexts;

    Entries(
        DualEncoder encoder,
        EmbeddingStream<ImageSource> stream,
        Progress progress,
        List<TextTokens> tokens) {
      this.encoder = encoder;
      this.stream = stream;
      this.progress = progress;
      this.tokens = tokens;
    }

    @Override
    public boolean hasNext() {
      return stream.hasNext() || !encoded.isEmpty() || nTexts < texts.size();
    }

    @Override
    public Entry next() {
      if (stream.hasNext()) {
        return image();
      }
      progress.done();
      if (encoded.isEmpty()) {
        encodeTexts();
      }
      return encoded.removeFirst();
    }

    private void encodeTexts() {
      int end = Math.min(nTexts + TEXTS_AT_ONCE, texts.size());
      List<TextTokens> batch = tokens.subList(nTexts, end);
      List<float[]> vectors =
          noNormalize ? encoder.tokenFeatures(batch) : encoder.embedTokens(batch);
      for (float[] vector : vectors) {
        encoded.add(new Entry("text", texts.get(nTexts++), vector, null));
      }
    }

    private Entry image() {
      progress.report(
          "encoding image %d of %d%s"
              .formatted(nImages + 1, images.size(), Progress.rate(nImages, begun, "images")),
          (double) nImages++ / images.size());
      return switch (stream.next()) {
        case ImageEmbedding.Vector<ImageSource> v ->
            new Entry("image", v.item().toString(), v.vector(), null);
        case ImageEmbedding.Failure<ImageSource> f -> failure(f.item().toString(), f.cause());
      };
    }

    /** Of one image alone it is the failure of the command, of several it is told. */
    private Entry failure(String image, Exception cause) {
      if (images.size() + texts.size() == 1) {
        throw cause instanceof IOException e
            ? new UncheckedIOException(e)
            : (RuntimeException) cause;
      }
      failed = true;
      return new Entry("image", image, null, failed(image, cause));
    }
  }
}
