package dev.ocellus.spark;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What takes minutes: {@code scripts/spark.sh} runs it. */
@EnabledIfSystemProperty(
    named = "ocellus.spark",
    matches = ".+",
    disabledReason = "takes minutes; scripts/spark.sh runs it")
class StandaloneTest {
  private static final int COUNT = Integer.getInteger("ocellus.spark.images", 2000);

  @TempDir Path folder;

  /** Two workers, and one executor that is killed when a third of the tasks have ended. */
  @Test
  @EnabledIfSystemProperty(named = "ocellus.spark", matches = "cluster")
  void givesTheSameRowsAlsoWhereAnExecutorIsKilled() throws Exception {
    List<Path> files = Pictures.write(Files.createDirectory(folder.resolve("images")), COUNT);
    Path output = folder.resolve("captions");
    int tasks = Math.max(6, COUNT / 50);
    try (Distribution distribution = Distribution.make(folder);
        Standalone cluster = new Standalone(distribution, folder, 2, 1)) {
      Submission job =
          new Submission(distribution, folder, cluster.master()).with("spark.executor.cores", "1");
      int code =
          job.run(
              folder.resolve("images").toString(),
              output.toString(),
              String.valueOf(tasks),
              String.valueOf(tasks / 3 + 2));
      assertThat(code).as(job.log()).isZero();
      job.log().lines().filter(line -> line.startsWith("memory ")).forEach(System.out::println);
    }
    assertThat(Files.readString(Path.of(output + ".killed"))).endsWith("true");
    var rows = Submission.rows(output);
    ClusterTest.requireEqual(rows, files);
    long failed = rows.values().stream().filter(row -> row.has("error_code")).count();
    System.out.printf(
        "%d rows, %d of them with an error, all others as one process answers%n",
        rows.size(), failed);
  }

  /** The jar with everything, behind Spark's own jars and in front of them. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  @EnabledIfSystemProperty(named = "ocellus.spark", matches = "jar")
  void runsFromOneJar(boolean first) throws Exception {
    Path jar;
    try (Stream<Path> built = Files.list(Path.of("target"))) {
      jar =
          built
              .filter(path -> path.toString().endsWith("-all.jar"))
              .findFirst()
              .orElseThrow()
              .toAbsolutePath();
    }
    List<Path> files = Pictures.write(Files.createDirectory(folder.resolve("images")), 20);
    try (Distribution distribution = Distribution.make(folder)) {
      Submission job =
          new Submission(distribution, folder, "local-cluster[1,1,512]").withJars(List.of(jar));
      if (first) {
        job.with("spark.driver.extraClassPath", jar.toString())
            .with("spark.executor.extraClassPath", jar.toString());
      }
      Path output = folder.resolve("captions");
      int code = job.run(folder.resolve("images").toString(), output.toString(), "2", "0");
      assertThat(code).as(job.log()).isZero();
      ClusterTest.requireEqual(Submission.rows(output), files);
    }
  }

  /** One executor with two tasks beside the command line. */
  @Test
  @EnabledIfSystemProperty(named = "ocellus.spark", matches = "bench")
  void measuresOneExecutor() throws Exception {
    Path launcher = Path.of(System.getProperty("ocellus.spark.cli", "../../ocellus"));
    measure("local-cluster[1,2,1024]", launcher.toAbsolutePath().normalize().toString());
  }

  /** One executor of one core, then two. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  @EnabledIfSystemProperty(named = "ocellus.spark", matches = "scaling")
  void measuresExecutors(int executors) throws Exception {
    measure("local-cluster[%d,1,1024]".formatted(executors), "-");
  }

  private void measure(String master, String launcher) throws Exception {
    Path images = Files.createDirectory(folder.resolve("images"));
    for (int i = 0; i < COUNT; i++) {
      if (Pictures.error(i) == null) {
        Files.write(images.resolve("%05d.png".formatted(i)), Pictures.file(i));
      }
    }
    try (Distribution distribution = Distribution.make(folder)) {
      Submission job =
          new Submission(distribution, folder, master, BenchJob.class)
              .with("spark.executor.memory", "1g")
              // all executors are to be there before anything is measured
              .with("spark.scheduler.minRegisteredResourcesRatio", "1.0");
      String rounds = System.getProperty("ocellus.spark.rounds", "3");
      int code = job.run(images.toString(), launcher, rounds, "2");
      assertThat(code).as(job.log()).isZero();
      job.log().lines().filter(line -> line.startsWith("bench ")).forEach(System.out::println);
    }
  }
}
