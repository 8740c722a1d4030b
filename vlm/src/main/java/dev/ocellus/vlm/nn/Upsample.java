package dev.ocellus.vlm.nn;

import dev.ocellus.ggml.ConvGeometry;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;

/** Maps of twice the width and height: every pixel four times, then a convolution of 3 by 3. */
public final class Upsample {
  private final Conv2d conv;

  private Upsample(Conv2d conv) {
    this.conv = conv;
  }

  /** Weights {@code conv.weight} [3, 3, channels, channels] and {@code conv.bias} [channels]. */
  public static Upsample of(Weights w, long channels) {
    return new Upsample(Conv2d.of(w.at("conv"), 3, channels, channels, ConvGeometry.of(1, 1)));
  }

  /** From [width, height, channels, batch] to [2 · width, 2 · height, channels, batch]. */
  public Tensor forward(Tensor x) {
    return conv.forwardDoubled(x);
  }
}
