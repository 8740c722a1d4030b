package dev.ocellus.convert.model.base;

import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.hf.LazyTensor;

/**
 * The weights of a linear layer over the numbers of a patch as the kernel of a convolution, which
 * those of other towers are.
 */
public final class PatchRows {
  private PatchRows() {}

  /** From [out, y, x, channel] in two dimensions to [out, channel, y, x]. */
  public static LazyTensor kernel(LazyTensor linear, int patchSize) {
    long pixels = (long) patchSize * patchSize;
    if (linear.rank() != 2 || linear.size(1) != 3 * pixels) {
      throw new ConversionException(
          "Tensor %s: expected rows of %d numbers, as a patch has. The checkpoint is damaged."
              .formatted(linear, 3 * pixels));
    }
    return linear.rearrange(
        1,
        i -> {
          long channel = i / pixels % 3;
          return i / (3 * pixels) * (3 * pixels) + i % pixels * 3 + channel;
        },
        linear.size(0),
        3,
        patchSize,
        patchSize);
  }
}
