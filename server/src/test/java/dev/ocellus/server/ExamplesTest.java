package dev.ocellus.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The examples of the docs, as they are printed. */
class ExamplesTest {
  private static final String ANSWER = "There is a large red circle in the center.";
  private static final Path TOP = TestServer.docs().toAbsolutePath().resolve("..").normalize();

  private record Run(int code, String output) {}

  private static Run run(Path folder, List<String> command) throws Exception {
    ProcessBuilder builder =
        new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true);
    builder.environment().put("OCELLUS_URL", TestServer.url(TestServer.shared()));
    Process process = builder.start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Run(process.waitFor(), output);
  }

  private static void need(String program) {
    boolean there =
        List.of(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator)).stream()
            .anyMatch(dir -> Files.isExecutable(Path.of(dir, program)));
    if (!there) {
      abort("no " + program + " on the PATH");
    }
  }

  @Test
  void curl() throws Exception {
    need("curl");
    need("base64");
    Run run = run(TOP, List.of("sh", "docs/examples/curl.sh"));
    assertThat(run.code).as(run.output).isZero();
    assertThat(run.output.split(ANSWER, -1)).hasSize(4);
    assertThat(run.output).contains("\"embedding\":[");
  }

  @Test
  void python() throws Exception {
    need("python3");
    if (run(TOP, List.of("python3", "-c", "import openai")).code != 0) {
      abort("OpenAI's Python client is not installed");
    }
    Run run = run(TOP, List.of("python3", "docs/examples/openai_client.py"));
    assertThat(run.output).isEqualTo(ANSWER + "\n");
  }

  @Test
  void javaScript() throws Exception {
    need("node");
    need("npm");
    Path folder = Files.createDirectories(TOP.resolve("server/target/openai-js"));
    if (!Files.isDirectory(folder.resolve("node_modules/openai"))) {
      Run npm =
          run(
              folder,
              List.of(
                  "npm",
                  "install",
                  "--ignore-scripts",
                  "--no-audit",
                  "--no-fund",
                  "--silent",
                  "--prefix",
                  ".",
                  "openai@6"));
      if (npm.code != 0) {
        abort("npm could not install openai: " + npm.output);
      }
    }
    // modules are looked for beside the file that wants them
    Path copy = folder.resolve("openai_client.mjs");
    Files.write(copy, Files.readAllBytes(TOP.resolve("docs/examples/openai_client.mjs")));
    Run run = run(TOP, List.of("node", copy.toString()));
    assertThat(run.output).isEqualTo(ANSWER + "\n");
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
    Run run = run(TOP, command);
    assertThat(run.output.lines().filter(line -> line.equals(ANSWER))).as(run.output).hasSize(1);
  }
}
