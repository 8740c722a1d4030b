package dev.ocellus.vlm.encoder;

import dev.ocellus.compute.Accelerator;
import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.compute.MatrixPrecision;
import dev.ocellus.compute.Turns;
import dev.ocellus.ggml.Device;
import dev.ocellus.ggml.MatMulObserver;
import dev.ocellus.vlm.chat.ImageReport;
import dev.ocellus.vlm.graph.Floats;
import dev.ocellus.vlm.graph.GraphRunner;
import dev.ocellus.vlm.graph.RunnerOptions;
import dev.ocellus.vlm.graph.WeightPlacement;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.Visual;
import dev.ocellus.vlm.model.ModelRegistry;
import dev.ocellus.vlm.vision.EncoderGraph;
import dev.ocellus.vlm.vision.ImageInput;
import dev.ocellus.vlm.vision.ImageOptions;
import dev.ocellus.vlm.vision.InstructionGraph;
import dev.ocellus.vlm.vision.Tiles;
import dev.ocellus.vlm.vision.VisionArchitecture;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * An image encoder with its projector, from an mmproj file.
 *
 * <p>Thread-safe; images are encoded one batch at a time.
 */
public final class VisionEncoder implements AutoCloseable {
  /** What tiles have in common that go together: shape of one, and patches across and down. */
  private record Shape(List<Long> sizes, int gridX, int gridY) {
    static Shape of(Tiles tiles) {
      int nSizes = Math.min(3, tiles.shape().size());
      return new Shape(tiles.shape().subList(0, nSizes), tiles.gridX(), tiles.gridY());
    }
  }

  /**
   * Memory for intermediates that several tiles may share. Measured, more tiles at once are not
   * faster than one for each thread: a tile has hundreds of rows, which keep the kernels busy
   * (docs/benchmarks.md).
   */
  static final long DEFAULT_COMPUTE_BYTES = 256L << 20;

  private final Path path;
  private final GraphRunner runner;
  private final VisionArchitecture architecture;
  private final @Nullable InstructionStage instructions;
  private final long computeBytes;
  private final Map<Shape, Integer> tilesAtOnce = new HashMap<>(); // guarded by this

  private VisionEncoder(Path path, RunnerOptions options, long computeBytes) throws IOException {
    this.path = path;
    this.computeBytes = computeBytes;
    runner = GraphRunner.open(path, options.withWeights(WeightPlacement.IN_FILE));
    try {
      architecture = ModelRegistry.imageEncoder(runner.file(), runner.weights());
      InstructionGraph second = architecture.instructions();
      instructions =
          second == null
              ? null
              : new InstructionStage(runner, second, architecture.graph().width());
      runner.load();
    } catch (Throwable e) {
      runner.close();
      throw e;
    }
  }

  /**
   * Opens an mmproj file.
   *
   * @param nThreads threads to compute with on the CPU
   * @param useGpu whether to use a graphics processor if there is one
   * @throws IOException if the file cannot be read
   * @throws dev.ocellus.OcellusException if it is damaged, no mmproj, or of an unknown kind
   */
  public static VisionEncoder open(Path path, int nThreads, boolean useGpu) throws IOException {
    return open(path, nThreads, useGpu, MatrixPrecision.EXACT);
  }

  /**
   * Opens an mmproj file.
   *
   * @param precision how activations are multiplied with weights on a CPU
   * @see #open(Path, int, boolean)
   */
  public static VisionEncoder open(
      Path path, int nThreads, boolean useGpu, MatrixPrecision precision) throws IOException {
    return open(path, nThreads, useGpu, precision, DEFAULT_COMPUTE_BYTES);
  }

  /**
   * Opens an mmproj file.
   *
   * @param computeBytes memory for intermediates that tiles may share when several go through the
   *     encoder together; one tile may need more
   * @see #open(Path, int, boolean)
   */
  public static VisionEncoder open(
      Path path, int nThreads, boolean useGpu, MatrixPrecision precision, long computeBytes)
      throws IOException {
    var options = RunnerOptions.cpu(nThreads).withGpu(useGpu).withPrecision(precision);
    return new VisionEncoder(path, options, computeBytes);
  }

