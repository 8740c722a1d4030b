package dev.ocellus.ggml;

import static dev.ocellus.ggml.Checks.require;

import dev.ocellus.ffi.ggml_h;
import dev.ocellus.gguf.TensorType;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A convolution of 3 by 3 with what stands before it in convolutional networks, as one node of a
 * graph that an accelerator computes in strips: normalized maps, maps of twice the size and padded
 * ones are never held as a whole, and a sum takes the place of what was added. So a residual block
 * needs memory for two maps, where separate nodes need it for three.
 *
 * <p>Only for graphs over weights that {@link Weights#hasAccelerator have an accelerator}.
 *
 * @param form what happens to the size
 * @param norm what comes before the convolution; null for nothing
 * @param kernel [3, 3, channels, channels out] in F32
 * @param bias [1, 1, channels out]; null for none
 */
public record MapLayer(Form form, @Nullable Norm norm, Tensor kernel, @Nullable Tensor bias) {
  /** What happens to width and height. */
  public enum Form {
    /** They stay; there are zeros around the map. */
    SAME,
    /** Every pixel comes two times across and down before; zeros around that map. */
    DOUBLED,
    /** Every second pixel is taken, with zeros at the right and at the bottom only. */
    HALVED
  }

  /**
   * Group norm (arXiv:1803.08494), then SiLU.
   *
   * @param groups a divisor of the number of channels
   * @param scale [1, 1, channels]
   * @param shift [1, 1, channels]
   */
  public record Norm(int groups, float eps, Tensor scale, Tensor shift) {}

  public MapLayer {
    require(
        norm == null || form == Form.SAME,
        () -> "MapLayer: a norm comes before a convolution that keeps the size, found " + form);
  }

  /**
   * Whether it is worth being handed over for such maps, and they are of a size that an accelerator
   * takes. Depends on one image of a batch alone.
   */
  public boolean fits(Tensor x) {
    double pixels = (double) width(x) * height(x);
    double work = 9 * pixels * kernel.size(2) * kernel.size(3);
    return work >= AccelMaps.MIN_WORK
        && x.size(0) > 1
        && x.size(1) > 1
        && pixels <= Integer.MAX_VALUE
        && 9.0 * kernel.size(2) * Math.max(kernel.size(3), 16) <= Integer.MAX_VALUE;
  }

  private long width(Tensor x) {
    return resized(x.size(0));
  }

  private long height(Tensor x) {
    return resized(x.size(1));
  }

  private long resized(long side) {
    return switch (form) {
      case SAME -> side;
      case DOUBLED -> 2 * side;
      case HALVED -> side / 2;
    };
  }

  /**
   * Adds it to the graph of maps that it {@link #fits}.
   *
   * @param x [width, height, channels, batch]
   * @return [width, height, channels out, batch] of the new size
   */
  public Tensor apply(Tensor x) {
    check(x);
    MemorySegment result =
        ggml_h.ggml_new_tensor_4d(
            x.context.handle(),
            TensorType.F32.id(),
            width(x),
            height(x),
            kernel.size(3),
            x.size(3));
    return node(x, result, null);
  }

  /**
   * The same plus {@code added}, whose place the sum takes: nothing else may read it.
   *
   * @param added maps like the result, of the same graph; not {@code x}
   */
  public Tensor applyInto(Tensor x, Tensor added) {
    check(x);
    require(
        added.handle().address() != x.handle().address(),
        () -> "MapLayer: the map cannot be added to what comes of itself: " + x.describe());
    return node(x, inPlaceOf(added, x, width(x), height(x), kernel.size(3)), added);
  }

  /** A tensor where another is, which is added to what comes of {@code x}. */
  static MemorySegment inPlaceOf(Tensor added, Tensor x, long width, long height, long channels) {
    added.checkF32Contiguous("MapLayer");
    require(
        added.size(0) == width
            && added.size(1) == height
            && added.size(2) == channels
            && added.size(3) == x.size(3),
        () ->
            "MapLayer: %s cannot be added to what comes of %s"
                .formatted(added.describe(), x.describe()));
    return ggml_h.ggml_view_4d(
        x.context.handle(),
        added.handle(),
        width,
        height,
        channels,
        added.size(3),
        added.stride(1),
        added.stride(2),
        added.stride(3),
        0);
  }

  void check(Tensor x) {
    x.checkF32Contiguous("MapLayer");
    kernel.checkF32Contiguous("MapLayer");
    Norm before = norm;
    require(
        kernel.size(0) == 3 && kernel.size(1) == 3 && kernel.size(2) == x.size(2),
        () -> "MapLayer: the kernel %s does not fit %s".formatted(kernel.describe(), x.describe()));
    require(
        (bias == null || isByChannel(bias, kernel.size(3)))
            && (before == null
                || before.groups() > 0
                    && x.size(2) % before.groups() == 0
                    && isByChannel(before.scale(), x.size(2))
                    && isByChannel(before.shift(), x.size(2))),
        () ->
            "MapLayer: expected a number for each channel of %s and %s"
                .formatted(x.describe(), kernel.describe()));
    require(fits(x), () -> "MapLayer: no accelerator takes " + x.describe());
    TensorType.F32.bytes(width(x), height(x), kernel.size(3), x.size(3));
  }

  private static boolean isByChannel(Tensor numbers, long channels) {
    return numbers.type() == TensorType.F32
        && numbers.isContiguous()
        && numbers.nElements() == channels;
  }

  private Tensor node(Tensor x, MemorySegment result, @Nullable Tensor added) {
    AccelLayer.write(result, x, List.of(this), added);
    return x.node(result);
  }
}
