package dev.ocellus.ggml;

import static dev.ocellus.ggml.Checks.require;

/**
 * How a kernel moves over a feature map, across (x) and down (y).
 *
 * @param strideX steps from one output to the next
 * @param strideY steps from one output to the next
 * @param paddingX zeros at the left and as many at the right
 * @param paddingY zeros at the top and as many at the bottom
 * @param dilationX steps between the elements of the kernel
 * @param dilationY steps between the elements of the kernel
 */
public record ConvGeometry(
    int strideX, int strideY, int paddingX, int paddingY, int dilationX, int dilationY) {
  /** Far beyond any model; keeps the arithmetic of sizes within 32 bits, in which ggml does it. */
  private static final int MAX = 1 << 15;

  public ConvGeometry {
    check("stride", strideX, 1);
    check("stride", strideY, 1);
    check("padding", paddingX, 0);
    check("padding", paddingY, 0);
    check("dilation", dilationX, 1);
    check("dilation", dilationY, 1);
  }

  private static void check(String what, int value, int min) {
    require(
        value >= min && value <= MAX,
        () -> "%s: expected %d to %d, found %d".formatted(what, min, MAX, value));
  }

  /** The same across and down, without dilation. */
  public static ConvGeometry of(int stride, int padding) {
    return new ConvGeometry(stride, stride, padding, padding, 1, 1);
  }

  /** Outputs across for a map and a kernel of these widths; less than 1 if the map is too small. */
  long outputX(long width, long kernel) {
    return output(width, kernel, strideX, paddingX, dilationX);
  }

  /** Outputs down. */
  long outputY(long height, long kernel) {
    return output(height, kernel, strideY, paddingY, dilationY);
  }

  private static long output(long size, long kernel, int stride, int padding, int dilation) {
    return Math.floorDiv(size + 2L * padding - dilation * (kernel - 1) - 1, stride) + 1;
  }
}
