package dev.ocellus.vlm.image;

import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * Resizing with the same bytes as {@code PIL.Image.Image.resize} of Pillow 12.3 on RGB images, on
 * every platform: weights rounded to 22 fraction bits, a horizontal and then a vertical pass, and
 * 8-bit samples in between. When it shrinks an image the filter is stretched (antialiasing), unlike
 * OpenCV or {@code java.awt}.
 *
 * <p>Source of the arithmetic: <a
 * href="https://github.com/python-pillow/Pillow/blob/bb1d8e8ab8d29048624d96e3ee53cecf7c13d13d/src/libImaging/Resample.c">Resample.c</a>,
 * <a
 * href="https://github.com/python-pillow/Pillow/blob/bb1d8e8ab8d29048624d96e3ee53cecf7c13d13d/src/_imaging.c#L1942">_imaging.c</a>
 * and {@code Image.resize} of that version, without {@code reducing_gap}.
 */
public final class Resize {
  /** Below this many multiplications per pass, starting other threads costs more than it saves. */
  private static final long PARALLEL_WORK = 4_000_000;

  private Resize() {}

  /**
   * The part of an image that a resize reads, in pixels; fractions are allowed. Single precision,
   * as in Pillow.
   */
  public record Box(float left, float top, float right, float bottom) {
    /** All of an image. */
    public static Box of(RgbImage image) {
      return new Box(0, 0, image.width(), image.height());
    }

    private void check(RgbImage image) {
      // Written so that NaN fails too.
      boolean inside = left >= 0 && top >= 0 && right <= image.width() && bottom <= image.height();
      if (!inside || !(left < right) || !(top < bottom)) {
        throw new IllegalArgumentException(
            "%s is empty or leaves the image of %s".formatted(this, image.size()));
      }
    }

    /** Whether the box is on whole pixels and has the size of the result, so that it is a crop. */
    private boolean isCrop(int width, int height) {
      return left == (int) left
          && top == (int) top
          && right - left == width
          && bottom - top == height;
    }
  }

  /**
   * The whole image resized.
   *
   * @return an image of {@code width} x {@code height}
   */
  public static RgbImage resize(RgbImage image, int width, int height, ResizeFilter filter) {
    return resize(image, width, height, filter, Box.of(image));
  }

  /** See {@link #resize(RgbImage, int, int, ResizeFilter)}. */
  public static RgbImage resize(RgbImage image, ImageSize size, ResizeFilter filter) {
    return resize(image, size.width(), size.height(), filter);
  }

  /**
   * The part {@code box} of the image resized; samples outside the box but inside the image still
   * count where the filter reaches them.
   *
   * @return an image of {@code width} x {@code height}
   * @throws IllegalArgumentException if the result has no pixels or does not fit into an array, or
   *     if the box is empty or leaves the image
   */
  public static RgbImage resize(
      RgbImage image, int width, int height, ResizeFilter filter, Box box) {
    int unused = RgbImage.byteCount(width, height);
    box.check(image);
    // Image.resize shrinks very tall images vertically first, which changes the rounding.
    if (image.height() > image.width() * 100L && height < image.height()) {
      Box rows = new Box(0, box.top, image.width(), box.bottom);
      RgbImage low = resizeAtOnce(image, image.width(), height, filter, rows);
      return resizeAtOnce(low, width, height, filter, new Box(box.left, 0, box.right, height));
    }
    return resizeAtOnce(image, width, height, filter, box);
  }

  /**
   * The whole image resized with the same bytes as {@code torchvision.transforms.v2.functional
   * .resize} of torchvision 0.28 (antialiased, on bytes, on a CPU), for processors that are written
   * for it alone. Weights have 16 bits, so a byte in some hundred is another one than Pillow's.
   *
   * <p>Source of the arithmetic: <a
   * href="https://github.com/pytorch/pytorch/blob/v2.13.0/aten/src/ATen/native/cpu/UpSampleKernel.cpp">UpSampleKernel.cpp</a>.
   *
   * @param filter bilinear, bicubic or Lanczos, which torchvision has
   */
  public static RgbImage resizeAsTorch(RgbImage image, ImageSize size, ResizeFilter filter) {
    int unused = RgbImage.byteCount(size.width(), size.height());
    RgbImage in = image;
    if (size.width() != in.width()) {
      ResizeKernel columns = ResizeKernel.torch(in.width(), size.width(), filter);
      in = horizontal(in, 0, in.height(), columns);
    }
    return size.height() == in.height()
        ? in
        : vertical(in, 0, ResizeKernel.torch(in.height(), size.height(), filter));
  }

