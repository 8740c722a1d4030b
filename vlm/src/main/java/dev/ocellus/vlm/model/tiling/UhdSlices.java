package dev.ocellus.vlm.model.tiling;

import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.Preprocess;
import dev.ocellus.vlm.image.ResizeFilter;
import dev.ocellus.vlm.image.RgbImage;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How MiniCPM-V cuts an image (LLaVA-UHD, arXiv:2403.11703): the whole in about as many pixels as a
 * square of {@code scale} has, and where it has more, also slices of it in a grid of nearly its
 * aspect ratio, each of about as many. Sides are multiples of a patch.
 *
 * <p>The reference is {@code MiniCPMVImageProcessor} of the published checkpoints, <a
 * href="https://huggingface.co/openbmb/MiniCPM-V-2_6/blob/main/image_processing_minicpmv.py">image_processing_minicpmv.py</a>.
 * Its roundings are kept: Python's {@code round} takes halves to even numbers.
 *
 * @param scale pixels of the square's side; 448 in the published models
 * @param patchSize pixels of a patch's side
 * @param maxSlices max slices; 9 in the published models
 * @param unit pixels that sides are multiples of
 * @param filter that images are resized with
 */
public record UhdSlices(int scale, int patchSize, int maxSlices, int unit, ResizeFilter filter) {
  /** With sides of whole patches, resized bicubically. */
  public UhdSlices(int scale, int patchSize, int maxSlices) {
    this(scale, patchSize, maxSlices, patchSize, ResizeFilter.BICUBIC);
  }

  /**
   * An image that was cut.
   *
   * @param whole the whole image
   * @param slices line by line, all of one size; empty if the image is not cut
   * @param columns slices across, or 0
   */
  public record Cut(RgbImage whole, List<RgbImage> slices, int columns) {}

  /** How an image gets another size. */
  @FunctionalInterface
  public interface Resizing {
    RgbImage of(RgbImage image, ImageSize size);
  }

  public Cut cut(RgbImage image) {
    return cut(image, this::resized);
  }

  /** Cuts what is resized otherwise than images are, such as a frame of a video. */
  public Cut cut(RgbImage image, Resizing resizing) {
    ImageSize size = image.size();
    ImageSize grid = grid(size);
    RgbImage whole = resizing.of(image, fitted(size.width(), size.height(), grid == null));
    if (grid == null) {
      return new Cut(whole, List.of(), 0);
    }
    ImageSize slice =
        fitted(
            divisible(size.width(), grid.width()) / grid.width(),
            divisible(size.height(), grid.height()) / grid.height(),
            true);
    RgbImage refined =
        resizing.of(
            image, new ImageSize(slice.width() * grid.width(), slice.height() * grid.height()));
    List<RgbImage> slices = new ArrayList<>();
    for (int y = 0; y < grid.height(); y++) {
      for (int x = 0; x < grid.width(); x++) {
        slices.add(
            refined.crop(x * slice.width(), y * slice.height(), slice.width(), slice.height()));
      }
    }
    return new Cut(whole, slices, grid.width());
  }

  private RgbImage resized(RgbImage image, ImageSize size) {
    return Preprocess.stretch(image, size.width(), size.height(), filter);
  }

  /** Slices across and down, or null where the image is not cut ({@code get_sliced_grid}). */
  private @Nullable ImageSize grid(ImageSize image) {
    double squares = (double) image.pixels() / ((double) scale * scale);
    int wanted = (int) Math.min(Math.ceil(squares), maxSlices);
    if (wanted <= 1) {
      return null;
    }
    double ratio = Math.log((double) image.width() / image.height());
    ImageSize best = new ImageSize(1, 1);
    double nearest = Double.POSITIVE_INFINITY;
    for (int n = wanted - 1; n <= Math.min(wanted + 1, maxSlices); n++) {
      for (int x = 1; n > 1 && x <= n; x++) {
        if (n % x == 0) {
          double distance = Math.abs(ratio - Math.log((double) x / (n / x)));
          if (distance < nearest) {
            nearest = distance;
            best = new ImageSize(x, n / x);
          }
        }
      }
    }
    return best;
  }

  /** About the square's pixels in the same aspect ratio ({@code find_best_resize}). */
  private ImageSize fitted(int width, int height, boolean enlarge) {
    if (enlarge || (long) width * height > (long) scale * scale) {
      double ratio = (double) width / height;
      height = (int) (scale / Math.sqrt(ratio));
      width = (int) (height * ratio);
    }
    return new ImageSize(divisible(width, unit), divisible(height, unit));
  }

  /** The nearest multiple, at least one ({@code ensure_divide}). */
  private static int divisible(int length, int by) {
    return Math.max((int) Math.rint((double) length / by) * by, by);
  }
}
