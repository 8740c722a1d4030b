package dev.ocellus.spark;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.tools.ToolProvider;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The example of the docs, compiled and run as it is printed. */
class ExampleTest {
  private static final Path ROOT = Path.of("../..");

  @TempDir Path folder;

  @Test
  void captionsWhatAnEarlierRunHasNot() throws Exception {
    Path source = ROOT.resolve("docs/examples/spark/Captions.java");
    Path classes = Files.createDirectory(folder.resolve("classes"));
    int status =
        ToolProvider.getSystemJavaCompiler()
            .run(
                null,
                null,
                null,
                "-proc:none",
                "-cp",
                System.getProperty("java.class.path"),
                "-d",
                classes.toString(),
                source.toString());
    assertThat(status).isZero();
    assertThat(Files.readString(ROOT.resolve("docs/spark.md"))).contains(Files.readString(source));

    Path images = Files.createDirectory(folder.resolve("images"));
    String output = folder.resolve("captions").toUri().toString();
    Pictures.write(images, 3);
    run(classes, images, output);
    Pictures.write(images, 5);
    run(classes, images, output);
    try (SparkSession spark = Sessions.local(folder).getOrCreate()) {
      assertThat(spark.read().parquet(output).count()).isEqualTo(5);
      assertThat(
              spark
                  .read()
                  .parquet(output)
                  .where("path like '%00000.png'")
                  .first()
                  .<String>getAs("text"))
          .contains("red circle");
    }
  }

  private void run(Path classes, Path images, String output) throws Exception {
    URL[] where = {classes.toUri().toURL()};
    try (SparkSession session = Sessions.local(folder).getOrCreate();
        URLClassLoader loader = new URLClassLoader(where, getClass().getClassLoader())) {
      assertThat(session.sparkContext().isLocal()).isTrue(); // the example's getOrCreate gets it
      loader
          .loadClass("Captions")
          .getMethod("main", String[].class)
          .invoke(null, (Object) new String[] {images.toString(), output});
    }
  }
}
