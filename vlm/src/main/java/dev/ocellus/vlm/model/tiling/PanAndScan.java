package dev.ocellus.vlm.model.tiling;

import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.RgbImage;
import java.util.ArrayList;
import java.util.List;

/**
 * Gemma 3's way to see the details of long images (arXiv:2503.19786, section 2.1): the image is
 * followed by crops of it, side by side along the longer side.
 *
 * <p>Source: {@code pan_and_scan} in <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/gemma3/image_processing_pil_gemma3.py">image_processing_pil_gemma3.py</a>,
 * with the numbers and words of <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/gemma3/processing_gemma3.py">processing_gemma3.py</a>.
 */
public final class PanAndScan {
  private static final int MIN_CROP_SIZE = 256;
  private static final int MAX_CROPS = 4;
  private static final double MIN_RATIO = 1.2;

  /** What the processor writes before the whole image. */
  public static final String BEFORE = "Here is the original image ";

  /** What it writes between the image and the first crop. */
  public static final String BETWEEN = " and here are some crops to help you see better ";

  /** A part of an image, in pixels. */
  public record Crop(int x, int y, int width, int height) {
    public RgbImage of(RgbImage image) {
      return image.crop(x, y, width, height);
    }
  }

  private PanAndScan() {}

  /** The crops of an image, from the left or from the top; none if it is too square or small. */
  public static List<Crop> crops(ImageSize size) {
    boolean lying = size.width() >= size.height();
    int longer = lying ? size.width() : size.height();
    int shorter = lying ? size.height() : size.width();
    double ratio = (double) longer / shorter;
    if (ratio < MIN_RATIO) {
      return List.of();
    }
    int wanted = (int) Math.min(Math.floor(ratio + 0.5), longer / MIN_CROP_SIZE);
    int n = Math.clamp(wanted, 2, MAX_CROPS);
    int length = Math.ceilDiv(longer, n);
    if (Math.min(length, shorter) < MIN_CROP_SIZE) {
      return List.of();
    }
    List<Crop> crops = new ArrayList<>();
    for (int at = 0; at < longer; at += length) {
      int rest = Math.min(length, longer - at);
      crops.add(lying ? new Crop(at, 0, rest, shorter) : new Crop(0, at, shorter, rest));
    }
    return crops;
  }
}
