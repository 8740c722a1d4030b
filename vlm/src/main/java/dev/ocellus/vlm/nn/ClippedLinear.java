package dev.ocellus.vlm.nn;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;

/** {@code y = W x}, with what goes in and what comes out each held within a range of the file. */
public final class ClippedLinear {
  /**
   * A range, whose ends are known when the weights are loaded; without ends in the file, all. Files
   * have the largest float for an infinite end, which holds nothing either.
   */
  private static final class Range {
    private final float[] low = {Float.NEGATIVE_INFINITY};
    private final float[] high = {Float.POSITIVE_INFINITY};

    Range(Weights w, String name) {
      read(w, name + "_min", low);
      read(w, name + "_max", high);
    }

    private static void read(Weights w, String name, float[] end) {
      if (w.has(name)) {
        w.f32Computed(
            name,
            new long[] {1},
            values -> {
              end[0] = values[0];
              return values;
            },
            1);
      }
    }

    Tensor clip(Tensor x) {
      boolean open = low[0] <= -Float.MAX_VALUE && high[0] >= Float.MAX_VALUE;
      return open ? x : x.clamp(low[0], high[0]);
    }
  }

  private final Linear linear;
  private final Range in;
  private final Range out;

  private ClippedLinear(Linear linear, Range in, Range out) {
    this.linear = linear;
    this.in = in;
    this.out = out;
  }

  /**
   * Weights {@code weight} [nIn, nOut] and, where the file has them, {@code input_min}, {@code
   * input_max}, {@code output_min} and {@code output_max} [1].
   */
  public static ClippedLinear of(Weights w, long nIn, long nOut) {
    return new ClippedLinear(
        Linear.of(w, nIn, nOut), new Range(w, "input"), new Range(w, "output"));
  }

  /** From [nIn, n, …] to [nOut, n, …]. */
  public Tensor forward(Tensor x) {
    return out.clip(linear.forward(in.clip(x)));
  }
}
