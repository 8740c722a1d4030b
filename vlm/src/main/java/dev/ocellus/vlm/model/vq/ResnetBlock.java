package dev.ocellus.vlm.model.vq;

import dev.ocellus.ggml.ConvGeometry;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.vlm.codes.MapBudget;
import dev.ocellus.vlm.nn.Conv2d;
import dev.ocellus.vlm.nn.NormedConv2d;
import org.jspecify.annotations.Nullable;

/** Two norms, activations (SiLU) and convolutions of 3 by 3 beside the identity. */
final class ResnetBlock {
  private final NormedConv2d first;
  private final NormedConv2d second;
  private final @Nullable Conv2d shortcut;

  private ResnetBlock(NormedConv2d first, NormedConv2d second, @Nullable Conv2d shortcut) {
    this.first = first;
    this.second = second;
    this.shortcut = shortcut;
  }

  /**
   * Weights {@code norm1}, {@code conv1} [3, 3, nIn, nOut], {@code norm2}, {@code conv2} [3, 3,
   * nOut, nOut] and, where the number of channels changes, {@code shortcut} of 1 by 1 or 3 by 3.
   */
  static ResnetBlock of(Weights w, int nIn) {
    int nOut = Maps.outputs(w.at("conv1"));
    return new ResnetBlock(
        Maps.normedConv(w.at("norm1"), w.at("conv1"), nIn, nOut),
        Maps.normedConv(w.at("norm2"), w.at("conv2"), nOut, nOut),
        nIn == nOut ? null : shortcut(w.at("shortcut"), nIn, nOut));
  }

  private static Conv2d shortcut(Weights w, int nIn, int nOut) {
    int size = Maps.kernel(w) == 3 ? 3 : 1;
    return Conv2d.of(w, size, nIn, nOut, ConvGeometry.of(1, size / 2));
  }

  /**
   * From [width, height, nIn, batch] to [width, height, nOut, batch].
   *
   * @param x which nothing else may read afterwards, as the result may take its place
   */
  Tensor forward(Tensor x, MapBudget budget) {
    if (budget == MapBudget.LEAST) {
      return first.forwardInto(x, second, shortcut == null ? x : shortcut.forward(x));
    }
    Tensor y = first.forward(x);
    return second.forwardInto(y, shortcut == null ? x : shortcut.forward(x));
  }
}
