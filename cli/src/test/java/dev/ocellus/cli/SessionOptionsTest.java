package dev.ocellus.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ocellus.cli.options.SessionMixin;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Image cache, speculative decoding and eviction as options. */
class SessionOptionsTest {
  @TempDir Path directory;

  private static JsonNode ask(Path image, Object... more) {
    Object[] arguments =
        Stream.concat(
                Stream.of("chat", "-q", "--json", "-t", 1, "--temp", 0, "--image", image),
                Stream.concat(Stream.of("-p", "What color is the circle?"), Stream.of(more)))
            .toArray();
    Cli run = Cli.run(arguments);
    assertThat(run.code()).as(run.err()).isZero();
    return run.json();
  }

  @Test
  void encodesNoImageInASecondRunWithTheDiskCache() throws IOException {
    Path image = Cli.redCircle(directory);
    Path cache = directory.resolve("cache");
    JsonNode first = ask(image, "--image-cache", cache);
    JsonNode second = ask(image, "--image-cache", cache);
    assertThat(first.get("images").get("encoded").asInt()).isEqualTo(1);
    assertThat(second.get("images").get("encoded").asInt()).isZero();
    assertThat(second.get("images").get("from_disk_cache").asInt()).isEqualTo(1);
    assertThat(second.get("timings").get("image_encode").get("ms").asDouble()).isZero();
    assertThat(second.get("tokens")).isEqualTo(first.get("tokens"));
    assertThat(second.get("text").asText()).contains("red");
  }

  @Test
  void keepsTheDirectoryWithinItsSize() throws IOException {
    Path image = Cli.redCircle(directory);
    Path cache = directory.resolve("cache");
    ask(image, "--image-cache", cache, "--image-cache-size", "1K");
    assertThat(cache).doesNotExist(); // the image is larger
    ask(image, "--image-cache", cache, "--image-cache-size", "1M");
    try (Stream<Path> files = Files.list(cache)) {
      assertThat(files).hasSize(1);
    }
  }

  @Test
  void answersTheSameWithGuesses() throws IOException {
    Path image = Cli.redCircle(directory);
    JsonNode plain = ask(image, "-n", 24, "--ignore-eos");
    JsonNode lookup = ask(image, "-n", 24, "--ignore-eos", "--lookup", "--draft-max", 4);
    JsonNode draft = ask(image, "-n", 24, "--ignore-eos", "-md", Models.text(), "--draft-p-min", 0);
    assertThat(lookup.get("tokens")).isEqualTo(plain.get("tokens"));
    assertThat(draft.get("tokens")).isEqualTo(plain.get("tokens"));
    assertThat(plain.get("drafts").get("drafted").asInt()).isZero();
    assertThat(draft.get("drafts").get("accepted").asInt()).isPositive();
  }

  @Test
  void refusesWrongValues() {
    for (Object[] wrong :
        new Object[][] {
          {"--image-cache-size", "many"},
          {"--draft-max", 0},
          {"--lookup", "-md", "x.gguf"},
          {"--context-full", "explode"}
        }) {
      Object[] arguments = Stream.concat(Stream.of("chat", "-p", "x"), Stream.of(wrong)).toArray();
      Cli run = Cli.run(arguments);
      assertThat(run.code()).as("%s", (Object) wrong).isEqualTo(2);
    }
  }

  @Test
  void readsSizesWithUnits() {
    assertThat(SessionMixin.bytes("", "5")).isEqualTo(5);
    assertThat(SessionMixin.bytes("", "3k")).isEqualTo(3 << 10);
    assertThat(SessionMixin.bytes("", "500MiB")).isEqualTo(500L << 20);
    assertThat(SessionMixin.bytes("", "2G")).isEqualTo(2L << 30);
    for (String wrong : new String[] {"", "G", "-1", "1.5G", "9999999999G"}) {
      assertThatThrownBy(() -> SessionMixin.bytes("--size", wrong))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("--size");
    }
  }
}
