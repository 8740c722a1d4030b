package dev.ocellus.vlm.encoder;

import dev.ocellus.gguf.GgufFile;
import dev.ocellus.nativelib.NativeVersion;
import dev.ocellus.vlm.options.VisionOptions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.CodeSource;
import java.util.List;
import java.util.stream.Stream;

/**
 * Everything besides the pixels that decides what an encoder makes of an image: the weights (hash
 * of the header and of samples of every tensor, size and time of the file), limits, the device, the
 * version of llama.cpp, and the build of Ocellus, so that neither another model nor another release
 * finds what is not its own.
 */
public final class EncoderIdentity {
  private static final int FORMAT = 1;

  private EncoderIdentity() {}

  /**
   * Lines of text that are equal where embeddings are.
   *
   * @throws UncheckedIOException if the encoder's file cannot be read any more
   */
  public static String of(VisionEncoder encoder, VisionOptions options) {
    try (GgufFile file = GgufFile.open(encoder.path())) {
      return String.join(
          "\n",
          List.of(
              "format " + FORMAT,
              "model " + file.identity(),
              "written " + times(file.files()),
              "architecture " + encoder.architecture().name(),
              "images " + options.images(),
              "precision " + options.precision(),
              "device " + encoder.device().description(),
              "llama.cpp " + NativeVersion.TAG,
              "ocellus " + build()));
    } catch (IOException e) {
      throw new UncheckedIOException(
          encoder.path() + " cannot be read any more: " + e.getMessage(), e);
    }
  }

  private static String times(List<Path> files) throws IOException {
    StringBuilder times = new StringBuilder();
    for (Path file : files) {
      times.append(Files.getLastModifiedTime(file).toInstant()).append(' ');
    }
    return times.toString();
  }

  /** The code that computes: size and time of the jar, or the youngest of the class files. */
  private static String build() throws IOException {
    CodeSource source = EncoderIdentity.class.getProtectionDomain().getCodeSource();
    if (source == null) {
      return "unknown";
    }
    try {
      Path code = Path.of(source.getLocation().toURI());
      try (Stream<Path> files = Files.walk(code)) {
        long[] newestAndBytes = {0, 0};
        for (Path file : (Iterable<Path>) files::iterator) {
          if (Files.isRegularFile(file)) {
            long time = Files.getLastModifiedTime(file).toMillis();
            newestAndBytes[0] = Math.max(newestAndBytes[0], time);
            newestAndBytes[1] += Files.size(file);
          }
        }
        return newestAndBytes[0] + " " + newestAndBytes[1];
      }
    } catch (URISyntaxException | IllegalArgumentException e) {
      return source.getLocation().toString();
    }
  }
}
