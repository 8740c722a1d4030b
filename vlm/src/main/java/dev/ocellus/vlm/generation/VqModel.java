package dev.ocellus.vlm.generation;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.vlm.codes.CodeHead;
import dev.ocellus.vlm.codes.CodePrior;
import dev.ocellus.vlm.codes.MapBudget;
import dev.ocellus.vlm.codes.PixelRange;
import dev.ocellus.vlm.codes.VqArchitecture;
import dev.ocellus.vlm.codes.VqGraph;
import dev.ocellus.vlm.graph.GraphDefinition;
import dev.ocellus.vlm.graph.GraphRun;
import dev.ocellus.vlm.graph.ModelGraph;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.model.ModelRegistry;
import dev.ocellus.vlm.model.vq.VqVae;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.BiConsumer;

/**
 * A model that makes codes of images and images of codes, such as VQGAN and VQ-VAE.
 *
 * <pre>{@code
 * try (VqModel vq = VqModel.open(Path.of("vqgan.gguf"), ComputeOptions.defaults())) {
 *   RgbImage image = vq.fit(ImageDecoder.decode(Path.of("beach.jpg")), vq.imageSize());
 *   ImageCodes codes = vq.encode(image);
 *   RgbImage again = vq.decode(codes).image();
 * }
 * }</pre>
 *
 * <p>Thread-safe; one image is computed at a time.
 */
public final class VqModel implements AutoCloseable {
  /** Head and embeddings, or codes with two numbers of keys; and the decoder. */
  private static final int MAX_PLANS = 4;

  /** Bytes of arrays for each pixel of an image: as bytes and as floats, before and after. */
  private static final long HEAP_PER_PIXEL = 40;

  private static final String PIXELS = "pixels";
  private static final String LATENTS = "latents";
  private static final String CODES = "codes";
  private static final String LENGTHS = "lengths";

  private final Graphs<VqArchitecture> graphs;
  private final VqGraph graph;
  private final PixelRange images;

  private VqModel(Graphs<VqArchitecture> graphs) {
    this.graphs = graphs;
    graph = graphs.architecture().graph();
    images = graphs.architecture().images();
  }

  /**
   * Opens a GGUF file that {@code dev.ocellus.convert} makes of a checkpoint.
   *
   * @throws IOException if the file cannot be read
   * @throws dev.ocellus.vlm.model.WrongModelKindException if it is another kind of model
   * @throws dev.ocellus.OcellusException if it is damaged or of an unknown family
   */
  public static VqModel open(Path path, ComputeOptions options) throws IOException {
    return open(path, options, false);
  }

  /**
   * @param draws whether codes are drawn, too, for which several graphs are needed in turn
   */
  static VqModel open(Path path, ComputeOptions options, boolean draws) throws IOException {
    Graphs<VqArchitecture> graphs =
        Graphs.open(path, options, draws ? MAX_PLANS : 1, ModelRegistry::vq);
    boolean hidesWhatIsNoNumber = graphs.architecture().graph() instanceof VqVae; // ReLU does
    return new VqModel(hidesWhatIsNoNumber ? graphs.requireFiniteWeights() : graphs);
  }

  Graphs<VqArchitecture> graphs() {
    return graphs;
  }

  Optional<CodeHead> head() {
    return graphs.architecture().head();
  }

  Optional<CodePrior> prior() {
    return graphs.architecture().prior();
  }

  /** The family, such as {@code taming}. */
  public String family() {
    return graphs.architecture().name();
  }

  /** The file. */
  public Path path() {
    return graphs.path();
  }

  /** Entries of the codebook. */
  public int nCodes() {
    return graph.nCodes();
  }

  /** Pixels for each code, across and down. */
  public int factor() {
    return graph.factor();
  }

  /** Whether there is a decoder; Chameleon's checkpoints in transformers' layout have none. */
  public boolean decodes() {
    return graph.decodes();
  }

  /** The size of images that the model was made for. */
  public ImageSize imageSize() {
    return images.size();
  }

