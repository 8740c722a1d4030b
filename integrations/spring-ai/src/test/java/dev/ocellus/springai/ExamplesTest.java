package dev.ocellus.springai;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.testkit.PrintedProgram;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The application of the docs, compiled and run as it is printed. */
class ExamplesTest {
  private static final Path DOCS = Path.of("../../docs");

  @TempDir Path classes;

  @Test
  void anApplicationAsksAboutAnImage() throws Exception {
    Path source = DOCS.resolve("examples/spring-boot/Ask.java");
    String image = DOCS.resolve("pictures/red-circle.png").toString();
    assertThat(new PrintedProgram(source).run(classes, image, "--ocellus.chat.model=demo"))
        .contains("red")
        .contains("circle");
    String shown = Files.readString(source).replaceFirst("(?s)^.*?(?=@SpringBootApplication)", "");
    assertThat(Files.readString(DOCS.resolve("spring-ai.md"))).contains(shown);
  }
}
