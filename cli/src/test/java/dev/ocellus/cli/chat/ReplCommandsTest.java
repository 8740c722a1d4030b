package dev.ocellus.cli.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class ReplCommandsTest {
  @Test
  void takesPathsAsPeopleTypeAndDropThem() {
    Path plain = Path.of("a b.png");
    assertThat(ReplCommands.path("a b.png ")).isEqualTo(plain);
    assertThat(ReplCommands.path("\"a b.png\"")).isEqualTo(plain);
    assertThat(ReplCommands.path("'a b.png'")).isEqualTo(plain);
    assertThat(ReplCommands.path("a\\ b.png")).isEqualTo(plain);
    assertThat(ReplCommands.path("~/a b.png"))
        .isEqualTo(Path.of(System.getProperty("user.home"), "a b.png"));
  }

  @Test
  void saysThatAPathIsMissing() {
    assertThatThrownBy(() -> ReplCommands.path("  "))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("expected a path");
  }
}
