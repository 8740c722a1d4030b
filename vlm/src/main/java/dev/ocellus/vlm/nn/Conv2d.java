package dev.ocellus.vlm.nn;

import dev.ocellus.ggml.ConvGeometry;
import dev.ocellus.ggml.FeatureMaps;
import dev.ocellus.ggml.MapLayer;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import org.jspecify.annotations.Nullable;

/** A convolution of feature maps in F32, with a bias if the file has one. */
public final class Conv2d {
  private final Tensor kernel;
  private final @Nullable Tensor bias;
  private final ConvGeometry geometry;
  private final boolean accelerated;

  private Conv2d(Tensor kernel, @Nullable Tensor bias, ConvGeometry geometry, boolean accelerated) {
    this.kernel = kernel;
    this.bias = bias;
    this.geometry = geometry;
    this.accelerated = accelerated;
  }

  /**
   * Weights {@code weight} [size, size, nIn, nOut] and, where the file has it, {@code bias} [nOut].
   *
   * @param size width and height of the kernel
   */
  public static Conv2d of(Weights w, int size, long nIn, long nOut, ConvGeometry geometry) {
    return new Conv2d(
        w.f32("weight", size, size, nIn, nOut), bias(w, nOut), geometry, w.hasAccelerator());
  }

  /** One number for each channel, which is broadcast over a map. */
  static @Nullable Tensor bias(Weights w, long channels) {
    return w.has("bias") ? perChannel(w, "bias", channels) : null;
  }

  static Tensor perChannel(Weights w, String name, long channels) {
    return w.f32Reshaped(name, new long[] {channels}, 1, 1, channels);
  }

  /** From [width, height, nIn, batch] to [width out, height out, nOut, batch]. */
  public Tensor forward(Tensor x) {
    return FeatureMaps.conv2d(x, kernel, geometry, bias, null);
  }

  /** The same, plus maps like the result. */
  public Tensor forward(Tensor x, Tensor added) {
    return FeatureMaps.conv2d(x, kernel, geometry, bias, added);
  }

  /**
   * From maps of which every pixel comes two times across and down; for kernels of 3 by 3 with a
   * pixel of zeros around the maps.
   */
  public Tensor forwardDoubled(Tensor x) {
    MapLayer layer = layer(MapLayer.Form.DOUBLED, null, x);
    return layer == null ? FeatureMaps.doubledConv2d(x, kernel, bias) : layer.apply(x);
  }

  /**
   * From maps with zeros at the right and at the bottom only; for kernels of 3 by 3 with a stride
   * of 2 and no padding.
   */
  public Tensor forwardHalved(Tensor x) {
    MapLayer layer = layer(MapLayer.Form.HALVED, null, x);
    return layer == null ? forward(FeatureMaps.pad(x, 0, 1, 0, 1)) : layer.apply(x);
  }

  /** This convolution with what stands before it; null where no accelerator takes it as a whole. */
  @Nullable MapLayer layer(MapLayer.Form form, MapLayer.@Nullable Norm norm, Tensor x) {
    if (!accelerated) {
      return null;
    }
    MapLayer layer = new MapLayer(form, norm, kernel, bias);
    return layer.fits(x) ? layer : null;
  }
}
