package dev.ocellus.convert.hf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class LazyTensorTest {
  private static LazyTensor counting(long... shape) {
    float[] values = new float[(int) LazyTensor.product(shape)];
    for (int i = 0; i < values.length; i++) {
      values[i] = i;
    }
    return LazyTensor.of("t", values).reshape(shape);
  }

  @Test
  void takesOneFrameOfAConvolution() {
    LazyTensor kernel = counting(2, 1, 2, 2, 2); // two outputs, two frames of 2x2
    assertThat(kernel.frame(0).values()).containsExactly(0, 1, 2, 3, 8, 9, 10, 11);
    assertThat(kernel.frame(1).values()).containsExactly(4, 5, 6, 7, 12, 13, 14, 15);
    assertThat(kernel.frame(1).shape()).containsExactly(2, 1, 2, 2);
  }

  @Test
  void readsAnyRangeOfWhatWasRearranged() {
    LazyTensor reversed = counting(4, 3).rearrange(3, i -> 3 - i, 4, 3);
    float[] out = new float[6];
    reversed.read(2, out, 1, 5); // across three rows
    assertThat(out).containsExactly(0, 11, 6, 7, 8, 3);
  }

  @Test
  void splitsIntoParts() {
    assertThat(counting(6).part(1, 3).values()).containsExactly(2, 3);
    assertThat(counting(6, 2).part(2, 3).values()).containsExactly(8, 9, 10, 11);
  }

  @Test
  void multipliesBlocks() {
    LazyTensor ones = LazyTensor.of("w", 1, 1, 1, 1, 1, 1).reshape(2, 3);
    assertThat(ones.scaledByBlock(new float[] {2, 3, 5, 7}, 1, 2).values())
        .containsExactly(2, 2, 3, 5, 5, 7);
  }

  @Test
  void refusesRangesOutside() {
    assertThatThrownBy(() -> counting(4).read(3, new float[4], 0, 2))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> counting(4).reshape(3)).isInstanceOf(IllegalArgumentException.class);
  }
}
