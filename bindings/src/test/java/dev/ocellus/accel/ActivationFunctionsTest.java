package dev.ocellus.accel;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.function.DoubleUnaryOperator;
import java.util.function.ObjIntConsumer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ActivationFunctionsTest {
  private enum Function {
    GELU_TANH(
        GeluTanh::apply,
        x -> 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)))),
    QUICK_GELU(QuickGelu::apply, x -> x / (1 + Math.exp(-1.702 * x))),
    SILU(Silu::apply, x -> x / (1 + Math.exp(-x)));

    /** Puts results in the place of so many numbers. */
    final ObjIntConsumer<float[]> function;

    /** The same in double precision. */
    final DoubleUnaryOperator exact;

    Function(ObjIntConsumer<float[]> function, DoubleUnaryOperator exact) {
      this.function = function;
      this.exact = exact;
    }
  }

  @ParameterizedTest
  @EnumSource
  void areAsExactAsSinglePrecisionAllows(Function function) {
    int n = 400_001;
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = (i - 200_000) / 5_000f;
    }
    float[] found = values.clone();
    function.function.accept(found, n);
    for (int i = 0; i < n; i++) {
      double x = values[i];
      double limit = Math.abs(x) <= 8 ? 2e-6 : 4e-7 * Math.abs(x);
      assertThat(Math.abs(found[i] - function.exact.applyAsDouble(x)))
          .as("of %s", x)
          .isLessThan(limit);
    }
  }

  @ParameterizedTest
  @EnumSource
  void keepLargeNumbersAndWhatIsNone(Function function) {
    float[] values = {0f, 1e30f, -1e30f, Float.POSITIVE_INFINITY, Float.NaN, 50f, -50f};
    function.function.accept(values, values.length);
    assertThat(values[0]).isZero();
    assertThat(values[1]).isEqualTo(1e30f);
    assertThat(Math.abs(values[2])).isZero();
    assertThat(values[3]).isInfinite();
    assertThat(values[4]).isNaN();
    assertThat(values[5]).isEqualTo(50f);
    assertThat(Math.abs(values[6])).isZero();
  }
}
