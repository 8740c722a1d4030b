package dev.ocellus.vlm.npy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NpyFileTest {
  /** {@code numpy.save(f, numpy.array([[1, 2, 3], [4, 5, 6.5]], dtype='f4'))} of numpy 2.4. */
  private static final byte[] BY_NUMPY = byNumpy();

  @TempDir Path dir;

  private static byte[] byNumpy() {
    return file("<f4", "(2, 3)", "0000803f0000004000004040000080400000a0400000d040");
  }

  private static byte[] file(String type, String shape, String data) {
    String header = "{'descr': '%s', 'fortran_order': False, 'shape': %s, }".formatted(type, shape);
    String padded = header + " ".repeat(117 - header.length()) + "\n";
    byte[] text = padded.getBytes(StandardCharsets.US_ASCII);
    return ByteBuffer.allocate(10 + text.length + data.length() / 2)
        .put(HexFormat.of().parseHex("934e554d505901007600"))
        .put(text)
        .put(HexFormat.of().parseHex(data))
        .array();
  }

  @Test
  void readsLongs() throws IOException {
    Path p = dir.resolve("a.npy");
    Files.write(p, file("<i8", "(1, 2, 1)", "01000000000000000000000000000080"));
    assertThat(NpyFile.read(p).longs()).containsExactly(1, Long.MIN_VALUE);
    assertThat(NpyFile.read(p).shape()).containsExactly(1, 2, 1);
  }

  @Test
  void writesTheBytesThatNumpyWrites() throws IOException {
    Path p = dir.resolve("a.npy");
    NpyFile.writeFloats(p, new float[] {1, 2, 3, 4, 5, 6.5f}, 2, 3);
    assertThat(p).hasBinaryContent(BY_NUMPY);
  }

  @Test
  void readsWhatItWrites() throws IOException {
    Path p = dir.resolve("a.npy");
    float[] many = new float[100_003];
    for (int i = 0; i < many.length; i++) {
      many[i] = i * 0.5f;
    }
    NpyFile.writeFloats(p, many, many.length);
    assertThat(NpyFile.read(p).floats()).isEqualTo(many);
    assertThat(NpyFile.read(p).shape()).containsExactly(many.length);
    NpyFile.writeFloats(p, new float[] {7});
    assertThat(NpyFile.read(p).shape()).isEmpty();
    NpyFile.writeFloats(p, new float[0], 0, 5);
    assertThat(NpyFile.read(p).floats()).isEmpty();
    assertThatThrownBy(() -> NpyFile.read(p).longs()).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void refusesAShapeThatDoesNotHoldTheData() {
    Path p = dir.resolve("a.npy");
    assertThatThrownBy(() -> NpyFile.writeFloats(p, new float[6], 2, 4))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> NpyFile.writeFloats(p, new float[6], -2, -3))
        .isInstanceOf(IllegalArgumentException.class);
    assertThat(p).doesNotExist();
  }

  @Test
  void refusesEveryTruncation() throws IOException {
    Path p = dir.resolve("cut.npy");
    for (int n = 0; n < BY_NUMPY.length; n++) {
      Files.write(p, Arrays.copyOf(BY_NUMPY, n));
      assertThatThrownBy(() -> NpyFile.read(p)).isInstanceOf(NpyFormatException.class);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "'<f8'",
        "'>f4'",
        "'|V4'",
        "(2, 4)",
        "(99999999999, 3)",
        "(2147483647, 2147483647)"
      })
  void refusesOtherTypesAndShapes(String value) throws IOException {
    String header = new String(BY_NUMPY, StandardCharsets.ISO_8859_1);
    String changed = header.replace(value.startsWith("'") ? "'<f4'" : "(2, 3)", value);
    int grown = changed.length() - header.length();
    // Padding makes up for it, so that the header keeps its length.
    changed = changed.replaceFirst(" ".repeat(grown) + "\n", "\n");
    Path p = Files.write(dir.resolve("x.npy"), changed.getBytes(StandardCharsets.ISO_8859_1));
    assertThatThrownBy(() -> NpyFile.read(p)).isInstanceOf(NpyFormatException.class);
  }
}
