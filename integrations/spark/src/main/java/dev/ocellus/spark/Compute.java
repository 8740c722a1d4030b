package dev.ocellus.spark;

import dev.ocellus.spark.ExecutorOptions.Gpu;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.SparkConf;
import org.apache.spark.TaskContext;
import org.apache.spark.resource.ResourceInformation;

/**
 * What of an executor a model may use.
 *
 * @param threads on the CPU
 * @param parallel images at the same time
 * @param tasks that the executor runs at the same time
 * @param gpu the index of the one that is assigned, or {@link #ANY_GPU} or {@link #NO_GPU}
 */
record Compute(int threads, int parallel, int tasks, int gpu) {
  static final int NO_GPU = -2;
  static final int ANY_GPU = -1;

  private static final int MAX_THREADS = 512;
  private static final int MAX_PARALLEL = 256;
  private static final Pattern LOCAL = Pattern.compile("local(?:\\[(\\d+|\\*)(?:,\\s*\\d+)?])?");
  private static final Pattern LOCAL_CLUSTER =
      Pattern.compile("local-cluster\\[\\s*\\d+\\s*,\\s*(\\d+)\\s*,.*]");

  /** Of the executor that a task runs on. */
  static Compute of(ExecutorOptions options, TaskContext task, SparkConf conf) {
    int cores = cores(conf, Runtime.getRuntime().availableProcessors());
    ResourceInformation gpus = task.resources().get("gpu").getOrElse(() -> null);
    return of(options, cores, task.cpus(), gpus == null ? new String[0] : gpus.addresses());
  }

  static Compute of(ExecutorOptions options, int cores, int cpusOfTask, String[] gpus) {
    int tasks = Math.max(1, cores / Math.max(1, cpusOfTask));
    int gpu = gpu(options.gpu(), gpus);
    int threads = options.threads() > 0 ? options.threads() : gpu >= 0 ? cpusOfTask : cores;
    int parallel = options.parallel() > 0 ? options.parallel() : tasks;
    return new Compute(
        Math.min(threads, MAX_THREADS), Math.min(parallel, MAX_PARALLEL), tasks, gpu);
  }

  private static int gpu(Gpu wanted, String[] addresses) {
    if (wanted == Gpu.ANY) {
      return ANY_GPU;
    }
    if (wanted == Gpu.NONE || addresses.length == 0) {
      return NO_GPU;
    }
    try {
      return Integer.parseInt(addresses[0].strip());
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          "resource gpu: expected the number of a GPU as its address, found '%s'"
              .formatted(addresses[0]),
          e);
    }
  }

  /** Cores of an executor. Where nothing says it, Spark gives it all that the machine has. */
  static int cores(SparkConf conf, int processors) {
    String master = conf.get("spark.master", "");
    Matcher local = LOCAL.matcher(master);
    if (local.matches()) {
      String n = local.group(1);
      return n == null ? 1 : n.equals("*") ? processors : Integer.parseInt(n);
    }
    Matcher cluster = LOCAL_CLUSTER.matcher(master);
    return cluster.matches()
        ? Integer.parseInt(cluster.group(1))
        : conf.getInt("spark.executor.cores", processors);
  }
}