  /**
   * Opens an mmproj file.
   *
   * @param accelerator what multiplies large matrices of floats on a CPU
   * @see #open(Path, int, boolean, MatrixPrecision)
   */
  public static VisionEncoder open(
      Path path, int nThreads, boolean useGpu, MatrixPrecision precision, Accelerator accelerator)
      throws IOException {
    var options =
        RunnerOptions.cpu(nThreads)
            .withGpu(useGpu)
            .withPrecision(precision)
            .withAccelerator(accelerator);
    return new VisionEncoder(path, options, DEFAULT_COMPUTE_BYTES);
  }

  public Path path() {
    return path;
  }

  public VisionArchitecture architecture() {
    return architecture;
  }

  /** Where the encoder computes. */
  public Device device() {
    return runner.device();
  }

  /** Bytes of weights that are used where the file is mapped, without a copy. */
  public long mappedBytes() {
    return runner.mappedBytes();
  }

  /**
   * Lets somebody watch the products of weights and activations from now on, which makes encoding
   * slower.
   */
  public void observe(MatMulObserver observer) {
    runner.observe(observer);
  }

  /**
   * Lets this have the processor in turns with the steps of a text model. Before the first image is
   * encoded.
   */
  public void takeTurns(Turns turns) {
    runner.takeTurns(turns);
  }

  /** Resizes and normalizes an image as the model's reference does. */
  public ImageInput prepare(RgbImage image) {
    return prepare(image, ImageOptions.DEFAULT);
  }

  /**
   * Prepares an image or a video, of which frames are taken as the model's reference does.
   *
   * @param options where the model leaves a choice
   * @throws dev.ocellus.vlm.vision.UnsupportedContentException if the model takes no videos, or
   *     cannot do as the options say
   */
  public ImageInput prepare(Visual visual, ImageOptions options) {
    return architecture.prepare(visual, options);
  }

  /**
   * What the encoder sees of an image.
   *
   * @param input what {@link #prepare(Visual, ImageOptions)} made of it with these options
   */
  public ImageReport report(RgbImage image, ImageInput input, ImageOptions options) {
    List<ImageSize> tiles = new ArrayList<>();
    input.tiles().forEach(t -> tiles.addAll(Collections.nCopies(t.nImages(), t.size())));
    return new ImageReport(
        image.size(),
        tiles,
        input.gridX(),
        input.gridY(),
        input.nTokens(),
        architecture.preprocessor().fit(image.size(), input, options));
  }

  /** Encodes one image. */
  public ImageEmbeddings encode(ImageInput image) {
    return encode(List.of(image), new CancellationFlag()).getFirst();
  }

  /**
   * Encodes images; tiles of one shape go through the encoder together, as many at once as fit into
   * the memory for intermediates.
   *
   * @return embeddings in the order of the images
   */
  public synchronized List<ImageEmbeddings> encode(List<ImageInput> images, CancellationFlag flag) {
    Map<Tiles, float[]> embeddings = encodeTiles(images, flag);
    List<ImageEmbeddings> results = new ArrayList<>();
    for (ImageInput image : images) {
      float[] arranged = architecture.graph().arrange(image, joined(image, embeddings));
      float[] values = instructions == null ? arranged : instructions.encode(image, arranged, flag);
      results.add(new ImageEmbeddings(values, image.nTokens(), architecture.width()));
    }
    runner.releaseWeights(); // the text model is next, and needs memory
    return results;
  }

  /**
   * The embeddings of an image row by row as layers of the text model read them: themselves, but
   * for families whose text model attends to the states of an image (Llama 3.2 Vision), of which an
   * embedding holds all; there one row for each state, and nothing else.
   *
   * @param embeddings what {@link #encode(ImageInput)} gave
   */
  public ImageEmbeddings states(ImageEmbeddings embeddings) {
    int width = architecture.graph().stateWidth();
    int nStates = embeddings.width() / width;
    if (width == embeddings.width()) {
      return embeddings;
    }
    float[] states = new float[embeddings.nTokens() * nStates * width];
    for (int i = 0; i < embeddings.nTokens(); i++) {
      System.arraycopy(
          embeddings.values(),
          i * embeddings.width(),
          states,
          i * nStates * width,
          nStates * width);
    }
    return new ImageEmbeddings(states, embeddings.nTokens() * nStates, width);
  }