  /**
   * A part of what {@link #resize(RgbImage, int, int, ResizeFilter)} would give, without the rest
   * being computed: a very thin image can be resized to millions of lines of which a few are
   * wanted.
   *
   * @param whole size of the whole result
   * @param x left edge of the part in it
   * @param y top edge of the part in it
   * @return an image of {@code width} x {@code height}
   * @throws IllegalArgumentException if the part is empty or leaves the whole
   */
  public static RgbImage resizePart(
      RgbImage image, ImageSize whole, ResizeFilter filter, int x, int y, int width, int height) {
    int unused = RgbImage.byteCount(width, height);
    if (x < 0 || y < 0 || width > whole.width() - x || height > whole.height() - y) {
      throw new IllegalArgumentException(
          "a part of %dx%d at (%d, %d) leaves the image of %s"
              .formatted(width, height, x, y, whole));
    }
    if (filter == ResizeFilter.NEAREST) {
      return resize(image, whole, filter).crop(x, y, width, height);
    }
    boolean upFirst = image.height() > image.width() * 100L && whole.height() < image.height();
    RgbImage in = upFirst ? linesOf(image, whole.height(), filter, y, height) : image;
    if (whole.width() != in.width()) {
      var columns = new ResizeKernel(in.width(), 0, in.width(), whole.width(), filter, x, width);
      if (upFirst || whole.height() == in.height()) {
        int first = upFirst ? 0 : y;
        return horizontal(in, first, first + height, columns);
      }
      var lines = new ResizeKernel(in.height(), 0, in.height(), whole.height(), filter, y, height);
      int first = lines.firstInput();
      return vertical(horizontal(in, first, lines.endInput(), columns), first, lines);
    }
    in = in.crop(x, 0, width, in.height());
    return upFirst ? in : linesOf(in, whole.height(), filter, y, height);
  }

  /** Lines of the image resized along y alone. */
  private static RgbImage linesOf(
      RgbImage image, int wholeHeight, ResizeFilter filter, int y, int height) {
    if (wholeHeight == image.height()) {
      return image.crop(0, y, image.width(), height);
    }
    return vertical(
        image,
        0,
        new ResizeKernel(image.height(), 0, image.height(), wholeHeight, filter, y, height));
  }

  private static RgbImage resizeAtOnce(
      RgbImage image, int width, int height, ResizeFilter filter, Box box) {
    if (box.isCrop(width, height)) {
      boolean whole = width == image.width() && height == image.height();
      return whole ? image : image.crop((int) box.left, (int) box.top, width, height);
    }
    return filter == ResizeFilter.NEAREST
        ? nearest(image, width, height, box)
        : resample(image, width, height, filter, box);
  }

  private static RgbImage nearest(RgbImage image, int width, int height, Box box) {
    int[] columns = nearestInputs(image.width(), box.left, box.right, width);
    int[] rows = nearestInputs(image.height(), box.top, box.bottom, height);
    byte[] in = image.data();
    byte[] out = new byte[RgbImage.byteCount(width, height)];
    for (int y = 0; y < height; y++) {
      int to = y * width * 3;
      for (int x = 0; x < width; x++, to += 3) {
        if (columns[x] >= 0 && rows[y] >= 0) {
          int from = (rows[y] * image.width() + columns[x]) * 3;
          out[to] = in[from];
          out[to + 1] = in[from + 1];
          out[to + 2] = in[from + 2];
        }
      }
    }
    return RgbImage.wrap(width, height, out);
  }

  /**
   * The input sample of every output sample, or -1 (black) where rounding errors lead beyond the
   * last one. The position is summed up step by step, as in Pillow: a multiplication would round
   * differently.
   */
  private static int[] nearestInputs(int inSize, float from, float to, int outSize) {
    double step = (double) (to - from) / outSize;
    double position = from + step * 0.5;
    int[] inputs = new int[outSize];
    for (int i = 0; i < outSize; i++, position += step) {
      inputs[i] = position < inSize ? (int) position : -1;
    }
    return inputs;
  }

