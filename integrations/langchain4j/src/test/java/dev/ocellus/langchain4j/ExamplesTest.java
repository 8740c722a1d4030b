package dev.ocellus.langchain4j;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The example of the docs, compiled and run as it is printed. */
class ExamplesTest {
  private static final Path ROOT = Path.of("../..");

  @TempDir Path classes;

  @Test
  void asksAboutAnImage() throws Exception {
    Path source = ROOT.resolve("docs/examples/langchain4j/Ask.java");
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
    String answer = run(ROOT.resolve("docs/pictures/red-circle.png").toString());
    assertThat(answer).contains("red").contains("circle");

    String body = Files.readString(source).replaceFirst("(?s).*throws Exception \\{\n", "");
    String shown = body.substring(0, body.lastIndexOf("  }\n}")).replaceAll("(?m)^    ", "");
    assertThat(Files.readString(ROOT.resolve("docs/langchain4j.md"))).contains(shown);
  }

  private String run(String image) throws Exception {
    PrintStream out = System.out;
    var caught = new ByteArrayOutputStream();
    URL[] where = {classes.toUri().toURL()};
    try (var loader = new URLClassLoader(where, getClass().getClassLoader());
        var stream = new PrintStream(caught, true, StandardCharsets.UTF_8)) {
      System.setOut(stream);
      var main = loader.loadClass("Ask").getDeclaredMethod("main", String[].class);
      main.setAccessible(true);
      main.invoke(null, (Object) new String[] {image});
    } finally {
      System.setOut(out);
    }
    return caught.toString(StandardCharsets.UTF_8);
  }
}
