package dev.ocellus.convert;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.gguf.TensorType;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EncoderTest {
  private static final int PIECE = 1 << 20;

  /** Whatever the number of processors: what is left for the last round may be few pieces. */
  @ParameterizedTest
  @ValueSource(ints = {1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE + 5, 3 * PIECE, 4 * PIECE + 7})
  void writesTensorsOfAnySize(int count) throws IOException {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = i % 2048; // which F16 holds exactly
    }
    short[] found = new short[count];
    int[] done = new int[2];
    new Encoder(n -> done[1] += (int) n)
        .source(LazyTensor.of("t", values), TensorType.F16)
        .writeTo(piece -> {
          long bytes = piece.segment().byteSize();
          MemorySegment.copy(piece.segment(), 0, MemorySegment.ofArray(found), 2L * done[0], bytes);
          done[0] += (int) (bytes / 2);
        });
    assertThat(done).containsExactly(count, count);
    short[] expected = new short[count];
    for (int i = 0; i < count; i++) {
      expected[i] = Float.floatToFloat16(values[i]);
    }
    assertThat(Arrays.equals(found, expected)).isTrue();
  }
}
