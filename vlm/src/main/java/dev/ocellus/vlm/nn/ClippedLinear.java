package dev.ocellus.vlm.nn;

import dev.ocellus.ggml.Range;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import java.util.HashMap;
import java.util.Map;

/** {@code y = W x}, with what goes in and what comes out each held within a range of the file. */
public final class ClippedLinear {
  /**
   * Ends of a range, which are known when the weights are loaded; without ends in the file, all.
   * Files have the largest float for an infinite end.
   */
  private static final class Ends {
    private final float[] low = {Float.NEGATIVE_INFINITY};
    private final float[] high = {Float.POSITIVE_INFINITY};

    Ends(Weights w, String name) {
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

    Range range() {
      return new Range(
          low[0] <= -Float.MAX_VALUE ? Float.NEGATIVE_INFINITY : low[0],
          high[0] >= Float.MAX_VALUE ? Float.POSITIVE_INFINITY : high[0]);
    }
  }

  /** What goes into several layers: held within a range that some of them share, it is once. */
  public static final class Input {
    private final Tensor x;
    private final Map<Range, Tensor> clipped = new HashMap<>();

    public Input(Tensor x) {
      this.x = x;
    }

    private Tensor within(Range range) {
      return clipped.computeIfAbsent(range, each -> each.clip(x));
    }
  }

  private final Linear linear;
  private final Ends in;
  private final Ends out;

  private ClippedLinear(Linear linear, Ends in, Ends out) {
    this.linear = linear;
    this.in = in;
    this.out = out;
  }

  /**
   * Weights {@code weight} [nIn, nOut] and, where the file has them, {@code input_min}, {@code
   * input_max}, {@code output_min} and {@code output_max} [1].
   */
  public static ClippedLinear of(Weights w, long nIn, long nOut) {
    return new ClippedLinear(Linear.of(w, nIn, nOut), new Ends(w, "input"), new Ends(w, "output"));
  }

  /** From [nIn, n, …] to [nOut, n, …]. */
  public Tensor forward(Tensor x) {
    return forward(new Input(x));
  }

  /** From [nIn, n, …] to [nOut, n, …]. */
  public Tensor forward(Input x) {
    return outputs().clip(product(x));
  }

  /** The same of what is within {@link #inputs} already. */
  Tensor forwardClipped(Tensor x) {
    return outputs().clip(linear.forward(x));
  }

  /** The same, not within {@link #outputs} yet. */
  Tensor product(Input x) {
    return linear.forward(x.within(inputs()));
  }

  /** What goes in is held within this range. */
  Range inputs() {
    return in.range();
  }

  /** What comes out is held within this range. */
  Range outputs() {
    return out.range();
  }
}
