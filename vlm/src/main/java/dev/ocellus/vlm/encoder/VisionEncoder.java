package dev.ocellus.vlm.encoder;

import dev.ocellus.ggml.Backend;
import dev.ocellus.ggml.CancellationFlag;
import dev.ocellus.ggml.Device;
import dev.ocellus.ggml.Ggml;
import dev.ocellus.ggml.Graph;
import dev.ocellus.ggml.GraphBuilder;
import dev.ocellus.ggml.MatMulObserver;
import dev.ocellus.ggml.MatrixPrecision;
import dev.ocellus.ggml.Scheduler;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.WeightStore;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.Video;
import dev.ocellus.vlm.image.Visual;
import dev.ocellus.vlm.model.Architectures;
import dev.ocellus.vlm.vision.EncoderGraph;
import dev.ocellus.vlm.vision.ImageInput;
import dev.ocellus.vlm.vision.ImageOptions;
import dev.ocellus.vlm.vision.Tiles;
import dev.ocellus.vlm.vision.VisionArchitecture;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * An image encoder with its projector, from an mmproj file.
 *
 * <p>Thread-safe; images are encoded one batch at a time.
 */
public final class VisionEncoder implements AutoCloseable {
  /** What a graph depends on: shape of the tiles, and patches across and down. */
  private record Shape(List<Long> sizes, int gridX, int gridY) {
    static Shape of(Tiles tiles) {
      return new Shape(tiles.shape(), tiles.gridX(), tiles.gridY());
    }

    static Shape ofOneTile(Tiles tiles) {
      int nSizes = Math.min(3, tiles.shape().size());
      return new Shape(tiles.shape().subList(0, nSizes), tiles.gridX(), tiles.gridY());
    }
  }

  private record Plan(Shape shape, Graph graph, EncoderGraph inputs, Tensor output)
      implements AutoCloseable {
    @Override
    public void close() {
      graph.close();
    }
  }

  /**
   * Memory for intermediates that several tiles may share. Measured, more tiles at once are not
   * faster: a tile has hundreds of rows, which keep the kernels busy (docs/benchmarks.md).
   */
  static final long DEFAULT_COMPUTE_BYTES = 256L << 20;

  private final Deque<AutoCloseable> owned = new ArrayDeque<>();
  private final Path path;
  private final WeightStore store;
  private final VisionArchitecture architecture;
  private final Backend[] backends;
  private final Scheduler scheduler;
  private final Device device;
  private final long computeBytes;
  private final Map<Shape, Integer> tilesAtOnce = new HashMap<>(); // guarded by this
  private @Nullable Plan lastPlan; // guarded by this
  private boolean closed;