  private static RgbImage resample(
      RgbImage image, int width, int height, ResizeFilter filter, Box box) {
    boolean horizontal = width != image.width() || box.left != 0 || box.right != width;
    boolean vertical = height != image.height() || box.top != 0 || box.bottom != height;
    ResizeKernel rows = new ResizeKernel(image.height(), box.top, box.bottom, height, filter);
    RgbImage in = image;
    int firstRow = 0;
    if (horizontal) {
      ResizeKernel columns = new ResizeKernel(image.width(), box.left, box.right, width, filter);
      firstRow = rows.firstInput();
      in = horizontal(image, firstRow, rows.endInput(), columns);
    }
    return vertical ? vertical(in, firstRow, rows) : in;
  }

  /** Rows {@code firstRow} to {@code endRow} of the image, each resampled along x. */
  private static RgbImage horizontal(
      RgbImage image, int firstRow, int endRow, ResizeKernel kernel) {
    int width = kernel.first.length;
    int height = endRow - firstRow;
    byte[] in = image.data();
    byte[] out = new byte[RgbImage.byteCount(width, height)];
    forRows(
        height,
        (long) width * kernel.stride * 3,
        y -> horizontalRow(in, (firstRow + y) * image.width() * 3, out, y * width * 3, kernel));
    return RgbImage.wrap(width, height, out);
  }

  private static void horizontalRow(
      byte[] in, int inRow, byte[] out, int outRow, ResizeKernel kernel) {
    int[] weights = kernel.weights;
    int width = kernel.first.length;
    for (int x = 0; x < width; x++) {
      int from = inRow + kernel.first[x] * 3;
      int k = x * kernel.stride;
      int end = k + kernel.count[x];
      int red = kernel.rounding;
      int green = kernel.rounding;
      int blue = kernel.rounding;
      for (; k < end; k++, from += 3) {
        int weight = weights[k];
        red += (in[from] & 0xFF) * weight;
        green += (in[from + 1] & 0xFF) * weight;
        blue += (in[from + 2] & 0xFF) * weight;
      }
      int to = outRow + x * 3;
      out[to] = kernel.clip(red);
      out[to + 1] = kernel.clip(green);
      out[to + 2] = kernel.clip(blue);
    }
  }

  /** Every column of the image, whose first row is {@code firstRow} of the source, along y. */
  private static RgbImage vertical(RgbImage image, int firstRow, ResizeKernel kernel) {
    int height = kernel.first.length;
    int rowBytes = image.width() * 3;
    byte[] in = image.data();
    byte[] out = new byte[RgbImage.byteCount(image.width(), height)];
    forRows(
        height,
        (long) rowBytes * kernel.stride,
        y -> {
          int[] sums = new int[rowBytes];
          Arrays.fill(sums, kernel.rounding);
          int from = (kernel.first[y] - firstRow) * rowBytes;
          int k = y * kernel.stride;
          int end = k + kernel.count[y];
          for (; k + 4 <= end; k += 4, from += 4 * rowBytes) {
            addWeighted(in, from, kernel.weights, k, sums);
          }
          for (; k < end; k++, from += rowBytes) {
            addWeighted(in, from, kernel.weights[k], sums);
          }
          int to = y * rowBytes;
          for (int i = 0; i < rowBytes; i++) {
            out[to + i] = kernel.clip(sums[i]);
          }
        });
    return RgbImage.wrap(image.width(), height, out);
  }

  // Loops that the JIT compiler turns into vector instructions; four rows at a time spare it most
  // of the traffic with the sums.

  private static void addWeighted(byte[] in, int from, int weight, int[] sums) {
    for (int i = 0; i < sums.length; i++) {
      sums[i] += (in[from + i] & 0xFF) * weight;
    }
  }

  private static void addWeighted(byte[] in, int from, int[] weights, int k, int[] sums) {
    int row = sums.length;
    int weight0 = weights[k];
    int weight1 = weights[k + 1];
    int weight2 = weights[k + 2];
    int weight3 = weights[k + 3];
    for (int i = 0; i < row; i++) {
      sums[i] +=
          (in[from + i] & 0xFF) * weight0
              + (in[from + row + i] & 0xFF) * weight1
              + (in[from + 2 * row + i] & 0xFF) * weight2
              + (in[from + 3 * row + i] & 0xFF) * weight3;
    }
  }

  private interface RowTask {
    void run(int y);
  }

  private static void forRows(int rows, long workPerRow, RowTask task) {
    IntStream range = IntStream.range(0, rows);
    (rows * workPerRow >= PARALLEL_WORK ? range.parallel() : range).forEach(task::run);
  }
}
