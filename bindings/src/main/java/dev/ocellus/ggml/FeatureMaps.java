package dev.ocellus.ggml;

import static dev.ocellus.ggml.Checks.require;

import dev.ocellus.ffi.ggml_h;
import dev.ocellus.gguf.TensorType;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Operations on feature maps [width, height, channels, batch], as convolutional networks have them,
 * all in F32. Maps must be contiguous.
 */
public final class FeatureMaps {
  /** Scratch memory that ggml's convolution on a CPU has for unfolding patches. */
  private static final long CONV_SCRATCH_BYTES = 16L << 20;

  /** Up to here every float is a whole number, so that ggml's nearest pixel is the right one. */
  private static final int MAX_SIDE = 1 << 20;

  private FeatureMaps() {}

  /**
   * Cross-correlation, which PyTorch calls convolution. The patches are unfolded piece by piece, so
   * it needs no memory beside its result. (ggml's {@code conv_2d} is not used: it rounds the map to
   * F16.)
   *
   * @param kernel [kernel width, kernel height, channels, channels out] in F32
   * @return [width out, height out, channels out, batch]
   */
  public static Tensor conv2d(Tensor x, Tensor kernel, ConvGeometry geometry) {
    x.checkF32Contiguous("conv2d");
    kernel.checkF32Contiguous("conv2d");
    require(
        kernel.size(2) == x.size(2),
        () ->
            "conv2d: the kernel %s needs %d channels, found %s"
                .formatted(kernel.describe(), kernel.size(2), x.describe()));
    long perPatch = kernel.size(0) * kernel.size(1) * kernel.size(2) + kernel.size(3);
    require(
        perPatch <= CONV_SCRATCH_BYTES / Float.BYTES,
        () ->
            "conv2d: the kernel %s is too large for ggml: a patch and its result must fit in %d MiB"
                .formatted(kernel.describe(), CONV_SCRATCH_BYTES >> 20));
    checkOutput("conv2d", x, kernel.size(0), kernel.size(1), kernel.size(3), geometry);
    MemorySegment result =
        ggml_h.ggml_conv_2d_direct(
            x.context.handle(),
            kernel.handle(),
            x.handle(),
            geometry.strideX(),
            geometry.strideY(),
            geometry.paddingX(),
            geometry.paddingY(),
            geometry.dilationX(),
            geometry.dilationY());
    return x.node(result);
  }

  /**
   * A convolution, and what is added to it.
   *
   * @param bias [1, 1, channels out]; null for none
   * @param added maps like the result; null for none
   */
  public static Tensor conv2d(
      Tensor x,
      Tensor kernel,
      ConvGeometry geometry,
      @Nullable Tensor bias,
      @Nullable Tensor added) {
    Tensor y = conv2d(x, kernel, geometry);
    if (bias != null) {
      y = y.onlyForNext().add(bias);
    }
    return added == null ? y : y.onlyForNext().add(added);
  }

  /**
   * A convolution of 3 by 3 over every pixel of a map of twice the width and height ({@link
   * #upscaleNearest}), with a pixel of zeros around it.
   *
   * @param kernel [3, 3, channels, channels out] in F32
   * @param bias [1, 1, channels out]; null for none
   * @return [2 · width, 2 · height, channels out, batch]
   */
  public static Tensor doubledConv2d(Tensor x, Tensor kernel, @Nullable Tensor bias) {
    return conv2d(upscaleNearest(x, 2).onlyForNext(), kernel, ConvGeometry.of(1, 1), bias, null);
  }

  /**
   * A convolution in which every channel has a kernel of its own.
   *
   * @param kernel [kernel width, kernel height, 1, channels] in F32
   * @return [width out, height out, channels, batch]
   */
  public static Tensor depthwiseConv2d(Tensor x, Tensor kernel, ConvGeometry geometry) {
    x.checkF32Contiguous("depthwiseConv2d");
    kernel.checkF32Contiguous("depthwiseConv2d");
    require(
        kernel.size(2) == 1 && kernel.size(3) == x.size(2),
        () ->
            "depthwiseConv2d: the kernel %s does not fit %s; expected [width, height, 1, channels]"
                .formatted(kernel.describe(), x.describe()));
    checkOutput("depthwiseConv2d", x, kernel.size(0), kernel.size(1), kernel.size(3), geometry);
    MemorySegment result =
        ggml_h.ggml_conv_2d_dw_direct(
            x.context.handle(),
            kernel.handle(),
            x.handle(),
            geometry.strideX(),
            geometry.strideY(),
            geometry.paddingX(),
            geometry.paddingY(),
            geometry.dilationX(),
            geometry.dilationY());
    return x.node(result);
  }

  /** The largest value of every window; padding does not count. */
  public static Tensor maxPool(Tensor x, int kernelX, int kernelY, ConvGeometry geometry) {
    return pool("maxPool", ggml_h.GGML_OP_POOL_MAX(), x, kernelX, kernelY, geometry);
  }

