package dev.ocellus.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Jobs on executors that are processes of their own, with the jars of a stock Spark. */
class ClusterTest {
  private static final int COUNT = 60;

  @TempDir static Path folder;
  private static Distribution distribution;

  @BeforeAll
  static void make() throws Exception {
    distribution = Distribution.make(folder);
  }

  @AfterAll
  static void remove() throws Exception {
    distribution.close();
  }

  @Test
  void givesTheSameRowsAlsoWhereAnExecutorIsKilled() throws Exception {
    List<Path> files = Pictures.write(Files.createDirectory(folder.resolve("images")), COUNT);
    Path output = folder.resolve("captions");
    Submission job = new Submission(distribution, folder, "local-cluster[2,1,512]");
    int code = job.run(folder.resolve("images").toString(), output.toString(), "12", "4");
    assertThat(code).as(job.log()).isZero();
    assertThat(Files.readString(Path.of(output + ".killed"))).endsWith("true");
    requireEqual(Submission.rows(output), files);
  }

  /** All rows, with the answers of one process and the errors that are known. */
  static void requireEqual(Map<String, JsonNode> rows, List<Path> files) throws Exception {
    Map<String, String> found = new TreeMap<>();
    rows.forEach((name, row) -> {
      JsonNode code = row.get("error_code");
      int index = Integer.parseInt(name.substring(0, 5));
      assertThat(code == null ? null : code.asText()).as(name).isEqualTo(Pictures.error(index));
      found.put(name, code == null ? row.get("text").asText() : "!");
    });
    assertThat(found).isEqualTo(OneProcess.answers(files, ClusterJob.PROMPT));
  }

  @Test
  void saysThatExecutorsNeedANewerJava() throws Exception {
    Path old = oldJava();
    assumeTrue(old != null, "no JDK 17 to 21 is installed here");
    Path images = Files.createDirectory(folder.resolve("few"));
    Pictures.write(images, 2);
    Submission job =
        new Submission(distribution, folder, "local-cluster[1,1,512]")
            .with("spark.executorEnv.JAVA_HOME", String.valueOf(old))
            .with("spark.plugins", "")
            .with("spark.task.maxFailures", "1");
    assertThat(job.run(images.toString(), folder.resolve("none").toString(), "1", "0")).isNotZero();
    assertThat(job.log())
        .contains("UnsupportedJavaException: An executor runs on Java ")
        .contains("and models need 22 or newer");
  }

  /** Wherever Linux distributions put them. */
  private static @Nullable Path oldJava() throws Exception {
    Path all = Path.of("/usr/lib/jvm");
    if (!Files.isDirectory(all)) {
      return null;
    }
    try (Stream<Path> homes = Files.list(all)) {
      return homes
          .filter(home -> home.getFileName().toString().matches(".*(17|21).*"))
          .filter(home -> Files.isExecutable(home.resolve("bin/java")))
          .findFirst()
          .orElse(null);
    }
  }
}
