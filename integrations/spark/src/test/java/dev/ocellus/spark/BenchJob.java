package dev.ocellus.spark;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * Images a second of all executors, beside the command line's own batch, in turn: images, the
 * command line's launcher or {@code -}, rounds, tasks at a time. Of both the start is left out: the
 * executors are warm, and of the command line a run with a quarter of the images is taken off.
 */
public final class BenchJob {
  private static final double NANOS = 1e9;
  private static final long TICKS = 100;

  private BenchJob() {}

  private record Cost(double seconds, double cpuSeconds) {
    Cost minus(Cost other) {
      return new Cost(seconds - other.seconds, cpuSeconds - other.cpuSeconds);
    }
  }

  public static void main(String[] args) throws Exception {
    List<Path> files;
    try (Stream<Path> all = Files.list(Path.of(args[0]))) {
      files = all.sorted().toList();
    }
    int tasks = Integer.parseInt(args[3]);
    SparkSession spark = SparkSession.builder().appName("ocellus-bench").getOrCreate();
    String id = spark.sparkContext().applicationId();
    Dataset<Row> images = ImageListing.of(spark, args[0]).repartition(4 * tasks).cache();
    images.count();
    List<Long> executors = executors(id);
    for (boolean separate : List.of(false, true)) {
      spark(images.limit(files.size() / 4), separate, executors); // loads and compiles
    }
    for (int round = 0; round < Integer.parseInt(args[2]); round++) {
      int quarter = files.size() / 4;
      if (!args[1].equals("-")) {
        Cost cli =
            commandLine(args[1], files).minus(commandLine(args[1], files.subList(0, quarter)));
        print("command line", round, cli, files.size() - quarter);
      }
      String name = " %d executor(s)".formatted(executors.size());
      print("shared" + name, round, spark(images, false, executors), files.size());
      print("separate" + name, round, spark(images, true, executors), files.size());
    }
    spark.stop();
  }

  private static void print(String name, int round, Cost cost, int images) {
    System.out.printf(
        Locale.ROOT,
        "bench %s: round %d, %.1f images/s, %.1f ms of processor time an image%n",
        name,
        round,
        images / cost.seconds,
        1000 * cost.cpuSeconds / images);
  }

  private static Cost spark(Dataset<Row> images, boolean separate, List<Long> executors)
      throws IOException {
    double cpu = cpuSeconds(executors);
    long begun = System.nanoTime();
    long answers =
        OcellusSpark.of(ModelSource.demo())
            .withExecutors(ExecutorOptions.defaults().withSeparate(separate))
            .describe(images, AnswerOptions.of(ClusterJob.PROMPT))
            .where("answer.text is not null or answer.error_code is not null")
            .count();
    if (answers == 0) {
      throw new IllegalStateException("no answers");
    }
    return new Cost((System.nanoTime() - begun) / NANOS, cpuSeconds(executors) - cpu);
  }

  private static Cost commandLine(String launcher, List<Path> files)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("bash", "-c"));
    command.add("TIMEFORMAT='cpu %U %S'; time \"$@\" > /dev/null");
    command.addAll(
        List.of("bash", launcher, "describe", "-p", ClusterJob.PROMPT, "-n", "512", "--json"));
    files.forEach(file -> command.add(file.toString()));
    long begun = System.nanoTime();
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    process.waitFor();
    double seconds = (System.nanoTime() - begun) / NANOS;
    String[] cpu = printed.substring(printed.lastIndexOf("cpu ")).strip().split(" ", -1);
    return new Cost(seconds, Double.parseDouble(cpu[1]) + Double.parseDouble(cpu[2]));
  }

  /** Processes of an application's executors. */
  static List<Long> executors(String application) {
    return ProcessHandle.allProcesses()
        .map(ProcessHandle::pid)
        .filter(pid -> isExecutor(pid, application))
        .sorted()
        .toList();
  }

  private static boolean isExecutor(long pid, String application) {
    try {
      String command =
          new String(
              Files.readAllBytes(Path.of("/proc/" + pid + "/cmdline")), StandardCharsets.UTF_8);
      return command.contains("CoarseGrainedExecutorBackend") && command.contains(application);
    } catch (IOException e) {
      return false; // it has ended, or is somebody else's
    }
  }

  private static double cpuSeconds(List<Long> processes) throws IOException {
    double seconds = 0;
    for (long pid : processes) {
      String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
      String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
      seconds += (Long.parseLong(fields[11]) + Long.parseLong(fields[12])) / (double) TICKS;
    }
    return seconds;
  }
}
