package dev.ocellus.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import dev.ocellus.server.Programs.Run;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The examples of the docs, as they are printed. */
class ExamplesTest {
  private static final String ANSWER = "There is a large red circle in the center.";
  private static final Path TOP = TestServer.docs().toAbsolutePath().resolve("..").normalize();

  @Test
  void curl() throws Exception {
    Programs.need("curl", "base64");
    Run run = Programs.run(TOP, List.of("sh", "docs/examples/curl.sh"));
    assertThat(run.code()).as(run.output()).isZero();
    assertThat(run.output().split(ANSWER, -1)).hasSize(4);
    assertThat(run.output()).contains("\"embedding\":[");
  }

  @Test
  void python() throws Exception {
    Programs.need("python3");
    if (Programs.run(TOP, List.of("python3", "-c", "import openai")).code() != 0) {
      abort("OpenAI's Python client is not installed");
    }
    Run run = Programs.run(TOP, List.of("python3", "docs/examples/openai_client.py"));
    assertThat(run.output()).isEqualTo(ANSWER + "\n");
  }

  private static void runsWithNode(String name, List<String> packages, String script)
      throws Exception {
    Path folder =
        Programs.withPackages(name, packages, TOP.resolve("docs/examples").resolve(script));
    Run run = Programs.run(TOP, List.of("node", folder.resolve(script).toString()));
    assertThat(run.output()).isEqualTo(ANSWER + "\n");
  }

  @Test
  void javaScript() throws Exception {
    runsWithNode("openai-js", List.of("openai@6"), "openai_client.mjs");
  }

  @Test
  void anthropicsJavaScript() throws Exception {
    runsWithNode("anthropic-js", AnthropicJavaScriptTest.PACKAGES, "anthropic_client.mjs");
  }

  @Test
  void langChain4j() throws Exception {
    var command = new ArrayList<String>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(
        List.of(
            "-cp",
            System.getProperty(
                "surefire.test.class.path", System.getProperty("java.class.path", ""))));
    command.add("docs/examples/LangChain4jExample.java");
    Run run = Programs.run(TOP, command);
    assertThat(run.output().lines().filter(line -> line.equals(ANSWER)))
        .as(run.output())
        .hasSize(1);
  }
}
