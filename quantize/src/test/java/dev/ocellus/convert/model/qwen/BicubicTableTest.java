package dev.ocellus.convert.model.qwen;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.hf.LazyTensor;
import org.junit.jupiter.api.Test;

/** The values are those of {@code torch.nn.functional.interpolate} 2.13. */
class BicubicTableTest {
  private static final float[] THREE = {
    0.42919049f,
    2.77256989f,
    1.98400462f,
    1.91402686f,
    3.32714844f,
    0.92321509f,
    3.26715779f,
    0.58666170f,
    1.03327727f
  };
  private static final float[] FIRST_LINE_OF_SIX = {
    -0.25288159f, -0.04709206f, 1.36038768f, 3.95211291f, 3.54709268f, 1.99246585f
  };

  private static LazyTensor table() {
    float[] values = new float[16];
    for (int i = 0; i < 16; i++) {
      values[i] = i * i % 7;
    }
    return LazyTensor.of("table", values).reshape(16, 1);
  }

  @Test
  void growsAndShrinksAsPyTorchDoes() {
    assertThat(BicubicTable.resized(table(), 9).values())
        .usingComparatorWithPrecision(2e-6f)
        .containsExactly(THREE);
    LazyTensor six = BicubicTable.resized(table(), 36);
    assertThat(six.shape()).containsExactly(36, 1);
    assertThat(java.util.Arrays.copyOf(six.values(), 6))
        .usingComparatorWithPrecision(2e-6f)
        .containsExactly(FIRST_LINE_OF_SIX);
  }

  @Test
  void staysAsItIsWhereNothingChanges() {
    assertThat(BicubicTable.resized(table(), 16).values()).isEqualTo(table().values());
  }

  @Test
  void refusesWhatIsNoSquare() {
    assertThatThrownBy(() -> BicubicTable.resized(table(), 8))
        .isInstanceOf(ConversionException.class)
        .hasMessageContainingAll("table", "8 places");
    LazyTensor long3 = LazyTensor.of("long", 1, 2, 3).reshape(3, 1);
    assertThatThrownBy(() -> BicubicTable.resized(long3, 4))
        .isInstanceOf(ConversionException.class)
        .hasMessageContaining("3 places");
  }
}
