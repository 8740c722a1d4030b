package dev.ocellus.vlm.graph;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.ggml.Scheduler;
import dev.ocellus.ggml.Tensor;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/**
 * One run of a graph: set the inputs, compute, read the outputs, close. It belongs to the thread
 * that started it; other threads wait until it is closed.
 *
 * <p>After any exception the run can only be closed, and the next one builds its graph anew.
 */
public final class GraphRun implements AutoCloseable {
  private final ModelGraph model;
  private final Scheduler.Computation computation;
  private final Runnable onClose;
  private final Runnable onFailure;
  private final Set<String> missing;
  private boolean computed;
  private boolean failed;
  private boolean closed;

  GraphRun(
      ModelGraph model, Scheduler.Computation computation, Runnable onClose, Runnable onFailure) {
    this.model = model;
    this.computation = computation;
    this.onClose = onClose;
    this.onFailure = onFailure;
    this.missing = new HashSet<>(model.inputs().keySet());
  }

  /** Sets an input of floats, innermost dimension first. */
  public GraphRun set(String input, float[] values) {
    return guarded(() -> {
      computation.set(named(model.inputs(), "input", input), values);
      missing.remove(input);
      return this;
    });
  }

  /** Sets an input of floats from a part of an array that begins at {@code offset}. */
  public GraphRun set(String input, float[] values, int offset) {
    return guarded(() -> {
      computation.set(named(model.inputs(), "input", input), values, offset);
      missing.remove(input);
      return this;
    });
  }

  /** Sets an input of integers. */
  public GraphRun set(String input, int[] values) {
    return guarded(() -> {
      computation.set(named(model.inputs(), "input", input), values);
      missing.remove(input);
      return this;
    });
  }

  /**
   * Computes.
   *
   * @throws IllegalStateException if an input has not been set
   * @throws dev.ocellus.compute.ComputationCancelledException if {@code flag} was set before the
   *     end
   */
  public GraphRun compute(CancellationFlag flag) {
    return guarded(() -> {
      if (!missing.isEmpty()) {
        throw new IllegalStateException("These inputs have not been set: " + missing);
      }
      if (computed) {
        throw new IllegalStateException("This run has been computed; start another one");
      }
      computed = true;
      computation.compute(flag);
      return this;
    });
  }

  /** Computes, without a way to stop it. */
  public GraphRun compute() {
    return compute(new CancellationFlag());
  }

  /** The sizes of an output, innermost first; known before it is computed. */
  public long[] shape(String output) {
    return guarded(() -> named(model.outputs(), "output", output).shape());
  }

  /** The values of an output of floats, innermost dimension first. */
  public float[] get(String output) {
    return guarded(() -> computation.get(result(output)));
  }

  /**
   * Copies {@code count} values of an output of floats, from its element {@code from} on, to {@code
   * destination} from {@code offset} on.
   */
  public void get(String output, long from, int count, float[] destination, int offset) {
    guarded(() -> {
      computation.get(result(output), from, count, destination, offset);
      return this;
    });
  }

  /** The values of an output of integers. */
  public int[] getInts(String output) {
    return guarded(() -> computation.getInts(result(output)));
  }

  /** The values of any tensor that is kept. */
  float[] get(Tensor kept) {
    return guarded(() -> computation.get(kept));
  }

  private Tensor result(String output) {
    if (!computed) {
      throw new IllegalStateException("This run has not been computed; call compute() first");
    }
    return named(model.outputs(), "output", output);
  }

  private static Tensor named(Map<String, Tensor> tensors, String what, String name) {
    Tensor tensor = tensors.get(name);
    if (tensor == null) {
      throw new IllegalArgumentException(
          "This graph has no %s %s, only %s".formatted(what, name, tensors.keySet()));
    }
    return tensor;
  }

  private <T> T guarded(Supplier<T> action) {
    if (failed || closed) {
      throw new IllegalStateException(
          closed ? "This run has been closed" : "This run has failed; start another one");
    }
    failed = true; // whatever is thrown, also an error of the virtual machine
    T result = action.get();
    failed = false;
    return result;
  }

  /** Lets the next run in. */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    try {
      computation.close();
      if (failed) {
        onFailure.run();
      }
    } finally {
      onClose.run();
    }
  }
}
