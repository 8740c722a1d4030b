package dev.ocellus.vlm.nn;

import dev.ocellus.ggml.MapBlock;
import dev.ocellus.ggml.MapLayer;
import dev.ocellus.ggml.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * Group norm, SiLU and a convolution of 3 by 3 that keeps the size, as residual blocks of
 * convolutional networks have them. With an accelerator they are computed in strips ({@link
 * MapLayer}), so that the normalized map is never held.
 */
public final class NormedConv2d {
  /** Numbers of maps from which on holding them costs more than computing them twice is worth. */
  private static final long LARGE = 1L << 20;

  private final GroupNorm norm;
  private final Conv2d conv;

  private NormedConv2d(GroupNorm norm, Conv2d conv) {
    this.norm = norm;
    this.conv = conv;
  }

  /**
   * One behind the other.
   *
   * @param conv 3 by 3, with a pixel of zeros around the maps
   */
  public static NormedConv2d of(GroupNorm norm, Conv2d conv) {
    return new NormedConv2d(norm, conv);
  }

  /** From [width, height, nIn, batch] to [width, height, nOut, batch]. */
  public Tensor forward(Tensor x) {
    MapLayer layer = layer(x);
    return layer == null ? conv.forward(norm.forwardSilu(x)) : layer.apply(x);
  }

  /**
   * The same, plus maps like the result, which may take their place: nothing else may read them
   * afterwards.
   */
  public Tensor forwardInto(Tensor x, Tensor added) {
    MapLayer layer = layer(x);
    return layer == null ? conv.forward(norm.forwardSilu(x), added) : layer.applyInto(x, added);
  }

  /**
   * The same, then {@code next}, plus maps like its result, which may take their place, also where
   * they are {@code x}. What stands between the two is not held where it is large, and computed
   * twice for that.
   */
  public Tensor forwardInto(Tensor x, NormedConv2d next, Tensor added) {
    MapLayer first = layer(x);
    MapLayer second = next.layer(x); // it depends on width and height alone
    if (first == null || second == null || added.nElements() < LARGE) {
      return next.forwardInto(forward(x), added);
    }
    return new MapBlock(first, second).applyInto(x, added);
  }

  private @Nullable MapLayer layer(Tensor x) {
    return conv.layer(MapLayer.Form.SAME, norm.norm(), x);
  }
}