  private VisionEncoder(
      Path path, int nThreads, boolean useGpu, MatrixPrecision precision, long computeBytes)
      throws IOException {
    this.path = path;
    this.computeBytes = computeBytes;
    try {
      Ggml.initialize();
      GgufFile file = own(GgufFile.open(path));
      file.requireReadableByGgml();
      List<Backend> used = new ArrayList<>();
      if (useGpu && !Device.gpus().isEmpty()) {
        used.add(own(new Backend(Device.gpus().getFirst(), 1)));
      }
      used.add(own(new Backend(Device.cpu(), nThreads)));
      backends = used.toArray(Backend[]::new);
      device = backends[0].device();
      store = own(new WeightStore(file, backends[0], precision));
      architecture = Architectures.of(file, store.weights());
      store.load();
      scheduler = own(new Scheduler(backends));
    } catch (Throwable e) {
      close();
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
    return new VisionEncoder(path, nThreads, useGpu, precision, computeBytes);
  }

  private <T extends AutoCloseable> T own(T resource) {
    owned.push(resource);
    return resource;
  }

  public Path path() {
    return path;
  }

  public VisionArchitecture architecture() {
    return architecture;
  }

  /** Where the encoder computes. */
  public Device device() {
    return device;
  }

  /** Bytes of weights that are used where the file is mapped, without a copy. */
  public long mappedBytes() {
    return store.mappedBytes();
  }

  /**
   * Lets somebody watch the products of weights and activations from now on, which makes encoding
   * slower.
   */
  public void observe(MatMulObserver observer) {
    requireOpen();
    scheduler.observe(observer);
  }

  /** Resizes and normalizes an image as the model's reference does. */
  public ImageInput prepare(RgbImage image) {
    return architecture.prepare(image);
  }

  /**
   * The same with options, where the model leaves a choice.
   *
   * @throws dev.ocellus.vlm.vision.UnsupportedContentException if the model cannot do as they say
   */
  public ImageInput prepare(RgbImage image, ImageOptions options) {
    Architectures.require(architecture, options);
    return architecture.prepare(image, options);
  }

  /** Prepares an image or a video, of which frames are taken as the model's reference does. */
  public ImageInput prepare(Visual visual, ImageOptions options) {
    return switch (visual) {
      case RgbImage image -> prepare(image, options);
      case Video video -> architecture.prepare(video, options);
    };
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
    requireOpen();
    // tiles that differ in number only go together; the number is the last of four sizes
    Map<Shape, List<Tiles>> alike = new LinkedHashMap<>();
    for (ImageInput image : images) {
      for (Tiles tiles : image.tiles()) {
        alike.computeIfAbsent(Shape.ofOneTile(tiles), k -> new ArrayList<>()).add(tiles);
      }
    }
    Map<Tiles, float[]> rows = new IdentityHashMap<>();
    alike.values().forEach(tiles -> encodeAlike(tiles, rows, flag));
    List<ImageEmbeddings> results = new ArrayList<>();
    for (ImageInput image : images) {
      float[] arranged = architecture.arrange(image, joined(image, rows));
      results.add(new ImageEmbeddings(arranged, image.nTokens(), architecture.width()));
    }
    return results;
  }

  private static float[] joined(ImageInput image, Map<Tiles, float[]> rows) {
    List<float[]> parts = image.tiles().stream().map(rows::get).toList();
    return parts.size() == 1 ? parts.getFirst() : Floats.concat(parts);
  }

  private void encodeAlike(List<Tiles> alike, Map<Tiles, float[]> rows, CancellationFlag flag) {
    Tiles first = alike.getFirst();
    if (first.shape().size() < 4) {
      alike.forEach(tiles -> rows.put(tiles, compute(tiles, flag)));
      return;
    }
    var queue = new TileQueue(alike);
    List<float[]> results = new ArrayList<>();
    for (int count : queue.batches(queue.size() == 1 ? 1 : tilesAtOnce(first))) {
      results.add(compute(queue.next(count), flag));
    }
    queue.distribute(Floats.concat(results), rows);
  }

  /** How many tiles like these fit into the memory for intermediates together; at least one. */
  private int tilesAtOnce(Tiles tiles) {
    return tilesAtOnce.computeIfAbsent(
        Shape.ofOneTile(tiles),
        shape -> {
          long one = bytesNeeded(tiles.withNumber(1));
          long more = bytesNeeded(tiles.withNumber(2)) - one;
          return (int) Math.clamp(1 + (computeBytes - one) / Math.max(1, more), 1, 1 << 16);
        });
  }

  private long bytesNeeded(Tiles tiles) {
    try (Plan plan = build(tiles, false);
        var measuring = new Scheduler(backends)) {
      return measuring.bytesNeeded(plan.graph());
    }
  }

  /** Bytes that are held for intermediates, for the last images and those before. */
  public synchronized long computeBufferBytes() {
    requireOpen();
    return scheduler.bufferBytes();
  }

  private float[] compute(Tiles tiles, CancellationFlag flag) {
    Plan plan = plan(tiles);
    try (var computation = scheduler.start(plan.graph())) {
      plan.inputs().fill(computation);
      return computation
          .set(plan.inputs().pixels(), tiles.pixels())
          .compute(flag)
          .get(plan.output());
    }
  }

  /** The plan for a shape. The last one is kept; the scheduler has memory for one only. */
  private Plan plan(Tiles tiles) {
    if (lastPlan == null || !lastPlan.shape().equals(Shape.of(tiles))) {
      dropPlan();
      lastPlan = build(tiles, false);
    }
    return lastPlan;
  }

  private void dropPlan() {
    if (lastPlan != null) {
      scheduler.forget(lastPlan.graph());
      lastPlan.close();
      lastPlan = null;
    }
  }

  private Plan build(Tiles tiles, boolean keepNamed) {
    try (var builder = new GraphBuilder()) {
      if (keepNamed) {
        builder.keepNamed();
      }
      EncoderGraph inputs = new EncoderGraph(builder, tiles);
      Tensor output = architecture.forward(inputs);
      return new Plan(Shape.of(tiles), builder.build(output), inputs, output);
    }
  }

  /**
   * Encodes an image's first tiles and gives out intermediates, for comparing layers with a
   * reference.
   *
   * @param names names that the architecture gives its tensors
   * @return for each name its values, innermost dimension first
   */
  public Map<String, float[]> intermediates(ImageInput image, List<String> names) {
    return intermediates(image, graph -> names);
  }

  /** The same for all names that the architecture gives, in the order in which it does. */
  public Map<String, float[]> intermediates(ImageInput image) {
    return intermediates(image, Graph::names);
  }

  private synchronized Map<String, float[]> intermediates(
      ImageInput image, Function<Graph, List<String>> names) {
    requireOpen();
    Tiles tiles = image.tiles().getFirst();
    Map<String, float[]> values = new LinkedHashMap<>();
    // of its own, since a scheduler gives a graph that looks like the last one the same memory, and
    // in that one intermediates were overwritten
    try (Plan plan = build(tiles, true);
        var fresh = new Scheduler(backends);
        var computation = fresh.start(plan.graph())) {
      plan.inputs().fill(computation);
      computation.set(plan.inputs().pixels(), tiles.pixels()).compute();
      for (String name : names.apply(plan.graph())) {
        values.put(name, computation.get(plan.graph().named(name)));
      }
    }
    return values;
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("VisionEncoder has been closed");
    }
  }

  /** Frees everything; waits for a running computation. */
  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    while (!owned.isEmpty()) {
      AutoCloseable resource = owned.pop();
      if (resource instanceof WeightStore && lastPlan != null) {
        lastPlan.close(); // after the scheduler, which knows it
      }
      try {
        resource.close();
      } catch (RuntimeException e) {
        throw e;
      } catch (Exception e) {
        throw new IllegalStateException("could not close " + resource, e);
      }
    }
  }
}
