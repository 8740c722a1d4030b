package dev.ocellus.vlm.generation;

import dev.ocellus.Setting;
import dev.ocellus.compute.OutOfDeviceMemoryException;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.vlm.graph.GraphDefinition;
import dev.ocellus.vlm.graph.GraphRun;
import dev.ocellus.vlm.graph.GraphRunner;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import java.util.function.BiFunction;

/**
 * A model of one file and its graphs. What a graph needs is asked for before it is computed first,
 * so that a size for which there is no room is refused rather than tried.
 *
 * @param <A> what the model is
 */
final class Graphs<A> implements AutoCloseable {
  private final Path path;
  private final GraphRunner runner;
  private final A architecture;
  private final long maxBytes;
  private final Set<Object> known = new HashSet<>();

  private Graphs(
      Path path, ComputeOptions options, int maxPlans, BiFunction<GgufFile, Weights, A> family)
      throws IOException {
    this.path = path;
    maxBytes = options.maxBytes();
    runner = GraphRunner.open(path, options.runner(maxPlans));
    try {
      architecture = family.apply(runner.file(), runner.weights());
      runner.load();
    } catch (Throwable e) {
      runner.close();
      throw e;
    }
  }

  /** Opens a file, binds its weights and loads them. */
  static <A> Graphs<A> open(
      Path path, ComputeOptions options, int maxPlans, BiFunction<GgufFile, Weights, A> family)
      throws IOException {
    if (Files.isDirectory(path)) {
      throw new FileSystemException(
          path.toString(),
          null,
          "is a folder; convert the checkpoint first (dev.ocellus.convert.Converter, or"
              + " CheckpointCache, which keeps the file)");
    }
    return new Graphs<>(path, options, maxPlans, family);
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

  /**
   * Starts a run of a graph.
   *
   * @param what is computed, for a message
   * @throws OutOfDeviceMemoryException if it needs more memory than there is
   */
  GraphRun start(Object key, String what, GraphDefinition definition) {
    requireRoom(key, what, definition);
    return runner.start(key, definition);
  }

  /**
   * Checks that a graph can be computed. Nothing is allocated.
   *
   * @throws OutOfDeviceMemoryException if it needs more memory than there is
   */
  synchronized void requireRoom(Object key, String what, GraphDefinition definition) {
    if (hasRoom(key, definition)) {
      return;
    }
    long needed = runner.bytesNeeded(definition);
    if (maxBytes > 0 && needed > maxBytes) {
      throw new OutOfDeviceMemoryException(
              "%s: %s needs %d MiB for intermediates, which may take %d MiB. Make it smaller, or allow more."
                  .formatted(path, what, needed >> 20, maxBytes >> 20))
          .about(Setting.MAX_MEMORY);
    }
    throw new OutOfDeviceMemoryException(
        "%s: %s needs %d MiB on %s, of which %d MiB are free. Make it smaller, or free memory."
            .formatted(
                path, what, needed >> 20, runner.device(), runner.device().freeMemory() >> 20));
  }

  /** Whether there is memory for a graph. Nothing is allocated. */
  synchronized boolean hasRoom(Object key, GraphDefinition definition) {
    if (known.contains(key)) {
      return true;
    }
    long needed = runner.bytesNeeded(definition);
    long free = runner.device().freeMemory();
    boolean fits =
        (free <= 0 || needed <= free + runner.bufferBytes())
            && (maxBytes == 0 || needed <= maxBytes);
    if (fits) {
      known.add(key);
    }
    return fits;
  }

  /**
   * Checks the weights, for models that would hide it; closes this if some are not finite.
   *
   * @throws NotFiniteException naming a tensor
   */
  Graphs<A> requireFiniteWeights() {
    try {
      FiniteWeights.require(runner.file());
      return this;
    } catch (Throwable e) {
      close();
      throw e;
    }
  }

  /**
   * @throws NotFiniteException if a value is infinite or not a number
   */
  void requireFinite(float[] values, String what) {
    for (float value : values) {
      if (!Float.isFinite(value)) {
        throw new NotFiniteException(
            "%s: %s came out as %s. The weights hold numbers that are not finite, or were stored in a type that is too small for them."
                .formatted(path, what, value));
      }
    }
  }

  @Override
  public void close() {
    runner.close();
  }
}
