package dev.ocellus.vlm.model.tiling;

import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.image.ImageSize;

/**
 * {@code smart_resize} of transformers' processors: sides that are multiples of a token's, as close
 * to the aspect ratio as the limits of the area allow. Families differ in what they do with images
 * that are smaller than a token. Python rounds halves to even numbers, as {@link Math#rint} does.
 */
public enum SmartResize {
  /**
   * Small images are taken as they are: <a
   * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/qwen2_vl/image_processing_pil_qwen2_vl.py">image_processing_pil_qwen2_vl.py</a>.
   */
  QWEN {
    @Override
    ImageSize enlarged(ImageSize size, int factor) {
      return size;
    }
  },
  /**
   * Small images are enlarged first, and the sides rounded down: <a
   * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/glm4v/image_processing_pil_glm4v.py">image_processing_pil_glm4v.py</a>,
   * which videos of Qwen3-VL share.
   */
  GLM {
    @Override
    ImageSize enlarged(ImageSize size, int factor) {
      if (size.width() >= factor && size.height() >= factor) {
        return size;
      }
      double scale = Math.max((double) factor / size.height(), (double) factor / size.width());
      return new ImageSize((int) (size.width() * scale), (int) (size.height() * scale));
    }
  },
  /**
   * Small images are enlarged first, and the other side rounded: <a
   * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/paddleocr_vl/image_processing_pil_paddleocr_vl.py">image_processing_pil_paddleocr_vl.py</a>.
   */
  PADDLE {
    @Override
    ImageSize enlarged(ImageSize size, int factor) {
      int width = size.width();
      int height = size.height();
      if (height < factor) {
        width = (int) Math.rint((double) ((long) width * factor) / height);
        height = factor;
      }
      if (width < factor) {
        height = (int) Math.rint((double) ((long) height * factor) / width);
        width = factor;
      }
      return new ImageSize(width, height);
    }
  };

  /** The references refuse longer images. */
  private static final int MAX_ASPECT_RATIO = 200;

  /** The size that the rest goes on with. */
  abstract ImageSize enlarged(ImageSize size, int factor);

  /**
   * The size at which an image is encoded.
   *
   * @param factor pixels of a token's side
   * @param min pixels
   * @param max pixels
   * @throws ImageFormatException if the image is too long for its width
   */
  public ImageSize resize(ImageSize size, int factor, long min, long max) {
    return resize(size, 1, 1, factor, min, max);
  }

  /**
   * The size at which each frame of a video is encoded, with limits for all frames together.
   *
   * @param nFrames frames, of which an odd number counts as the even one that Python rounds it to
   * @param factor pixels of a token's side
   * @param min pixels of all frames
   * @param max pixels of all frames
   * @throws ImageFormatException if the frames are too long for their width
   */
  public ImageSize resizeFrames(ImageSize size, int nFrames, int factor, long min, long max) {
    long nRounded = (long) Math.rint(nFrames / 2.0) * 2;
    return resize(size, nFrames, nRounded, factor, min, max);
  }

  private ImageSize resize(
      ImageSize original, int nFrames, long nRounded, int factor, long min, long max) {
    ImageSize size = enlarged(original, factor);
    requireAspectRatio(original, size);
    long width = size.width();
    long height = size.height();
    long newWidth = (long) Math.rint((double) width / factor) * factor;
    long newHeight = (long) Math.rint((double) height / factor) * factor;
    if (nRounded * newWidth * newHeight > max) {
      double beta = Math.sqrt((double) (nFrames * width * height) / max);
      newWidth = Math.max(factor, (long) Math.floor(width / beta / factor) * factor);
      newHeight = Math.max(factor, (long) Math.floor(height / beta / factor) * factor);
    } else if (nRounded * newWidth * newHeight < min) {
      double beta = Math.sqrt((double) min / (nFrames * width * height));
      newWidth = (long) Math.ceil(width * beta / factor) * factor;
      newHeight = (long) Math.ceil(height * beta / factor) * factor;
    }
    return new ImageSize(Math.toIntExact(newWidth), Math.toIntExact(newHeight));
  }

  private static void requireAspectRatio(ImageSize original, ImageSize size) {
    double ratio =
        (double) Math.max(size.width(), size.height()) / Math.min(size.width(), size.height());
    if (ratio > MAX_ASPECT_RATIO) {
      throw new ImageFormatException(
          ImageFormatException.Kind.UNSUPPORTED,
          "An image of %d x %d pixels has an aspect ratio of %.0f, and this model takes at most %d. Crop it or cut it into parts."
              .formatted(original.width(), original.height(), ratio, MAX_ASPECT_RATIO));
    }
  }
}
