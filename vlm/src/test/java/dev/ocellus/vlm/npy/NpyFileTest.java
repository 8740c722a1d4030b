package dev.ocellus.vlm.npy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
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
    String header =
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }" + " ".repeat(58) + "\n";
    byte[] start = HexFormat.of().parseHex("934e554d505901007600");
    byte[] data = HexFormat.of().parseHex("0000803f0000004000004040000080400000a0400000d040");
    byte[] out = Arrays.copyOf(start, start.length + header.length() + data.length);
    byte[] text = header.getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(text, 0, out, start.length, text.length);
    System.arraycopy(data, 0, out, start.length + text.length, data.length);
    return out;
  }

  @Test
  void writesTheBytesThatNumpyWrites() throws IOException {
    Path p = dir.resolve("a.npy");
    NpyFile.writeFloats(p, new float[] {1, 2, 3, 4, 5, 6.5f}, 2, 3);
    assertThat(p).hasBinaryContent(BY_NUMPY);
    NpyFile.writeRows(
        p,
        2,
        3,
        (i, row) -> {
          for (int j = 0; j < 3; j++) {
            row[j] = i == 1 && j == 2 ? 6.5f : i * 3 + j + 1;
          }
        });
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
    NpyFile.writeLongs(p, new long[] {1, Long.MIN_VALUE}, 1, 2, 1);
    assertThat(NpyFile.read(p).longs()).containsExactly(1, Long.MIN_VALUE);
    assertThat(NpyFile.read(p).shape()).containsExactly(1, 2, 1);
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
  void leavesNothingWhenARowFails() throws IOException {
    assertThatThrownBy(() ->
            NpyFile.writeRows(
                dir.resolve("a.npy"),
                2,
                3,
                (i, row) -> {
                  throw new IOException("row");
                }))
        .hasMessage("row");
    assertThat(dir).isEmptyDirectory();
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