  /**
   * An image in another size, by the rules of the model's own preprocessing.
   *
   * @throws ImageSizeException if the sides are no multiples of {@link #factor}
   * @throws dev.ocellus.compute.OutOfDeviceMemoryException if the model has no room for an image of
   *     this size
   */
  public RgbImage fit(RgbImage image, ImageSize size) {
    requireRoom(size);
    return images.fit(image, size);
  }

  /**
   * Checks that there is memory for an image of a size, its codes and the way back. Nothing of it
   * is allocated.
   *
   * @throws ImageSizeException if the sides are no multiples of {@link #factor}
   * @throws dev.ocellus.compute.OutOfDeviceMemoryException if there is too little
   */
  public void requireRoom(ImageSize size) {
    requireMultiple(size);
    RgbImage.byteCount(size.width(), size.height()); // more than an array holds
    String what = "an image of %s".formatted(size);
    HeapRoom.require(path(), what, HEAP_PER_PIXEL * size.pixels());
    Work encoding = encoding(size.width(), size.height());
    graphs.requireRoom(encoding.key(), what, encoding);
    if (graph.decodes()) {
      Work decoding = decoding(size.width() / graph.factor(), size.height() / graph.factor());
      graphs.requireRoom(decoding.key(), what, decoding);
    }
  }

  /** A graph for maps of a size. */
  private record Work(List<Object> key, MapBudget budget, BiConsumer<ModelGraph, MapBudget> body)
      implements GraphDefinition {
    @Override
    public void define(ModelGraph g) {
      body.accept(g, budget);
    }
  }

  /** The faster way where there is room for it, else the one that holds least. */
  private Work work(
      String kind, int width, int height, BiConsumer<ModelGraph, MapBudget> definition) {
    Work fast = new Work(List.of(kind, width, height, MapBudget.FAST), MapBudget.FAST, definition);
    return graphs.hasRoom(fast.key(), fast)
        ? fast
        : new Work(List.of(kind, width, height, MapBudget.LEAST), MapBudget.LEAST, definition);
  }

  private Work encoding(int width, int height) {
    return work("encode", width, height, (g, budget) -> encoding(g, width, height, budget));
  }

  private Work decoding(int width, int height) {
    return work("decode", width, height, (g, budget) -> decoding(g, width, height, budget));
  }

  private void requireMultiple(ImageSize size) {
    int factor = graph.factor();
    if (size.width() % factor != 0 || size.height() % factor != 0) {
      throw new ImageSizeException(
          "%s: expected sides that are multiples of %d, as one code stands for so many pixels, found %s. The model's own size is %s."
              .formatted(graphs.path(), factor, size, images.size()));
    }
  }

  /** As {@link #encode(RgbImage, CancellationFlag)}. */
  public ImageCodes encode(RgbImage image) {
    return encode(image, new CancellationFlag());
  }

  /**
   * The codes of an image in the size that it has.
   *
   * @throws ImageSizeException if its sides are no multiples of {@link #factor}
   * @throws NotFiniteException if the weights hold numbers that are not finite
   * @throws dev.ocellus.compute.OutOfDeviceMemoryException if there is no room for it
   * @throws dev.ocellus.compute.ComputationCancelledException if {@code flag} was set
   */
  public ImageCodes encode(RgbImage image, CancellationFlag flag) {
    requireMultiple(image.size());
    int width = image.width();
    int height = image.height();
    Work work = encoding(width, height);
    try (GraphRun run = graphs.start(work.key(), "an image of %s".formatted(image.size()), work)) {
      run.set(PIXELS, images.pixels(image)).compute(flag);
      graphs.requireFinite(run.get(LATENTS), "the encoder's output");
      graphs.requireFinite(run.get(LENGTHS), "the length of an entry of the codebook");
      return new ImageCodes(width / graph.factor(), height / graph.factor(), run.getInts(CODES));
    }
  }

