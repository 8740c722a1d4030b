package dev.ocellus.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The page in a real Chromium, through Playwright. Where there is no Chromium or no Node, this test
 * is skipped and says what is missing; {@code CHROMIUM} may name one.
 */
class PageTest {
  private static final Path HERE =
      Path.of(Files.isDirectory(Path.of("server")) ? "server" : ".").toAbsolutePath().normalize();

  /** Where screenshots of the docs are put; nowhere unless asked for. */
  private static final String SCREENSHOTS = System.getProperty("ocellus.screenshots", "");

  private static Path chromium() {
    String named = System.getenv("CHROMIUM");
    List<String> names =
        named != null
            ? List.of(named)
            : List.of("chromium", "chromium-browser", "google-chrome", "google-chrome-stable");
    return names.stream()
        .flatMap(name -> onPath(name))
        .findFirst()
        .orElseGet(() -> abort("no Chromium on the PATH, and CHROMIUM names none"));
  }

  private static Stream<Path> onPath(String name) {
    String path = System.getenv().getOrDefault("PATH", "");
    return Stream.concat(
            Stream.of(Path.of(name)), Stream.of(path.split(":")).map(dir -> Path.of(dir, name)))
        .filter(file -> file.isAbsolute() && Files.isExecutable(file));
  }

  /** Installs Playwright where this module is built; nothing of a browser is downloaded. */
  private static Path installed() throws Exception {
    if (onPath("node").findAny().isEmpty() || onPath("npm").findAny().isEmpty()) {
      return abort("no node or no npm on the PATH");
    }
    Path target = Files.createDirectories(HERE.resolve("target/page-test"));
    for (String name : List.of("package.json", "page.mjs")) {
      Path source = HERE.resolve("src/test/page").resolve(name);
      Files.write(target.resolve(name), Files.readAllBytes(source));
    }
    if (!Files.isDirectory(target.resolve("node_modules/playwright-core"))
        || !Files.isDirectory(target.resolve("node_modules/axe-core"))) {
      Run npm =
          run(target, "npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--silent");
      if (npm.code != 0) {
        return abort("npm could not install playwright-core and axe-core: " + npm.output);
      }
    }
    return target;
  }

  private record Run(int code, String output) {}

  private static Run run(Path folder, String... command) throws Exception {
    Process process =
        new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true).start();
    var killer =
        Thread.ofVirtual()
            .start(() -> {
              try {
                if (!process.waitFor(5, TimeUnit.MINUTES)) {
                  process.destroyForcibly();
                }
              } catch (InterruptedException e) { // it ended
              }
            });
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    int code = process.waitFor();
    killer.interrupt();
    return new Run(code, output);
  }

  @Test
  void worksInABrowser() throws Exception {
    Path browser = chromium();
    Path folder = installed();
    var command = new ArrayList<>(List.of("node", "page.mjs"));
    command.add(TestServer.url(TestServer.shared()) + "/");
    command.add(browser.toString());
    command.add(TestServer.docs().resolve("pictures/red-circle.png").toAbsolutePath().toString());
    if (!SCREENSHOTS.isEmpty()) {
      command.add(Path.of(SCREENSHOTS).toAbsolutePath().toString());
    }
    Run run = run(folder, command.toArray(String[]::new));
    assertThat(run.code).as(run.output).isZero();
    assertThat(run.output.lines().filter(line -> line.startsWith("ok "))).hasSize(11);
  }

  /** The renderer, alone: no text makes it take long. */
  @Test
  void rendersAnyTextInTime() throws Exception {
    if (onPath("node").findAny().isEmpty()) {
      abort("no node on the PATH");
    }
    Path folder = Files.createDirectories(HERE.resolve("target/markdown-test"));
    Path script = folder.resolve("markdown.mjs");
    Path renderer =
        HERE.resolve("src/main/resources/dev/ocellus/server/page/markdown.js").toAbsolutePath();
    String source =
        Files.readString(renderer)
            + """

            class Node_ { constructor(name) { this.nodeName = name.toUpperCase(); this.childNodes = []; }
              append(...all) { this.childNodes.push(...all); }
              get firstChild() { return this.childNodes[0]; }
              replaceChildren(...all) { this.childNodes = all; } }
            globalThis.document = { createElement: n => new Node_(n), createDocumentFragment: () => new Node_("#") };
            const n = 20000;
            for (const piece of ["*", "**a", "_", "`", "``a`", "[", "[a](", "![", "> ", "- ", "1. ", "|", "a|\\n", "# ", "~~~\\n", "<", "\\\\", "http://", "*a ", "__a "]) {
              render(piece.repeat(n));
              render((piece + "\\n").repeat(2000));
            }
            console.log("done");
            """;
    Files.writeString(script, source);
    Run run = run(folder, "node", "--max-old-space-size=512", script.toString());
    assertThat(run.code).as(run.output).isZero();
    assertThat(run.output).contains("done");
  }
}
