package dev.ocellus.vlm.image.codec;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.OcellusException;
import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.image.ImageFormatException.Kind;
import dev.ocellus.vlm.image.ImageLimits;
import dev.ocellus.vlm.image.TestImages;
import java.io.ByteArrayInputStream;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ImageFileTest {
  private static final Path IMAGE = TestImages.GOLDEN.resolve("shapes_64x64.png");

  @TempDir Path directory;

  /** Decodes {@code args[0]} and prints its pixels. */
  public static void main(String[] args) throws IOException {
    System.out.print(HexFormat.of().formatHex(ImageDecoder.decode(Path.of(args[0])).toByteArray()));
  }

  @ParameterizedTest
  @ValueSource(strings = {"/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"})
  @DisabledOnOs(OS.WINDOWS)
  void readsThePipeThatIsStandardInput(String name) throws IOException {
    String classes =
        Stream.of(ImageDecoder.class, OcellusException.class, ImageFileTest.class)
            .map(type -> type.getProtectionDomain().getCodeSource().getLocation().getPath())
            .collect(Collectors.joining(File.pathSeparator));
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home", ""), "bin", "java").toString(),
                "-cp",
                classes,
                ImageFileTest.class.getName(),
                name)
            .redirectErrorStream(true)
            .start();
    try (var in = process.getOutputStream()) {
      Files.copy(IMAGE, in);
    }
    assertThat(new String(process.getInputStream().readAllBytes(), UTF_8))
        .isEqualTo(HexFormat.of().formatHex(ImageDecoder.decode(IMAGE).toByteArray()));
  }

  @Test
  @Timeout(60)
  @DisabledOnOs(OS.WINDOWS)
  void doesNotWaitForAPipeOfAnotherName() throws IOException, InterruptedException {
    Path pipe = directory.resolve("a.png");
    assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
    assertRefused(pipe, "pipe or a device");
    Path link = Files.createSymbolicLink(directory.resolve("b.png"), pipe);
    assertRefused(link, "pipe or a device");
    assertThatThrownBy(() -> ImageDecoder.decodeFrames(pipe, ImageLimits.DEFAULT))
        .hasMessageContaining("pipe or a device");
  }

  @Test
  void saysThatADirectoryIsOne() {
    assertRefused(directory, "directory");
  }

  private static void assertRefused(Path file, String says) {
    assertThatThrownBy(() -> ImageDecoder.decode(file))
        .isInstanceOfSatisfying(
            ImageFormatException.class, e -> assertThat(e.kind()).isEqualTo(Kind.NOT_AN_IMAGE))
        .hasMessageContaining(says)
        .hasMessageStartingWith(file.toString());
  }

  @Test
  void callsAStreamByItsName() {
    assertThatThrownBy(() ->
            ImageDecoder.decode(
                new ByteArrayInputStream(new byte[0]), "standard input", ImageLimits.DEFAULT))
        .hasMessage("standard input: the file is empty");
    assertThatThrownBy(() ->
            ImageDecoder.decode(
                Files.newInputStream(IMAGE), "upload", ImageLimits.DEFAULT.withMaxBytes(10)))
        .hasMessageStartingWith("upload: the file has more than the 10 bytes");
  }
}