  private void encoding(ModelGraph g, int width, int height, MapBudget budget) {
    Tensor latents = graph.latents(g.input(PIXELS, width, height, 3, 1), budget);
    g.output(LATENTS, latents);
    g.output(CODES, graph.quantize(latents));
    g.output(LENGTHS, graph.lengths(latents));
  }

  /**
   * What the encoder gives before it is quantized, for comparing it with a reference.
   *
   * @return [width of the codebook, height, width]
   */
  public float[] latents(RgbImage image) {
    requireMultiple(image.size());
    Work work = encoding(image.width(), image.height());
    try (GraphRun run = graphs.start(work.key(), "an image of %s".formatted(image.size()), work)) {
      return run.set(PIXELS, images.pixels(image)).compute().get(LATENTS);
    }
  }

  /** As {@link #decode(ImageCodes, CancellationFlag)}. */
  public DecodedImage decode(ImageCodes codes) {
    return decode(codes, new CancellationFlag());
  }

  /**
   * The image of codes, of any width and height.
   *
   * @throws IllegalArgumentException if a code is not in the codebook
   * @throws ImageSizeException if the model has no decoder
   * @throws NotFiniteException if the weights hold numbers that are not finite
   * @throws dev.ocellus.compute.OutOfDeviceMemoryException if there is no room for it
   * @throws dev.ocellus.compute.ComputationCancelledException if {@code flag} was set
   */
  public DecodedImage decode(ImageCodes codes, CancellationFlag flag) {
    requireDecoder();
    requireInCodebook(codes);
    int width = codes.width();
    int height = codes.height();
    HeapRoom.require(
        path(),
        "an image of %d x %d codes".formatted(width, height),
        HEAP_PER_PIXEL * graph.factor() * graph.factor() * width * height);
    Work work = decoding(width, height);
    try (GraphRun run =
        graphs.start(work.key(), "an image of %d x %d codes".formatted(width, height), work)) {
      float[] values = run.set(CODES, codes.codes()).compute(flag).get(PIXELS);
      graphs.requireFinite(values, "the decoder's output");
      int factor = graph.factor();
      return new DecodedImage(values, images.image(values, 0, width * factor, height * factor));
    }
  }

  /**
   * The image of the first codes, for showing one that is not finished; gray elsewhere. What is
   * missing is decoded as a copy of what is above it, so that the edge of what is there looks as it
   * will.
   *
   * @param codes of the whole image; those that do not count may be any
   * @param done how many of them count, row by row
   * @throws IllegalArgumentException if {@code done} is not from 0 to the number of codes, and as
   *     {@link #decode(ImageCodes, CancellationFlag)}
   */
  public RgbImage decodePartly(ImageCodes codes, int done, CancellationFlag flag) {
    ImageCodes filled = UnfinishedImages.filled(codes, done);
    return UnfinishedImages.gray(decode(filled, flag).image(), codes.width(), factor(), done);
  }

  private void decoding(ModelGraph g, int width, int height, MapBudget budget) {
    Tensor codes = g.indices(CODES, (long) width * height, graph.nCodes());
    g.output(PIXELS, graph.decode(codes, width, height, 1, budget));
  }

  private void requireDecoder() {
    if (!graph.decodes()) {
      throw new ImageSizeException(
          "%s has no decoder: it makes codes of images, and no images of codes. Take a checkpoint with both halves."
              .formatted(graphs.path()));
    }
  }

  private void requireInCodebook(ImageCodes codes) {
    int[] all = codes.codes();
    for (int i = 0; i < all.length; i++) {
      if (all[i] < 0 || all[i] >= graph.nCodes()) {
        throw new IllegalArgumentException(
            "codes: expected numbers from 0 to %d, as the codebook of %s has %d entries, found %d at place %d"
                .formatted(graph.nCodes() - 1, graphs.path(), graph.nCodes(), all[i], i));
      }
    }
  }

  /** Frees everything; waits for what is being computed. */
  @Override
  public void close() {
    graphs.close();
  }
}
