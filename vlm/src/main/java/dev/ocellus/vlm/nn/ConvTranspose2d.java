package dev.ocellus.vlm.nn;

import dev.ocellus.ggml.ConvGeometry;
import dev.ocellus.ggml.FeatureMaps;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import org.jspecify.annotations.Nullable;

/**
 * A transposed convolution in F32. It is computed as a convolution of the map with zeros between
 * its pixels, with the kernel turned around, which every device has.
 */
public final class ConvTranspose2d {
  private final Tensor kernel;
  private final @Nullable Tensor bias;
  private final int stride;
  private final int border;

  private ConvTranspose2d(Tensor kernel, @Nullable Tensor bias, int stride, int border) {
    this.kernel = kernel;
    this.bias = bias;
    this.stride = stride;
    this.border = border;
  }

  /**
   * Weights {@code weight} [size, size, nOut, nIn] as PyTorch stores it and, where the file has it,
   * {@code bias} [nOut].
   *
   * @param padding pixels that are cut off at every side, less than {@code size}
   */
  public static ConvTranspose2d of(
      Weights w, int size, long nIn, long nOut, int stride, int padding) {
    if (padding < 0 || padding >= size) {
      throw new IllegalArgumentException(
          "padding: expected 0 to %d, found %d".formatted(size - 1, padding));
    }
    Tensor kernel =
        w.f32Computed(
            "weight",
            new long[] {size, size, nOut, nIn},
            values -> turned(values, size * size, (int) nIn, (int) nOut),
            size,
            size,
            nIn,
            nOut);
    return new ConvTranspose2d(kernel, Conv2d.bias(w, nOut), stride, size - 1 - padding);
  }

  /** [area, nOut, nIn] to [area backwards, nIn, nOut]. */
  private static float[] turned(float[] values, int area, int nIn, int nOut) {
    float[] result = new float[values.length];
    for (int in = 0; in < nIn; in++) {
      for (int out = 0; out < nOut; out++) {
        for (int i = 0; i < area; i++) {
          result[(out * nIn + in) * area + area - 1 - i] = values[(in * nOut + out) * area + i];
        }
      }
    }
    return result;
  }

  /**
   * From [width, height, nIn, batch] to [(width - 1) · stride - 2 · padding + size, the same for
   * height, nOut, batch].
   */
  public Tensor forward(Tensor x) {
    Tensor y = FeatureMaps.conv2d(spread(x), kernel, ConvGeometry.of(1, border));
    return bias == null ? y : y.add(bias);
  }

  /** Zeros between the pixels, across and down. */
  private Tensor spread(Tensor x) {
    if (stride == 1) {
      return x;
    }
    long width = x.size(0);
    long height = x.size(1);
    long maps = x.size(2) * x.size(3);
    Tensor wide =
        FeatureMaps.pad(x.reshape(1, width * height, maps), 0, stride - 1, 0, 0)
            .reshape(stride * width, 1, height, maps);
    Tensor all =
        FeatureMaps.pad(wide, 0, 0, 0, stride - 1)
            .reshape(stride * width, stride * height, x.size(2), x.size(3));
    return all.slice(
            new long[] {},
            stride * (width - 1) + 1,
            stride * (height - 1) + 1,
            x.size(2),
            x.size(3))
        .contiguous();
  }
}
