package dev.ocellus.gguf;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Damages a small valid file in thousands of ways, the same ones in every run. */
class GgufMutationTest {
  private static final int MUTATIONS = 2500;
  private static final long[] ABSURD = {
    -1, 0, 1, 0x7f, 0xffff, 1L << 31, (1L << 32) - 1, 1L << 40, Long.MAX_VALUE, Long.MIN_VALUE
  };

  @TempDir Path dir;

  @Test
  void damageGivesAFormatExceptionOrAFileThatReads() throws IOException {
    byte[] valid;
    try (InputStream in = getClass().getResourceAsStream("golden.gguf")) {
      valid = Objects.requireNonNull(in).readAllBytes();
    }
    Random random = new Random(20260101);
    int[] outcomes = new int[2];
    Assertions.assertTimeoutPreemptively(
        Duration.ofSeconds(60),
        () -> {
          for (int i = 0; i < MUTATIONS; i++) {
            Path p = Files.write(dir.resolve("mutant.gguf"), mutate(valid, random));
            outcomes[readEverything(p) ? 1 : 0]++;
          }
        });
    // Both must occur in number, else the mutations are too weak or too strong to tell anything.
    assertThat(outcomes[0]).isGreaterThan(MUTATIONS / 10);
    assertThat(outcomes[1]).isGreaterThan(MUTATIONS / 50);
  }

  /** Any other exception or error fails the test. */
  private static boolean readEverything(Path p) throws IOException {
    try (GgufFile f = GgufFile.open(p)) {
      for (GgufValue v : f.metadata().asMap().values()) {
        assertThat(v.display()).isNotNull();
        assertThat(v.hashCode()).isEqualTo(v.hashCode());
        if (v instanceof GgufArray a && a.length() > 0) {
          assertThat(a.displayAt(a.length() - 1)).isNotNull();
        }
      }
      for (GgufTensor t : f.tensors()) {
        assertThat(t.data().byteSize()).isEqualTo(t.byteSize());
        assertThat(t.offset() + t.byteSize()).isLessThanOrEqualTo(f.byteSize());
        if (t.type() == TensorType.F32 || t.type() == TensorType.F16) {
          assertThat(t.floats()).hasSize((int) t.nElements());
        }
      }
      return true;
    } catch (GgufFormatException e) {
      assertThat(e).hasMessageContaining("mutant.gguf").hasMessageContaining("expected");
      return false;
    }
  }

  private static byte[] mutate(byte[] valid, Random random) {
    byte[] b = valid.clone();
    int times = 1 + random.nextInt(3);
    for (int i = 0; i < times; i++) {
      int at = random.nextInt(b.length);
      switch (random.nextInt(6)) {
        case 0 -> b[at] ^= (byte) (1 << random.nextInt(8));
        case 1 -> b[at] = (byte) random.nextInt(256);
        case 2 -> b = Arrays.copyOf(b, Math.max(1, at));
        case 3 -> { // an absurd number over a count, a length, a size or an offset
          if (at + 8 <= b.length) {
            long v = ABSURD[random.nextInt(ABSURD.length)];
            ByteBuffer.wrap(b).order(ByteOrder.LITTLE_ENDIAN).putLong(at, v);
          }
        }
        case 4 -> { // inserted bytes
          ByteArrayOutputStream out = new ByteArrayOutputStream();
          out.write(b, 0, at);
          out.writeBytes(new byte[1 + random.nextInt(16)]);
          out.write(b, at, b.length - at);
          b = out.toByteArray();
        }
        default -> { // a piece moved elsewhere
          int n = Math.min(random.nextInt(32), b.length - at);
          System.arraycopy(b, at, b, random.nextInt(b.length - n + 1), n);
        }
      }
    }
    return b;
  }
}
