package dev.ocellus.vlm.model.vq;

import dev.ocellus.ggml.ConvGeometry;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.vlm.nn.Conv2d;
import dev.ocellus.vlm.nn.GroupNorm;
import org.jspecify.annotations.Nullable;

/** Two norms, activations (SiLU) and convolutions of 3 by 3 beside the identity. */
final class ResnetBlock {
  private final GroupNorm norm1;
  private final Conv2d conv1;
  private final GroupNorm norm2;
  private final Conv2d conv2;
  private final @Nullable Conv2d shortcut;

  private ResnetBlock(
      GroupNorm norm1, Conv2d conv1, GroupNorm norm2, Conv2d conv2, @Nullable Conv2d shortcut) {
    this.norm1 = norm1;
    this.conv1 = conv1;
    this.norm2 = norm2;
    this.conv2 = conv2;
    this.shortcut = shortcut;
  }

  /**
   * Weights {@code norm1}, {@code conv1} [3, 3, nIn, nOut], {@code norm2}, {@code conv2} [3, 3,
   * nOut, nOut] and, where the number of channels changes, {@code shortcut} of 1 by 1 or 3 by 3.
   */
  static ResnetBlock of(Weights w, int nIn) {
    int nOut = Maps.outputs(w.at("conv1"));
    return new ResnetBlock(
        Maps.norm(w.at("norm1"), nIn),
        Maps.conv3(w.at("conv1"), nIn, nOut),
        Maps.norm(w.at("norm2"), nOut),
        Maps.conv3(w.at("conv2"), nOut, nOut),
        nIn == nOut ? null : shortcut(w.at("shortcut"), nIn, nOut));
  }

  private static Conv2d shortcut(Weights w, int nIn, int nOut) {
    int size = Maps.kernel(w) == 3 ? 3 : 1;
    return Conv2d.of(w, size, nIn, nOut, ConvGeometry.of(1, size / 2));
  }

  /** From [width, height, nIn, batch] to [width, height, nOut, batch]. */
  Tensor forward(Tensor x) {
    Tensor y = norm2.forwardSilu(conv1.forward(norm1.forwardSilu(x)));
    return conv2.forward(y, shortcut == null ? x : shortcut.forward(x));
  }
}
