package dev.ocellus.ggml;

import static dev.ocellus.ggml.AccelNode.count;
import static dev.ocellus.ggml.AccelNode.isContiguous;
import static dev.ocellus.ggml.AccelNode.ne;
import static dev.ocellus.ggml.AccelNode.numbered;
import static dev.ocellus.ggml.AccelNode.opOf;
import static dev.ocellus.ggml.AccelNode.parameter;
import static dev.ocellus.ggml.AccelNode.sourceOf;
import static dev.ocellus.ggml.AccelNode.unaryOf;

import dev.ocellus.accel.Convolution.Window;
import dev.ocellus.ffi.ggml_h;

/**
 * Which operations on feature maps are taken: convolutions, norms of groups of channels, and what
 * stands between them, so that a convolutional network is not cut at every layer. What is taken
 * depends on one image of a batch alone.
 */
final class AccelMaps {
  /**
   * Where {@link Tensor#onlyForNext} writes 1, behind the parameters of all operations here, so
   * that two operations can be computed at once.
   */
  static final int ONLY_FOR_NEXT = 15;

  /** Multiplications of a convolution from which on handing it over costs less than it gains. */
  static final double MIN_WORK = AccelNode.EVERYTHING ? 1 : 2L << 20;

  /** Numbers of an image, for what is no convolution. */
  private static final long MIN_ELEMENTS = AccelNode.EVERYTHING ? 1 : 1L << 13;

  private static final int CONV = numbered("CONV_2D", ggml_h::ggml_op_name);
  private static final int GROUP_NORM = numbered("GROUP_NORM", ggml_h::ggml_op_name);
  private static final int UPSCALE = numbered("UPSCALE", ggml_h::ggml_op_name);
  private static final int ADD = numbered("ADD", ggml_h::ggml_op_name);
  private static final int MUL = numbered("MUL", ggml_h::ggml_op_name);
  private static final int SILU = numbered("SILU", ggml_h::ggml_unary_op_name);

  /** What a node of a graph is, if it is taken. */
  enum Kind {
    CONVOLUTION,
    GROUP_NORM,
    DOUBLING,
    /** Times a number for each channel of a norm. */
    SCALE,
    /** Plus a number for each channel of a scaled norm. */
    SHIFT,
    SILU,
    /** Plus a number for each channel of a convolution. */
    BIAS,
    /** A convolution, with or without bias, plus other maps. */
    SUM,
    NONE
  }

  private AccelMaps() {}

  static Kind kindOf(long node) {
    int op = opOf(node);
    if (op == CONV) {
      return isTakenConvolution(node) ? Kind.CONVOLUTION : Kind.NONE;
    }
    if (op == GROUP_NORM) {
      return isLarge(node) && isContiguous(sourceOf(node, 0)) ? Kind.GROUP_NORM : Kind.NONE;
    }
    if (op == UPSCALE) {
      return isDoubling(node) ? Kind.DOUBLING : Kind.NONE;
    }
    if (op == MUL) {
      return opOf(sourceOf(node, 0)) == GROUP_NORM && isByChannel(node) ? Kind.SCALE : Kind.NONE;
    }
    if (op == ADD) {
      return kindOfSum(node);
    }
    return unaryOf(node) == SILU && isLarge(node) && isShift(sourceOf(node, 0))
        ? Kind.SILU
        : Kind.NONE;
  }

  /** Looks only at what is right before: graphs of other models are long sums of sums. */
  private static Kind kindOfSum(long node) {
    long first = sourceOf(node, 0);
    if (opOf(first) == MUL) {
      return kindOf(first) == Kind.SCALE && isByChannel(node) ? Kind.SHIFT : Kind.NONE;
    }
    if (opOf(first) == CONV) {
      return kindOf(first) == Kind.NONE
          ? Kind.NONE
          : isByChannel(node) ? Kind.BIAS : isSum(node) ? Kind.SUM : Kind.NONE;
    }
    boolean biased = opOf(first) == ADD && opOf(sourceOf(first, 0)) == CONV;
    return biased && kindOf(first) == Kind.BIAS && isSum(node) ? Kind.SUM : Kind.NONE;
  }

  private static boolean isShift(long node) {
    return opOf(node) == ADD && opOf(sourceOf(node, 0)) == MUL && kindOf(node) == Kind.SHIFT;
  }

  private static boolean isSum(long node) {
    return isLarge(node) && isLike(sourceOf(node, 0), node) && isLike(sourceOf(node, 1), node);
  }

  /** Whether only the node behind this one reads its result. */
  static boolean isOnlyForNext(long node) {
    return parameter(node, ONLY_FOR_NEXT) == 1;
  }

  /** Whether it is a convolution whose map may come with pixels that stand for two by two. */
  static boolean takesDoubled(long convolution) {
    return window(convolution).keepsSize();
  }

  static Window window(long convolution) {
    long kernel = sourceOf(convolution, 0);
    return new Window(
        (int) ne(kernel, 0),
        (int) ne(kernel, 1),
        parameter(convolution, 0),
        parameter(convolution, 1),
        parameter(convolution, 2),
        parameter(convolution, 3),
        parameter(convolution, 4),
        parameter(convolution, 5));
  }

  private static boolean isTakenConvolution(long node) {
    long kernel = sourceOf(node, 0);
    long map = sourceOf(node, 1);
    double depth = (double) ne(kernel, 0) * ne(kernel, 1) * ne(kernel, 2);
    double pixels = (double) ne(node, 0) * ne(node, 1);
    return isContiguous(node)
        && isContiguous(kernel)
        && isContiguous(map)
        && ne(kernel, 2) == ne(map, 2)
        && pixels * Math.max(ne(node, 2), 16) <= Integer.MAX_VALUE
        && depth * Math.max(ne(node, 2), 16) <= Integer.MAX_VALUE
        && pixels * depth * ne(node, 2) >= MIN_WORK;
  }

  private static boolean isDoubling(long node) {
    long map = sourceOf(node, 0);
    return parameter(node, 0) == ggml_h.GGML_SCALE_MODE_NEAREST()
        && isLarge(node)
        && isContiguous(map)
        && ne(node, 0) == 2 * ne(map, 0)
        && ne(node, 1) == 2 * ne(map, 1)
        && ne(node, 2) == ne(map, 2)
        && ne(node, 3) == ne(map, 3);
  }

  /** Whether its second operand has one number for each channel of maps. */
  private static boolean isByChannel(long node) {
    long numbers = sourceOf(node, 1);
    return isLarge(node)
        && isLike(sourceOf(node, 0), node)
        && isContiguous(numbers)
        && ne(numbers, 0) == 1
        && ne(numbers, 1) == 1
        && ne(numbers, 2) == ne(node, 2)
        && ne(numbers, 3) == 1;
  }

  private static boolean isLike(long tensor, long other) {
    boolean alike = isContiguous(tensor);
    for (int i = 0; i < 4; i++) {
      alike &= ne(tensor, i) == ne(other, i);
    }
    return alike;
  }

  private static boolean isLarge(long node) {
    return isContiguous(node)
        && ne(node, 0) * ne(node, 1) * ne(node, 2) >= MIN_ELEMENTS
        && ne(node, 0) * ne(node, 1) <= Integer.MAX_VALUE
        && count(node) <= Integer.MAX_VALUE;
  }
}
