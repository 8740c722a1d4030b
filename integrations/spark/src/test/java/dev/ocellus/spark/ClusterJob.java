package dev.ocellus.spark;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
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
    if (killAfter > 0) {
      String id = spark.sparkContext().applicationId();
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
            ProcessHandle.allProcesses()
                .filter(p -> isExecutor(p.pid()))
                .sorted()
                .findFirst()
                .orElseThrow();
        boolean killed = executor.destroyForcibly();
        try {
          Files.writeString(note, executor.pid() + " " + killed);
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      }
    }

    private boolean isExecutor(long pid) {
      try {
        String command =
            new String(
                Files.readAllBytes(Path.of("/proc/" + pid + "/cmdline")), StandardCharsets.UTF_8);
        return command.contains("CoarseGrainedExecutorBackend") && command.contains(application);
      } catch (IOException e) {
        return false; // it has ended, or is somebody else's
      }
    }
  }
}
