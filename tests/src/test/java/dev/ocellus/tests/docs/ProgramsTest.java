package dev.ocellus.tests.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.testkit.PrintedProgram;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The programs of docs/examples that need no framework, compiled and run as they are printed. */
class ProgramsTest {
  private static final Path DOCS = Path.of("../docs").toAbsolutePath().normalize();
  private static final String IMAGE = DOCS.resolve("pictures/red-circle.png").toString();

  @TempDir Path classes;

  @Test
  void plainJava() throws Exception {
    PrintedProgram program = new PrintedProgram(DOCS.resolve("examples/java/Ask.java"));
    assertThat(program.run(classes, IMAGE)).contains("red").contains("circle");
  }

  /** Its dependencies, which JBang would fetch, are those of the tests. */
  @Test
  void jbangScript() throws Exception {
    Path script = DOCS.resolve("examples/jbang/Describe.java");
    assertThat(new PrintedProgram(script).run(classes, IMAGE)).contains("red").contains("circle");
    assertThat(Files.readString(script)).contains("//DEPS dev.ocellus:ocellus-starter:");
  }
}
