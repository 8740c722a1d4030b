package dev.ocellus.vlm.imagetext;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.ggml.Device;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.vlm.fusion.ImageStates;
import dev.ocellus.vlm.graph.GraphDefinition;
import dev.ocellus.vlm.graph.GraphRun;
import dev.ocellus.vlm.graph.GraphRunner;
import dev.ocellus.vlm.graph.ModelGraph;
import dev.ocellus.vlm.graph.RunnerOptions;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.vision.EncoderGraph;
import dev.ocellus.vlm.vision.Tiles;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What the models of this package share: a file, and the states of images, of which the last ones
 * are kept, as several questions are often asked about one image. Thread-safe.
 *
 * @param <A> what a model is
 */
final class OpenedModel<A> implements AutoCloseable {
  private static final String STATES = "states";

  /** Encoders of images and texts, the decoder with its states, prompts and single tokens. */
  private static final int MAX_PLANS = 8;

  /** States of an image, and how long it took to compute them; nothing if they were kept. */
  record Encoded(Tiles tiles, float[] values, int n, double prepareMillis, double encodeMillis) {
    boolean wasKept() {
      return encodeMillis == 0;
    }
  }

  private record Last(String contentHash, Tiles tiles, float[] values, int n) {}

  private final Path path;
  private final GraphRunner runner;
  private final A architecture;
  private final ImageStates images;
  private final double loadMillis;
  private volatile @Nullable Last last;

  private OpenedModel(
      Path path,
      ImageTextOptions options,
      BiFunction<GgufFile, Weights, A> family,
      Function<A, ImageStates> images)
      throws IOException {
    long start = System.nanoTime();
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
      architecture = family.apply(runner.file(), runner.weights());
      this.images = images.apply(architecture);
      runner.load();
    } catch (Throwable e) {
      runner.close();
      throw e;
    }
    loadMillis = millisSince(start);
  }

  /** Opens a file and binds its weights. */
  static <A> OpenedModel<A> open(
      Path path,
      ImageTextOptions options,
      BiFunction<GgufFile, Weights, A> family,
      Function<A, ImageStates> images)
      throws IOException {
    if (Files.isDirectory(path)) {
      throw new FileSystemException(
          path.toString(),
          null,
          "is a folder; convert the checkpoint first (dev.ocellus.convert.Converter, or"
              + " CheckpointCache, which keeps the file)");
    }
    return new OpenedModel<>(path, options, family, images);
  }

  Path path() {
    return path;
  }

  A architecture() {
    return architecture;
  }

  GraphRunner runner() {
    return runner;
  }

  Device device() {
    return runner.device();
  }

  double loadMillis() {
    return loadMillis;
  }

  static double millisSince(long start) {
    return (System.nanoTime() - start) / 1e6;
  }

  /** The states of an image. */
  Encoded encode(RgbImage image, CancellationFlag flag) {
    Last known = last;
    if (known != null && known.contentHash.equals(image.contentHash())) {
      return new Encoded(known.tiles, known.values, known.n, 0, 0);
    }
    long start = System.nanoTime();
    Tiles tile = images.prepare(image);
    double prepared = millisSince(start);
    start = System.nanoTime();
    float[] values;
    try (GraphRun run = runner.start(List.of("image", tile.shape()), imageGraph(tile))) {
      values = run.set(EncoderGraph.PIXELS, tile.pixels()).compute(flag).get(STATES);
    }
    int n = values.length / images.width();
    last = new Last(image.contentHash(), tile, values, n);
    return new Encoded(tile, values, n, prepared, millisSince(start));
  }

  private GraphDefinition imageGraph(Tiles tile) {
    return graph -> graph.output(STATES, images.forward(new EncoderGraph(graph, tile)));
  }

  /** The pixels of an image as the model takes them. */
  Tiles prepare(RgbImage image) {
    return images.prepare(image);
  }

  /** An input of a graph: the states of an image. */
  Tensor statesInput(ModelGraph graph, String name, Encoded image) {
    return graph.input(name, images.width(), image.n(), 1);
  }

  /** Named stages of encoding an image, for comparing them with a reference. */
  Map<String, float[]> stages(RgbImage image, List<String> names) {
    Tiles tile = images.prepare(image);
    return runner.intermediates(
        imageGraph(tile), run -> run.set(EncoderGraph.PIXELS, tile.pixels()), names);
  }

  @Override
  public void close() {
    runner.close();
  }
}
