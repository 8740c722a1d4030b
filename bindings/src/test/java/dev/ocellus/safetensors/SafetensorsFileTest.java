package dev.ocellus.safetensors;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Against golden.safetensors, which make_golden.py beside it wrote with the reference library. */
class SafetensorsFileTest {
  @TempDir Path dir;

  private static byte[] golden() throws IOException {
    try (InputStream in = SafetensorsFileTest.class.getResourceAsStream("golden.safetensors")) {
      return Objects.requireNonNull(in).readAllBytes();
    }
  }

  private Path file(String header, int dataBytes) throws IOException {
    byte[] json = header.getBytes(UTF_8);
    ByteBuffer b = ByteBuffer.allocate(8 + json.length + dataBytes).order(ByteOrder.LITTLE_ENDIAN);
    b.putLong(json.length).put(json);
    return Files.write(dir.resolve("t.safetensors"), b.array());
  }

  @Test
  void readsWhatTheReferenceLibraryWrites() throws IOException {
    Path p = Files.write(dir.resolve("g.safetensors"), golden());
    try (SafetensorsFile f = SafetensorsFile.open(p)) {
      assertThat(f.names()).hasSize(12).contains("f32", "empty");
      assertThat(f.metadata()).containsEntry("format", "pt");
      assertThat(f.shape("f32")).containsExactly(2L, 3L);
      assertThat(f.type("bf16")).isEqualTo(SafetensorsType.BF16);
      assertThat(f.floats("f32")).containsExactly(1, -2, 0.5f, 3.25f, 0, 1e-3f);
      assertThat(f.floats("f64")).containsExactly(1, -2, 0.5f, 3.25f, 0, 1e-3f);
      assertThat(f.floats("f16"))
          .containsExactly(1, -2, 0.5f, 3.25f, 0, (float) 0.0010004043579101562);
      assertThat(f.floats("bf16"))
          .containsExactly(1, -2, 0.5f, 3.25f, 0, (float) 0.00099945068359375);
      assertThat(f.longs("i64")).containsExactly(1, -(1L << 62));
      assertThat(f.longs("i32")).containsExactly(-7);
      assertThat(f.longs("i16")).containsExactly(-300, 300);
      assertThat(f.longs("i8")).containsExactly(-128, 127);
      assertThat(f.longs("u8")).containsExactly(0, 255);
      assertThat(f.longs("bool")).containsExactly(1, 0);
      assertThat(f.shape("scalar")).isEmpty();
      assertThat(f.floats("scalar")).containsExactly(4.5f);
      assertThat(f.floats("empty")).isEmpty();
      assertThat(f.bytes("u8")).containsExactly(0, 255);
    }
  }

  @Test
  void namesWhatIsMissingOrOfAnotherType() throws IOException {
    Path p = Files.write(dir.resolve("g.safetensors"), golden());
    try (SafetensorsFile f = SafetensorsFile.open(p)) {
      assertThatThrownBy(() -> f.floats("nope"))
          .isInstanceOf(SafetensorsFormatException.class)
          .hasMessageContaining("'nope'")
          .hasMessageContaining("none among 12");
      assertThatThrownBy(() -> f.floats("i64")).hasMessageContaining("found I64");
      assertThatThrownBy(() -> f.longs("f16")).hasMessageContaining("found F16");
    }
    assertThatThrownBy(() -> SafetensorsFile.open(dir.resolve("none")))
        .isInstanceOf(NoSuchFileException.class);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{",
        "{}x",
        "{\"a\":1}",
        "{\"a\":{}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]",
        "{\"a\":{\"dtype\":\"F33\",\"shape\":[2],\"data_offsets\":[0,8]}}",
        "{\"a\":{\"dtype\":7,\"shape\":[2],\"data_offsets\":[0,8]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2.0],\"data_offsets\":[0,8]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[16,24]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4],\"data_offsets\":[0,0]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[99999999999999999999],\"data_offsets\":[0,8]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,2],\"data_offsets\":[0,8]}}",
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2],\"x\":1}}",
        "{\"__metadata__\":{\"a\":1}}",
        "{\"a\":[[[[[[[[[[[[]]]]]]]]]]]]}",
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
            + "\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}",
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},"
            + "\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[3,7]}}",
      })
  void refusesBadHeaders(String header) throws IOException {
    Path p = file(header, 16);
    assertThatThrownBy(() -> SafetensorsFile.open(p))
        .isInstanceOf(SafetensorsFormatException.class)
        .hasMessageContaining("t.safetensors");
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 1, 17, 100_000_001, Long.MAX_VALUE, -1})
  void refusesAbsurdHeaderLengths(long length) throws IOException {
    ByteBuffer b = ByteBuffer.allocate(24).order(ByteOrder.LITTLE_ENDIAN).putLong(length);
    b.put("{}              ".getBytes(UTF_8));
    Path p = Files.write(dir.resolve("t"), b.array());
    assertThatThrownBy(() -> SafetensorsFile.open(p))
        .isInstanceOf(SafetensorsFormatException.class)
        .hasMessageContaining("length of the header");
  }

  @Test
  void damageGivesAFormatExceptionOrAFileThatReads() throws IOException {
    byte[] valid = golden();
    Random random = new Random(7);
    int refused = 0;
    for (int i = 0; i < 1500; i++) {
      byte[] b = valid.clone();
      int at = random.nextInt(b.length);
      if (i % 3 == 0) {
        b = Arrays.copyOf(b, at);
      } else {
        b[at] ^= (byte) (1 << random.nextInt(8));
      }
      Path p = Files.write(dir.resolve("mutant"), b);
      try (SafetensorsFile f = SafetensorsFile.open(p)) {
        for (String name : f.names()) {
          assertThat(f.bytes(name)).isNotNull();
        }
      } catch (SafetensorsFormatException e) {
        refused++;
      }
    }
    assertThat(refused).isBetween(500, 1499);
  }

  @Test
  void refusesAccessAfterClose() throws IOException {
    SafetensorsFile f = SafetensorsFile.open(Files.write(dir.resolve("g"), golden()));
    f.close();
    f.close();
    assertThatThrownBy(() -> f.floats("f32")).isInstanceOf(IllegalStateException.class);
  }
}
