package dev.ocellus.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class TensorTypeTest {
  @Test
  void knowsTheBlockLayoutsOfGgml() {
    assertThat(TensorType.values()).hasSize(35);
    assertThat(TensorType.Q4_K.rowBytes(512)).isEqualTo(288);
    assertThat(TensorType.Q8_0.bytes(64, 3)).isEqualTo(204);
    assertThat(TensorType.F16.bytes(3, 5, 7, 2)).isEqualTo(420);
    assertThat(TensorType.Q6_K.bitsPerElement()).isEqualTo(6.5625);
    assertThat(TensorType.Q4_K.ggmlName()).isEqualTo("q4_K");
  }

  @Test
  void tellsFloatsOf16BitsFromWholeNumbersOf16() {
    assertThat(TensorType.values())
        .filteredOn(TensorType::isHalf)
        .containsExactly(TensorType.F16, TensorType.BF16);
  }

  @Test
  void findsEveryTypeByItsId() {
    for (TensorType t : TensorType.values()) {
      assertThat(TensorType.ofId(t.id())).contains(t);
    }
  }

  @Test
  void refusesRemovedAndUnknownIds() {
    for (int id : new int[] {4, 5, 31, 32, 33, 36, 37, 38}) {
      assertThat(TensorType.ofId(id)).isEmpty();
      assertThat(TensorType.removed(id)).isPresent();
    }
    for (int id : new int[] {-1, 43, 1000, Integer.MIN_VALUE, Integer.MAX_VALUE}) {
      assertThat(TensorType.ofId(id)).isEmpty();
      assertThat(TensorType.removed(id)).isEmpty();
    }
  }

  @Test
  void refusesRowsThatDoNotFillTheirBlocksAndOverflow() {
    assertThatThrownBy(() -> TensorType.Q4_0.rowBytes(33))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("multiple of 32");
    assertThatThrownBy(() -> TensorType.F32.rowBytes(-1))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> TensorType.F32.bytes(1L << 40, 1L << 40))
        .isInstanceOf(ArithmeticException.class);
    assertThatThrownBy(() -> TensorType.F32.bytes(2, -2))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