  private Map<Tiles, float[]> encodeTiles(List<ImageInput> images, CancellationFlag flag) {
    // tiles that differ in count only go together; the count is the last of four sizes
    Map<Shape, List<Tiles>> alike = new LinkedHashMap<>();
    for (ImageInput image : images) {
      for (Tiles tiles : image.tiles()) {
        alike.computeIfAbsent(Shape.of(tiles), k -> new ArrayList<>()).add(tiles);
      }
    }
    Map<Tiles, float[]> embeddings = new IdentityHashMap<>();
    alike.values().forEach(tiles -> encodeAlike(tiles, embeddings, flag));
    return embeddings;
  }

  private static float[] joined(ImageInput image, Map<Tiles, float[]> embeddings) {
    List<float[]> parts = image.tiles().stream().map(embeddings::get).toList();
    return Floats.concat(parts);
  }

  private void encodeAlike(
      List<Tiles> alike, Map<Tiles, float[]> embeddings, CancellationFlag flag) {
    Tiles first = alike.getFirst();
    if (first.shape().size() < 4) {
      alike.forEach(tiles -> compute(new TileQueue(List.of(tiles)), 1, embeddings, flag));
      return;
    }
    var queue = new TileQueue(alike);
    for (int count : queue.batches(queue.size() == 1 ? 1 : tilesAtOnce(first))) {
      compute(queue, count, embeddings, flag);
    }
  }

  /** How many tiles like these fit into the memory for intermediates together; at least one. */
  private int tilesAtOnce(Tiles tiles) {
    return tilesAtOnce.computeIfAbsent(
        Shape.of(tiles),
        shape -> {
          long one = bytesNeeded(tiles.withCount(1));
          long more = Math.max(1, bytesNeeded(tiles.withCount(2)) - one);
          int together = tilesAtOnce(one, more, 1);
          int nShares = runner.nShares();
          return together < nShares
              ? together
              : Math.max(tilesAtOnce(one, more, nShares), nShares - 1);
        });
  }

  /** The same where they are divided into shares, each of which takes what one tile does. */
  private int tilesAtOnce(long one, long more, int nShares) {
    return (int) Math.clamp(nShares + (computeBytes - nShares * one) / more, 1, 1 << 16);
  }

  private long bytesNeeded(Tiles tiles) {
    return runner.bytesNeeded(graph -> TileBatch.define(architecture, graph, tiles));
  }

  /** Bytes that are held for intermediates, for the last images and those before. */
  public long computeBufferBytes() {
    return runner.bufferBytes();
  }

  private void compute(
      TileQueue queue, int count, Map<Tiles, float[]> embeddings, CancellationFlag flag) {
    var batch = new TileBatch(architecture, queue, queue.next(count), embeddings);
    runner.run(batch, count, flag);
  }

  /**
   * Encodes an image's first tiles and gives out intermediates, for comparing layers with a
   * reference.
   *
   * @param names names that the architecture gives its tensors
   * @return for each name its values, innermost dimension first
   */
  public Map<String, float[]> intermediates(ImageInput image, List<String> names) {
    Tiles tiles = image.tiles().getFirst();
    if (instructions == null) {
      return runner.intermediates(
          graph -> TileBatch.define(architecture, graph, tiles),
          run -> run.set(EncoderGraph.PIXELS, tiles.pixels()),
          names);
    }
    Map<String, float[]> values =
        new LinkedHashMap<>(
            runner.intermediates(
                graph -> TileBatch.define(architecture, graph, tiles),
                run -> run.set(EncoderGraph.PIXELS, tiles.pixels()),
                List.of()));
    float[] states = joined(image, encodeTiles(List.of(image), new CancellationFlag()));
    values.putAll(instructions.intermediates(image, states));
    if (!names.isEmpty()) {
      values.keySet().retainAll(names);
    }
    return values;
  }

  /** The same for all names that the architecture gives, in the order in which it does. */
  public Map<String, float[]> intermediates(ImageInput image) {
    return intermediates(image, List.of());
  }

  /** Frees everything; waits for a running computation. */
  @Override
  public synchronized void close() {
    runner.close();
  }
}
