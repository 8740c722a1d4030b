package dev.ocellus.vlm;

import dev.ocellus.ggml.Backend;
import dev.ocellus.ggml.CancellationFlag;
import dev.ocellus.ggml.Device;
import dev.ocellus.ggml.Ggml;
import dev.ocellus.ggml.Graph;
import dev.ocellus.ggml.GraphBuilder;
import dev.ocellus.ggml.Scheduler;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.WeightStore;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.model.Architectures;
import dev.ocellus.vlm.model.ImageInput;
import dev.ocellus.vlm.model.VisionArchitecture;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
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
  /** Graphs kept, by shape. Pictures of most models have only one shape. */
  private static final int MAX_GRAPHS = 8;

  private record Shape(int width, int height, int nTiles) {}

  private record Plan(Graph graph, Tensor pixels, Tensor output) implements AutoCloseable {
    @Override
    public void close() {
      graph.close();
    }
  }

  private final Deque<AutoCloseable> owned = new ArrayDeque<>();
  private final Path path;
  private final WeightStore store;
  private final VisionArchitecture architecture;
  private final Scheduler scheduler;
  private final Device device;
  private final Map<Shape, Plan> plans = new LinkedHashMap<>(16, 0.75f, true);
  private boolean closed;

  private VisionEncoder(Path path, int nThreads, boolean useGpu) throws IOException {
    this.path = path;
    try {
      Ggml.initialize();
      GgufFile file = own(GgufFile.open(path));
      file.requireReadableByGgml();
      List<Backend> backends = new ArrayList<>();
      if (useGpu && !Device.gpus().isEmpty()) {
        backends.add(own(new Backend(Device.gpus().getFirst(), 1)));
      }
      backends.add(own(new Backend(Device.cpu(), nThreads)));
      device = backends.getFirst().device();
      store = own(new WeightStore(file, backends.getFirst()));
      architecture = Architectures.of(file, store.weights());
      store.load();
      scheduler = own(new Scheduler(architecture.maxNodes(), backends.toArray(Backend[]::new)));
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
    return new VisionEncoder(path, nThreads, useGpu);
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

  /** Resizes and normalizes a picture as the model's reference does. */
  public ImageInput prepare(RgbImage image) {
    return architecture.prepare(image);
  }

  /** Encodes one picture. */
  public ImageEmbeddings encode(ImageInput image) {
    return encode(List.of(image), new CancellationFlag()).getFirst();
  }

  /**
   * Encodes pictures; those of one shape go through the encoder together.
   *
   * @return embeddings in the order of the pictures
   */
  public synchronized List<ImageEmbeddings> encode(List<ImageInput> images, CancellationFlag flag) {
    requireOpen();
    @Nullable ImageEmbeddings[] results = new @Nullable ImageEmbeddings[images.size()];
    Map<List<Integer>, List<Integer>> groups = new LinkedHashMap<>();
    for (int i = 0; i < images.size(); i++) {
      ImageInput image = images.get(i);
      groups.computeIfAbsent(List.of(image.width(), image.height()), k -> new ArrayList<>()).add(i);
    }
    for (List<Integer> group : groups.values()) {
      encodeGroup(images, group, results, flag);
    }
    List<ImageEmbeddings> list = new ArrayList<>();
    for (ImageEmbeddings result : results) {
      if (result != null) {
        list.add(result);
      }
    }
    return list;
  }

  private void encodeGroup(
      List<ImageInput> images,
      List<Integer> group,
      @Nullable ImageEmbeddings[] results,
      CancellationFlag flag) {
    ImageInput any = images.get(group.getFirst());
    int nTiles = group.stream().mapToInt(i -> images.get(i).nTiles()).sum();
    Plan plan = plan(new Shape(any.width(), any.height(), nTiles));
    float[] pixels = any.pixels();
    if (group.size() > 1) {
      pixels = new float[3 * any.width() * any.height() * nTiles];
      int at = 0;
      for (int i : group) {
        float[] own = images.get(i).pixels();
        System.arraycopy(own, 0, pixels, at, own.length);
        at += own.length;
      }
    }
    float[] rows;
    try (var computation = scheduler.start(plan.graph())) {
      rows = computation.set(plan.pixels(), pixels).compute(flag).get(plan.output());
    }
    int perTile = (int) plan.output().size(1) * architecture.width();
    int at = 0;
    for (int i : group) {
      int length = perTile * images.get(i).nTiles();
      results[i] =
          new ImageEmbeddings(
              group.size() == 1 ? rows : Arrays.copyOfRange(rows, at, at + length),
              images.get(i).nTokens(),
              architecture.width());
      at += length;
    }
  }

  private Plan plan(Shape shape) {
    Plan known = plans.get(shape);
    if (known != null) {
      return known;
    }
    if (plans.size() >= MAX_GRAPHS) {
      var oldest = plans.entrySet().iterator();
      Plan evicted = oldest.next().getValue();
      oldest.remove();
      scheduler.forget(evicted.graph());
      evicted.close();
    }
    Plan made = build(shape, false);
    plans.put(shape, made);
    return made;
  }

  private Plan build(Shape shape, boolean keepNamed) {
    try (var builder = new GraphBuilder(architecture.maxNodes())) {
      if (keepNamed) {
        builder.keepNamed();
      }
      Tensor pixels = builder.input("pixels", shape.width, shape.height, 3, shape.nTiles);
      Tensor output = architecture.forward(pixels);
      return new Plan(builder.build(output), pixels, output);
    }
  }

  /**
   * Encodes one picture and gives out intermediates, for comparing layers with a reference.
   *
   * @param names names that the architecture gives its tensors
   * @return for each name its values, innermost dimension first
   */
  public synchronized Map<String, float[]> intermediates(ImageInput image, List<String> names) {
    requireOpen();
    Map<String, float[]> values = new LinkedHashMap<>();
    try (Plan plan = build(new Shape(image.width(), image.height(), image.nTiles()), true);
        var computation = scheduler.start(plan.graph())) {
      computation.set(plan.pixels(), image.pixels()).compute();
      for (String name : names) {
        values.put(name, computation.get(plan.graph().named(name)));
      }
      scheduler.forget(plan.graph());
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
      if (resource instanceof WeightStore) {
        plans.values().forEach(Plan::close); // after the scheduler, which knows them
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
