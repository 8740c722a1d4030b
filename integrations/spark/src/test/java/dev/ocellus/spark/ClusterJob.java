package dev.ocellus.spark;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * Describes the images of a folder and writes JSON. Run by {@code spark-submit}: images, output,
 * partitions, and after how many tasks an executor is to be killed, 0 for never.
 */
public final class ClusterJob {
  static final String PROMPT = "Describe the image.";

  private ClusterJob() {}

  public static void main(String[] args) throws IOException {
    int killAfter = Integer.parseInt(args[3]);
    SparkSession spark = SparkSession.builder().appName("ocellus-cluster").getOrCreate();
    String id = spark.sparkContext().applicationId();
    spark.sparkContext().addSparkListener(new Memory(id));
    if (killAfter > 0) {
      spark
          .sparkContext()
          .addSparkListener(new Killer(id, killAfter, Path.of(args[1] + ".killed")));
    }
    JobProgress progress = JobProgress.of(spark, "captions");
    Dataset<Row> images = ImageListing.of(spark, args[0]).repartition(Integer.parseInt(args[2]));
    OcellusSpark.of(ModelSource.demo())
        .withProgress(progress)
        .describe(images, AnswerOptions.of(PROMPT))
        .select("path", "answer.*")
        .write()
        .json(args[1]);
    System.out.println("images counted: " + progress.images());
    spark.stop();
  }

  /** Tells the resident memory of the executors while tasks end. */
  private static final class Memory extends SparkListener {
    private static final int TASKS = 10;

    private final String application;
    private int ended;

    Memory(String application) {
      this.application = application;
    }

    @Override
    public void onTaskEnd(SparkListenerTaskEnd end) {
      if (++ended % TASKS == 0) {
        StringBuilder line = new StringBuilder("memory after %d tasks:".formatted(ended));
        BenchJob.executors(application).forEach(pid -> line.append(resident(pid)));
        System.out.println(line);
      }
    }

    private static String resident(long pid) {
      try (Stream<String> lines = Files.lines(Path.of("/proc/" + pid + "/status"))) {
        return lines
            .filter(line -> line.startsWith("VmRSS:"))
            .map(line -> " process %d has %s".formatted(pid, line.substring(6).strip()))
            .findFirst()
            .orElse("");
      } catch (IOException e) {
        return ""; // it has ended
      }
    }
  }

  /** Ends one executor as a machine that fails would, when some tasks have ended. */
  private static final class Killer extends SparkListener {
    private final String application;
    private final int after;
    private final Path note;
    private int ended;

    Killer(String application, int after, Path note) {
      this.application = application;
      this.after = after;
      this.note = note;
    }

    @Override
    public void onTaskEnd(SparkListenerTaskEnd end) {
      if (++ended == after) {
        ProcessHandle executor =
            ProcessHandle.of(BenchJob.executors(application).get(0)).orElseThrow();
        boolean killed = executor.destroyForcibly();
        try {
          Files.writeString(note, executor.pid() + " " + killed);
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      }
    }
  }
}
