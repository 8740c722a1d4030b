package dev.ocellus.langchain4j;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.testkit.PrintedProgram;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The example of the docs, compiled and run as it is printed. */
class ExamplesTest {
  private static final Path DOCS = Path.of("../../docs");

  @TempDir Path classes;

  @Test
  void asksAboutAnImage() throws Exception {
    PrintedProgram ask = new PrintedProgram(DOCS.resolve("examples/langchain4j/Ask.java"));
    assertThat(ask.run(classes, DOCS.resolve("pictures/red-circle.png").toString()))
        .contains("red")
        .contains("circle");
    assertThat(Files.readString(DOCS.resolve("langchain4j.md"))).contains(ask.body());
  }
}
