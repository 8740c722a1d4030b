package dev.ocellus.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Anthropic's own JavaScript client, unmodified. */
class AnthropicJavaScriptTest {
  static final List<String> PACKAGES = List.of("@anthropic-ai/sdk@0");

  @Test
  void doesWhatItsUsersExpect() throws Exception {
    Path script = Programs.MODULE.resolve("src/test/clients/anthropic.mjs");
    Path folder = Programs.withPackages("anthropic-js", PACKAGES, script);
    Path image = TestServer.docs().resolve("pictures/red-circle.png").toAbsolutePath();
    Programs.Run run =
        Programs.run(folder, List.of("node", "anthropic.mjs", image.normalize().toString()));
    assertThat(run.code()).as(run.output()).isZero();
    assertThat(run.output().lines().filter(line -> line.startsWith("ok "))).hasSize(11);
  }
}
