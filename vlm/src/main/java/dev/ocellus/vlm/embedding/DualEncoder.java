package dev.ocellus.vlm.embedding;

import dev.ocellus.ggml.Device;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.vlm.dual.DualArchitecture;
import dev.ocellus.vlm.dual.TextTokens;
import dev.ocellus.vlm.graph.Batches;
import dev.ocellus.vlm.graph.Floats;
import dev.ocellus.vlm.graph.GraphDefinition;
import dev.ocellus.vlm.graph.GraphRun;
import dev.ocellus.vlm.graph.GraphRunner;
import dev.ocellus.vlm.graph.ModelGraph;
import dev.ocellus.vlm.graph.RunnerOptions;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.model.ModelRegistry;
import dev.ocellus.vlm.nn.AttentionMask;
import dev.ocellus.vlm.vision.EncoderGraph;
import dev.ocellus.vlm.vision.Tiles;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * An encoder of images and one of texts, whose vectors are near each other where image and text
 * belong together.
 *
 * <pre>{@code
 * try (DualEncoder clip = DualEncoder.open(Path.of("clip.gguf"))) {
 *   float[] image = clip.embedImage(ImageDecoder.decode(Path.of("beach.jpg")));
 *   float[] text = clip.embedText("two dogs on a beach");
 *   double cosine = Vectors.dot(image, text);
 * }
 * }</pre>
 *
 * <p>Vectors have length 1; {@link #imageFeatures} and {@link #textFeatures} give them as the
 * projections leave them. A vector does not depend on what is encoded beside it.
 *
 * <p>Thread-safe; preparing goes on side by side, computing one batch at a time.
 */
public final class DualEncoder implements Embedder {
  private static final String FEATURES = "features";
  private static final String IDS = "ids";
  private static final String POOLED = "pooled";
  private static final String PADDING = "padding";

  /** Rows of a batch, which keep the kernels busy; more need memory and give no speed. */
  private static final int ROWS_AT_ONCE = 512;

  /** Texts come in a few lengths and images in one, each alone and in full batches. */
  private static final int MAX_PLANS = 8;

  private final Path path;
  private final GraphRunner runner;
  private final DualArchitecture architecture;

  private DualEncoder(Path path, EmbeddingOptions options) throws IOException {
    this.path = path;
    runner =
        GraphRunner.open(
            path,
            new RunnerOptions(
                options.nThreads(),
                options.useGpu(),
                options.precision(),
                options.accelerator(),
                MAX_PLANS));
    try {
      architecture = ModelRegistry.dualEncoder(runner.file(), runner.weights());
      runner.load();
    } catch (Throwable e) {
      runner.close();
      throw e;
    }
  }

  /**
   * Opens a GGUF file or a checkpoint's folder as {@link EmbeddingOptions#defaults()} say.
   *
   * @see #open(Path, EmbeddingOptions)
   */
  public static DualEncoder open(Path path) throws IOException {
    return open(path, EmbeddingOptions.defaults());
  }

  /**
   * Opens a GGUF file, one that {@code dev.ocellus.convert} makes of a checkpoint or one of
   * clip.cpp's with both encoders; or a folder in HuggingFace's or open_clip's layout, which a
   * {@link CheckpointConverter} converts first.
   *
   * @throws IOException if the file cannot be read
   * @throws dev.ocellus.vlm.model.WrongModelKindException if it is another kind of model
   * @throws dev.ocellus.OcellusException if it is damaged or of an unknown family
   */
  public static DualEncoder open(Path path, EmbeddingOptions options) throws IOException {
    return new DualEncoder(Files.isDirectory(path) ? converted(path) : path, options);
  }

  private static Path converted(Path folder) throws IOException {
    for (CheckpointConverter converter : ServiceLoader.load(CheckpointConverter.class)) {
      if (converter.isCheckpoint(folder)) {
        return converter.dualEncoder(folder);
      }
      throw new FileSystemException(
          folder.toString(),
          null,
          "is a folder without config.json or open_clip_config.json; give a GGUF file or the folder"
              + " of a checkpoint");
    }
    throw new FileSystemException(
        folder.toString(),
        null,
        "is a folder, and no converter of checkpoints is there; add the module"
            + " dev.ocellus.quantize, or give a GGUF file");
  }

  @Override
  public Path path() {
    return path;
  }

  /** The family and its parts. */
  public DualArchitecture architecture() {
    return architecture;
  }

  @Override
  public int dimension() {
    return architecture.dimension();
  }

  @Override
  public String identity() throws IOException {
    try (GgufFile file = GgufFile.open(path)) {
      return file.identity();
    }
  }

  @Override
  public int nDropped(String text) {
    return tokenize(text).nDropped();
  }

  /** Most tokens of a text; longer ones are cut. */
  public int contextLength() {
    return architecture.texts().contextLength();
  }

  /** What cosines are multiplied with to become logits. */
  public float logitScale() {
    return architecture.similarity().scale();
  }

  /** What is added to them, 0 for models without one. */
  public float logitBias() {
    return architecture.similarity().bias();
  }

  /** Where it computes. */
  public Device device() {
    return runner.device();
  }

  @Override
  public float[] embedImage(RgbImage image) {
    return embedImages(List.of(image)).getFirst();
  }

  /** The vectors of images, of length 1, in their order. */
  public List<float[]> embedImages(List<RgbImage> images) {
    return imageFeatures(images).stream().map(Vectors::normalized).toList();
  }

  @Override
  public float[] embedText(String text) {
    return embedTexts(List.of(text)).getFirst();
  }

  /** The vectors of texts, of length 1, in their order. */
  public List<float[]> embedTexts(List<String> texts) {
    return textFeatures(texts).stream().map(Vectors::normalized).toList();
  }

  /**
   * The vectors of images as the projection gives them, in their order.
   *
   * @throws dev.ocellus.vlm.image.ImageFormatException if the model takes no image of its size
   */
  public List<float[]> imageFeatures(List<RgbImage> images) {
    return imageVectors(images.stream().map(architecture.images()::prepare).toList());
  }

  /**
   * The vectors of images that were {@linkplain #prepare prepared}, of length 1, in their order.
   */
  public List<float[]> embedPrepared(List<Tiles> images) {
    return imageVectors(images).stream().map(Vectors::normalized).toList();
  }

  /**
   * The vectors of any number of images, of length 1, in their order; the next ones are read while
   * some are encoded.
   *
   * <pre>{@code
   * try (var vectors = clip.embedImages(paths.iterator(), ImageDecoder::decode)) {
   *   while (vectors.hasNext()) {
   *     switch (vectors.next()) {
   *       case ImageEmbedding.Vector<Path> v -> store(v.item(), v.vector());
   *       case ImageEmbedding.Failure<Path> f -> report(f.item(), f.cause());
   *     }
   *   }
   * }
   * }</pre>
   *
   * @param reader called by several threads at once
   */
  public <T> EmbeddingStream<T> embedImages(
      Iterator<? extends T> images, ImageReader<? super T> reader) {
    return embedImages(images, reader, StreamOptions.defaults());
  }

  @Override
  public <T> EmbeddingStream<T> embedImages(
      Iterator<? extends T> images, ImageReader<? super T> reader, StreamOptions options) {
    return stream(images, reader, options, this::embedPrepared);
  }

  /**
   * The vectors of any number of images as the projection gives them, in their order.
   *
   * @see #embedImages(Iterator, ImageReader)
   */
  public <T> EmbeddingStream<T> imageFeatures(
      Iterator<? extends T> images, ImageReader<? super T> reader, StreamOptions options) {
    return stream(images, reader, options, this::imageVectors);
  }

  private <T> EmbeddingStream<T> stream(
      Iterator<? extends T> images,
      ImageReader<? super T> reader,
      StreamOptions options,
      Function<List<Tiles>, List<float[]>> encoding) {
    return new EmbeddingStream<>(
        new ReadAhead<>(new TileStage(this, encoding), images, reader, options));
  }

  private List<float[]> imageVectors(List<Tiles> tiles) {
    return Batches.mapped(
        tiles, Tiles::shape, t -> t.gridX() * t.gridY(), ROWS_AT_ONCE, this::runImages);
  }

  /** The vectors of texts as the projection gives them, in their order. */
  public List<float[]> textFeatures(List<String> texts) {
    List<TextTokens> tokens = texts.stream().map(this::tokenize).toList();
    return Batches.mapped(
        tokens, TextTokens::length, TextTokens::length, ROWS_AT_ONCE, this::runTexts);
  }

  /** A text as the text encoder takes it. */
  public TextTokens tokenize(String text) {
    return architecture.texts().prepare(text);
  }

  /** An image as the image encoder takes it. */
  public Tiles prepare(RgbImage image) {
    return architecture.images().prepare(image);
  }

  /**
   * Compares images with labels. The texts are encoded once, here.
   *
   * @param labels at least one
   * @param templates texts in which {@code {}} stands for a label, such as {@code a photo of a {}};
   *     of several the vectors are averaged. None to take the labels as they are.
   * @throws IllegalArgumentException if there is no label, or a template without {@code {}}
   */
  public ZeroShotClassifier classifier(List<String> labels, List<String> templates) {
    return ZeroShotClassifier.of(this, labels, templates);
  }

  /**
   * How well labels fit an image.
   *
   * @see #classifier
   */
  public Classification classify(RgbImage image, List<String> labels, List<String> templates) {
    return classifier(labels, templates).classify(image);
  }

  private List<float[]> runImages(List<Tiles> tiles) {
    Tiles batch = tiles.getFirst().withCount(tiles.size());
    GraphDefinition definition = graph -> graph.output(FEATURES, images(graph, batch));
    Object key = List.of("images", batch.shape(), batch.gridX(), batch.gridY());
    try (GraphRun run = runner.start(key, definition)) {
      run.set(EncoderGraph.PIXELS, Floats.concat(tiles.stream().map(Tiles::pixels).toList()));
      return Floats.split(run.compute().get(FEATURES), dimension());
    }
  }

  private Tensor images(ModelGraph graph, Tiles batch) {
    return architecture.images().forward(new EncoderGraph(graph, batch));
  }

  private List<float[]> runTexts(List<TextTokens> texts) {
    int n = texts.getFirst().length();
    int count = texts.size();
    try (GraphRun run = runner.start(List.of("texts", n, count), texts(n, count))) {
      setTexts(run, texts);
      return Floats.split(run.compute().get(FEATURES), dimension());
    }
  }

  private GraphDefinition texts(int n, int count) {
    return graph -> {
      var ids = graph.indices(IDS, (long) n * count, architecture.texts().nTokens());
      var pooled = graph.indices(POOLED, count, (long) n * count);
      var texts = architecture.texts();
      AttentionMask padding =
          texts.masksPadding() ? AttentionMask.of(graph.input(PADDING, n, n, 1, count)) : null;
      graph.output(FEATURES, texts.forward(graph, ids, pooled, n, padding));
    };
  }

  private void setTexts(GraphRun run, List<TextTokens> texts) {
    int n = texts.getFirst().length();
    int[] rows = IntStream.range(0, texts.size()).map(i -> i * n + texts.get(i).pooled()).toArray();
    run.set(IDS, texts.stream().flatMapToInt(t -> IntStream.of(t.ids())).toArray());
    run.set(POOLED, rows);
    if (architecture.texts().masksPadding()) {
      run.set(PADDING, architecture.texts().mask(n, texts));
    }
  }

  /**
   * Named stages of encoding an image, for comparing them with a reference.
   *
   * @param names which, or none for all
   */
  public Map<String, float[]> stages(RgbImage image, List<String> names) {
    Tiles tile = prepare(image);
    return runner.intermediates(
        graph -> graph.output(FEATURES, images(graph, tile)),
        run -> run.set(EncoderGraph.PIXELS, tile.pixels()),
        names);
  }

  /**
   * Named stages of encoding a text, for comparing them with a reference.
   *
   * @param names which, or none for all
   */
  public Map<String, float[]> stages(String text, List<String> names) {
    TextTokens tokens = tokenize(text);
    return runner.intermediates(
        texts(tokens.length(), 1), run -> setTexts(run, List.of(tokens)), names);
  }

  @Override
  public void close() {
    runner.close();
  }
}
