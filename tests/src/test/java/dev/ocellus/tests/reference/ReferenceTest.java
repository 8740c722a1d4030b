package dev.ocellus.tests.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Golden data that lack something are named, not skipped. */
class ReferenceTest {
  @TempDir Path root;

  private Path model() throws IOException {
    Path model = root.resolve("models/tiny");
    Files.createDirectories(model.resolve("gguf"));
    Files.createDirectories(model.resolve("cases/one"));
    return model;
  }

  @Test
  void namesAMissingFile() throws IOException {
    Files.createFile(model().resolve("gguf/text.gguf"));
    assertThatThrownBy(() -> Reference.of(root).models())
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContainingAll("mmproj.gguf", "tiny");
  }

  @Test
  void namesAModelWithoutConversations() throws IOException {
    Path model = model();
    Files.createFile(model.resolve("gguf/text.gguf"));
    Files.createFile(model.resolve("gguf/mmproj.gguf"));
    Files.writeString(model.resolve("cases/one/case.json"), "{}");
    assertThatThrownBy(() -> Reference.of(root).models())
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContainingAll("no conversation", "tiny");
    Files.writeString(model.resolve("cases/one/case.json"), "{\"messages\": [], \"greedy\": []}");
    assertThat(Reference.of(root).models()).containsExactly("tiny");
  }
}
