package dev.ocellus.spark;

import java.io.Serializable;

/**
 * How the executors compute. Each loads the model once, for all its tasks.
 *
 * @param threads threads of a model on the CPU; 0 for the cores of the executor, or those of a task
 *     where the model is on a GPU
 * @param parallel images that a model works on at the same time; 0 for as many as an executor runs
 *     tasks. More of them fill a GPU that has many times the speed of what feeds it
 * @param context tokens of each conversation; 0 for 4096
 * @param gpu on which GPUs
 * @param separate whether each answer is computed in a context of its own, with its share of the
 *     threads, instead of in common batches. What is computed beside it then changes not even the
 *     rounding, so that the same image has the same answer in every run and partition. Answers with
 *     a temperature are always computed so, as they would not follow from their seed otherwise
 */
public record ExecutorOptions(int threads, int parallel, int context, Gpu gpu, boolean separate)
    implements Serializable {
  private static final int MAX_THREADS = 512;
  private static final int MAX_PARALLEL = 256;

  /** Which GPUs are used. */
  public enum Gpu {
    /** The one that Spark gives the task as its resource {@code gpu}; none where it gives none. */
    ASSIGNED,
    /** The machine's, whatever Spark knows about them. */
    ANY,
    /** None. */
    NONE
  }

  public ExecutorOptions {
    if (threads < 0 || threads > MAX_THREADS) {
      throw new IllegalArgumentException(
          "threads: expected 0 to %d, found %d".formatted(MAX_THREADS, threads));
    }
    if (parallel < 0 || parallel > MAX_PARALLEL) {
      throw new IllegalArgumentException(
          "parallel: expected 0 to %d, found %d".formatted(MAX_PARALLEL, parallel));
    }
    if (context < 0) {
      throw new IllegalArgumentException("context: expected 0 or more tokens, found " + context);
    }
  }

  /** As the executor's cores and the task's resources say. */
  public static ExecutorOptions defaults() {
    return new ExecutorOptions(0, 0, 0, Gpu.ASSIGNED, false);
  }

  public ExecutorOptions withThreads(int value) {
    return new ExecutorOptions(value, parallel, context, gpu, separate);
  }

  public ExecutorOptions withParallel(int value) {
    return new ExecutorOptions(threads, value, context, gpu, separate);
  }

  public ExecutorOptions withContext(int value) {
    return new ExecutorOptions(threads, parallel, value, gpu, separate);
  }

  public ExecutorOptions withGpu(Gpu value) {
    return new ExecutorOptions(threads, parallel, context, value, separate);
  }

  public ExecutorOptions withSeparate(boolean value) {
    return new ExecutorOptions(threads, parallel, context, gpu, value);
  }
}
