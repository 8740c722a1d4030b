package dev.ocellus.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import dev.ocellus.server.Programs.Run;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * The page in a real Chromium, through Playwright. Where there is no Chromium or no Node, this test
 * is skipped and says what is missing; {@code CHROMIUM} may name one.
 */
class PageTest {
  private static final List<String> PACKAGES = List.of("axe-core@4.14.1", "playwright-core@1.65.1");

  /** Where screenshots of the docs are put; nowhere unless asked for. */
  private static final String SCREENSHOTS = System.getProperty("ocellus.screenshots", "");

  private static Path chromium() {
    String named = System.getenv("CHROMIUM");
    List<String> names =
        named != null
            ? List.of(named)
            : List.of("chromium", "chromium-browser", "google-chrome", "google-chrome-stable");
    return names.stream()
        .flatMap(Programs::find)
        .findFirst()
        .orElseGet(() -> abort("no Chromium on the PATH, and CHROMIUM names none"));
  }

  @Test
  void worksInABrowser() throws Exception {
    Path browser = chromium();
    // nothing of a browser is downloaded
    Path script = Programs.MODULE.resolve("src/test/page/page.mjs");
    Path folder = Programs.withPackages("page-test", PACKAGES, script);
    var command = new ArrayList<>(List.of("node", "page.mjs"));
    command.add(TestServer.url(TestServer.shared()) + "/");
    command.add(browser.toString());
    command.add(TestServer.docs().resolve("pictures/red-circle.png").toAbsolutePath().toString());
    if (!SCREENSHOTS.isEmpty()) {
      command.add(Path.of(SCREENSHOTS).toAbsolutePath().toString());
    }
    Run run = Programs.run(folder, command);
    assertThat(run.code()).as(run.output()).isZero();
    assertThat(run.output().lines().filter(line -> line.startsWith("ok "))).hasSize(15);
  }

  /** The renderer, alone: no text makes it take long. */
  @Test
  void rendersAnyTextInTime() throws Exception {
    Programs.need("node");
    Path folder = Files.createDirectories(Programs.MODULE.resolve("target/markdown-test"));
    Path script = folder.resolve("markdown.mjs");
    Path renderer =
        Programs.MODULE
            .resolve("src/main/resources/dev/ocellus/server/page/markdown.js")
            .toAbsolutePath();
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
    Run run = Programs.run(folder, List.of("node", "--max-old-space-size=512", script.toString()));
    assertThat(run.code()).as(run.output()).isZero();
    assertThat(run.output()).contains("done");
  }
}