  /** The mean of every window, in which padding counts as zeros, as PyTorch's default is. */
  public static Tensor averagePool(Tensor x, int kernelX, int kernelY, ConvGeometry geometry) {
    return pool("averagePool", ggml_h.GGML_OP_POOL_AVG(), x, kernelX, kernelY, geometry);
  }

  private static Tensor pool(
      String op, int operation, Tensor x, int kernelX, int kernelY, ConvGeometry geometry) {
    x.checkF32Contiguous(op);
    require(
        geometry.dilationX() == 1 && geometry.dilationY() == 1,
        () -> op + ": ggml has no dilation for pooling, found " + geometry);
    require(
        kernelX > 0
            && kernelY > 0
            && 2L * geometry.paddingX() <= kernelX
            && 2L * geometry.paddingY() <= kernelY,
        () ->
            "%s: padding must be at most half of the window, found %d x %d and %s"
                .formatted(op, kernelX, kernelY, geometry));
    checkOutput(op, x, kernelX, kernelY, x.size(2), geometry);
    MemorySegment result =
        ggml_h.ggml_pool_2d(
            x.context.handle(),
            x.handle(),
            operation,
            kernelX,
            kernelY,
            geometry.strideX(),
            geometry.strideY(),
            geometry.paddingX(),
            geometry.paddingY());
    return x.node(result);
  }

  /**
   * Groups of channels to mean 0 and variance 1 (arXiv:1803.08494), without scale and shift.
   *
   * @param groups a divisor of the number of channels
   */
  public static Tensor groupNorm(Tensor x, int groups, float eps) {
    x.checkF32Contiguous("groupNorm");
    require(
        groups > 0 && x.size(2) % groups == 0,
        () ->
            "groupNorm: %d groups do not divide the channels of %s"
                .formatted(groups, x.describe()));
    require(eps >= 0, () -> "groupNorm: eps must not be negative, found " + eps);
    return x.node(ggml_h.ggml_group_norm(x.context.handle(), x.handle(), groups, eps));
  }

  /**
   * The same with scale and shift.
   *
   * @param weight [1, 1, channels]
   * @param bias [1, 1, channels]
   */
  public static Tensor groupNorm(Tensor x, int groups, float eps, Tensor weight, Tensor bias) {
    return groupNorm(x, groups, eps).onlyForNext().mul(weight).onlyForNext().add(bias);
  }

  /** Every pixel {@code factor} times across and down: PyTorch's {@code mode="nearest"}. */
  public static Tensor upscaleNearest(Tensor x, int factor) {
    x.checkF32Contiguous("upscaleNearest");
    require(factor > 0, () -> "upscaleNearest: the factor must be positive, found " + factor);
    checkSize("upscaleNearest", x, factor * x.size(0), factor * x.size(1));
    return x.node(
        ggml_h.ggml_upscale(
            x.context.handle(), x.handle(), factor, ggml_h.GGML_SCALE_MODE_NEAREST()));
  }

  /** Another width and height. */
  public static Tensor interpolate(Tensor x, long width, long height, Interpolation mode) {
    x.checkF32Contiguous("interpolate");
    checkSize("interpolate", x, width, height);
    return x.node(
        ggml_h.ggml_interpolate(
            x.context.handle(), x.handle(), width, height, x.size(2), x.size(3), mode.flags()));
  }

  /** Zeros around every map. */
  public static Tensor pad(Tensor x, int left, int right, int top, int bottom) {
    x.checkF32Contiguous("pad");
    require(
        left >= 0 && right >= 0 && top >= 0 && bottom >= 0,
        () ->
            "pad: expected no negative sizes, found %d, %d, %d, %d"
                .formatted(left, right, top, bottom));
    checkSize("pad", x, x.size(0) + left + right, x.size(1) + top + bottom);
    return x.node(
        ggml_h.ggml_pad_ext(x.context.handle(), x.handle(), left, right, top, bottom, 0, 0, 0, 0));
  }

  private static void checkOutput(
      String op, Tensor x, long kernelX, long kernelY, long channels, ConvGeometry geometry) {
    long width = geometry.outputX(x.size(0), kernelX);
    long height = geometry.outputY(x.size(1), kernelY);
    require(
        width > 0 && height > 0,
        () ->
            "%s: %s is smaller than a kernel of %d x %d with %s"
                .formatted(op, x.describe(), kernelX, kernelY, geometry));
    TensorType.F32.bytes(width, height, channels, x.size(3)); // throws for more than exist
  }

  private static void checkSize(String op, Tensor x, long width, long height) {
    require(
        width > 0 && height > 0 && width <= MAX_SIDE && height <= MAX_SIDE,
        () ->
            "%s: expected a width and height from 1 to %d, found %d x %d for %s"
                .formatted(op, MAX_SIDE, width, height, x.describe()));
    TensorType.F32.bytes(width, height, x.size(2), x.size(3));
  }
}
