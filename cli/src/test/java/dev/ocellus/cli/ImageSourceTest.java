package dev.ocellus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageSourceTest {
  @TempDir Path directory;

  private Cli encode(byte[] input, Object... images) throws IOException {
    Object[] arguments = {"encode", "--mmproj", Models.mmproj(), "--out", directory};
    return Cli.runWithInput(
        input, Stream.concat(Arrays.stream(arguments), Arrays.stream(images)).toArray());
  }

  @Test
  void isStandardInputAPathOrAUrl() throws IOException {
    Path file = Cli.redCircle(directory);
    byte[] bytes = Files.readAllBytes(file);
    String inline = "data:image/png;base64," + Base64.getEncoder().encodeToString(bytes);
    Cli run = encode(bytes, "-", file, file.toUri(), inline);
    assertThat(run.code()).as(run.err()).isZero();
    for (int i = 0; i < 4; i++) {
      assertThat(run.json().at("/images/" + i + "/size").toString()).isEqualTo("[192,192]");
      assertThat(directory.resolve(i + ".embeddings.npy"))
          .hasSameBinaryContentAs(directory.resolve("0.embeddings.npy"));
    }
    assertThat(run.json().at("/images/0/image").asText()).isEqualTo("-");
  }

  @Test
  void isReadOnceFromStandardInput() throws IOException {
    byte[] bytes = Files.readAllBytes(Cli.redCircle(directory));
    Cli run = Cli.runWithInput(bytes, "describe", "-n", "3", "-");
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.out()).isNotBlank();
    Cli chat = Cli.runWithInput(bytes, "chat", "-p", "What?", "-n", "3", "-i", "-");
    assertThat(chat.code()).as(chat.err()).isZero();
  }

  @Test
  void saysWhatIsWrongAndWhere() throws IOException {
    Cli run = encode(new byte[0], "-");
    assertThat(run.err()).contains("standard input: the file is empty");
    assertThat(run.code()).isEqualTo(1);
    assertThat(encode(new byte[0], directory).err())
        .contains(directory + ": this is a directory and not an image");
    assertThat(encode(new byte[0], "https://example.org/a.png").err())
        .contains("nothing is fetched from the network");
    assertThat(encode(new byte[0], "file://elsewhere/a.png").err())
        .contains("not a file: URL of this machine");
  }
}
