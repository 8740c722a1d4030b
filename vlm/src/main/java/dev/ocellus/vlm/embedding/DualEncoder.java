package dev.ocellus.vlm.embedding;

import dev.ocellus.ggml.Device;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.vlm.dual.DualArchitecture;
import dev.ocellus.vlm.dual.TextTokens;
import dev.ocellus.vlm.graph.Batches;
import dev.ocellus.vlm.graph.GraphRunner;
import dev.ocellus.vlm.graph.RunnerOptions;
import dev.ocellus.vlm.graph.WeightPlacement;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.model.ModelRegistry;
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
import org.jspecify.annotations.Nullable;

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
 * <p>Thread-safe; preparing goes on side by side, computing one batch at a time, whose items are
 * divided among the threads.
 */
public final class DualEncoder implements Embedder {
  /** Rows of a thread's share, which keep the kernels busy; more need memory and give no speed. */
  private static final int SHARE_ROWS = 512;

  /** Rows that all shares of a batch may have together. */
  private static final int MAX_ROWS = 4096;

  /** Texts come in a few lengths and images in one, each alone and in full batches. */
  private static final int MAX_PLANS = 8;

  private final Path path;
  private final GraphRunner runner;
  private final DualArchitecture architecture;
  private final @Nullable String modelType;

  private DualEncoder(Path path, EmbeddingOptions options) throws IOException {
    this.path = path;
    modelType = options.modelType();
    runner =
        GraphRunner.open(
            path,
            new RunnerOptions(
                options.nThreads(),
                options.useGpu(),
                options.precision(),
                options.accelerator(),
                MAX_PLANS,
                WeightPlacement.PACKED));
    try {
      architecture =
          modelType == null
              ? ModelRegistry.dualEncoder(runner.file(), runner.weights())
              : ModelRegistry.dualEncoder(runner.file(), runner.weights(), modelType);
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
      String named = file.metadata().string("clip.model_type", "clip");
      boolean other = modelType != null && !modelType.equals(named);
      return other ? file.identity() + "+" + modelType : file.identity();
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
    return embedTokens(tokenize(texts));
  }

  /**
   * The vectors of texts that were {@linkplain #tokenize tokenized}, of length 1, in their order.
   */
  public List<float[]> embedTokens(List<TextTokens> texts) {
    return tokenFeatures(texts).stream().map(Vectors::normalized).toList();
  }

  /**
   * The vectors of images as the projection gives them, in their order.
   *
   * @throws dev.ocellus.vlm.image.ImageFormatException if the model takes no image of its size
   */
  public List<float[]> imageFeatures(List<RgbImage> images) {
    return imageVectors(images.stream().map(this::prepare).toList());
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
        tiles,
        Tiles::shape,
        images -> itemsAtOnce(images.gridX() * images.gridY()),
        batch -> new ImageBatch(architecture.images(), batch).run(runner));
  }

  /**
   * Items of a batch: the same number for every thread where there are enough of them.
   *
   * @param rows of an item
   */
  private int itemsAtOnce(int rows) {
    int nShares = runner.nShares();
    int each = Math.min(SHARE_ROWS, MAX_ROWS / nShares) / rows;
    if (each > 0) {
      return each * nShares;
    }
    return (long) rows * nShares <= MAX_ROWS ? nShares : Math.max(1, SHARE_ROWS / rows);
  }

  /** The vectors of texts as the projection gives them, in their order. */
  public List<float[]> textFeatures(List<String> texts) {
    return tokenFeatures(tokenize(texts));
  }

  /**
   * The vectors of texts that were {@linkplain #tokenize tokenized} as the projection gives them,
   * in their order.
   */
  public List<float[]> tokenFeatures(List<TextTokens> tokens) {
    return Batches.mapped(
        tokens,
        TextTokens::length,
        text -> itemsAtOnce(text.length()),
        batch -> new TextBatch(architecture.texts(), batch).run(runner));
  }

  /** A text as the text encoder takes it. */
  public TextTokens tokenize(String text) {
    return architecture.texts().prepare(text);
  }

  /** Texts as the text encoder takes them. */
  public List<TextTokens> tokenize(List<String> texts) {
    return texts.stream().map(this::tokenize).toList();
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

  /**
   * Named stages of encoding an image, for comparing them with a reference.
   *
   * @param names which, or none for all
   */
  public Map<String, float[]> stages(RgbImage image, List<String> names) {
    return stages(new ImageBatch(architecture.images(), List.of(prepare(image))), names);
  }

  /**
   * Named stages of encoding a text, for comparing them with a reference.
   *
   * @param names which, or none for all
   */
  public Map<String, float[]> stages(String text, List<String> names) {
    return stages(new TextBatch(architecture.texts(), List.of(tokenize(text))), names);
  }

  private Map<String, float[]> stages(FeatureBatch one, List<String> names) {
    return runner.intermediates(graph -> one.define(graph, 1), run -> one.set(run, 0, 1), names);
  }

  @Override
  public void close() {
    runner.close();
  }
}
