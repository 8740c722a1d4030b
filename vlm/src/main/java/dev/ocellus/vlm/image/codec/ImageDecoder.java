package dev.ocellus.vlm.image.codec;

import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.image.ImageFormatException.Kind;
import dev.ocellus.vlm.image.ImageFrame;
import dev.ocellus.vlm.image.ImageLimits;
import dev.ocellus.vlm.image.RgbImage;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * Reads JPEG, PNG, GIF, BMP, TIFF and WebP files into {@link RgbImage}s with the pixels that {@code
 * ImageOps.exif_transpose(Image.open(f)).convert("RGB")} of Pillow 12.3 gives: turned upright by
 * the EXIF orientation, alpha dropped and not blended, palettes expanded, 16-bit gray clipped to
 * 255 and 16-bit colour cut to its upper byte, CMYK converted without a profile, colour profiles
 * and gamma ignored.
 *
 * <p>Whatever the bytes are, the outcome is an image or an {@link ImageFormatException}; limits are
 * checked before pixels are allocated. All methods may be called from several threads.
 */
public final class ImageDecoder {
  private ImageDecoder() {}

  /** Reads a file with {@link ImageLimits#DEFAULT}. */
  public static RgbImage decode(Path file) throws IOException {
    return decode(file, ImageLimits.DEFAULT);
  }

  /**
   * Reads a file; of an animation the first frame. Pipes are read where they are the process's own
   * streams: {@code /dev/stdin}, {@code /dev/fd/N}.
   *
   * @throws IOException if the file cannot be read
   * @throws ImageFormatException if it is no image, is broken, or exceeds the limits
   */
  public static RgbImage decode(Path file, ImageLimits limits) throws IOException {
    return first(read(file, limits), file.toString(), limits);
  }

  /** Reads the bytes of a file; see {@link #decode(Path, ImageLimits)}. */
  public static RgbImage decode(byte[] file, ImageLimits limits) {
    return first(file, "image", limits);
  }

  /** Reads a stream to its end without closing it; see {@link #decode(Path, ImageLimits)}. */
  public static RgbImage decode(InputStream in, ImageLimits limits) throws IOException {
    return decode(in, "image", limits);
  }

  /**
   * Reads a stream to its end without closing it; see {@link #decode(Path, ImageLimits)}.
   *
   * @param source what messages call it
   */
  public static RgbImage decode(InputStream in, String source, ImageLimits limits)
      throws IOException {
    byte[] bytes;
    try {
      bytes = ImageFile.read(in, limits);
    } catch (ImageFormatException e) {
      throw e.in(source);
    }
    return first(bytes, source, limits);
  }

  /**
   * All frames of an animated GIF, each as it is seen; one frame for any other file (the first, if
   * it has several).
   *
   * @throws IOException if the file cannot be read
   * @throws ImageFormatException if it is no image, is broken, or exceeds the limits
   */
  public static List<ImageFrame> decodeFrames(Path file, ImageLimits limits) throws IOException {
    return all(read(file, limits), file.toString(), limits);
  }

  /** All frames of the bytes of a file; see {@link #decodeFrames(Path, ImageLimits)}. */
  public static List<ImageFrame> decodeFrames(byte[] file, ImageLimits limits) {
    return all(file, "image", limits);
  }

  /**
   * How many images a file has: of TIFF all, of any other format 1, as frames of an animation are
   * one image.
   *
   * @param source what messages call it
   * @throws ImageFormatException if it is no image
   */
  public static int count(byte[] file, String source, ImageLimits limits) {
    return guarded(
        source,
        () -> {
          limits.checkBytes(file.length);
          return ImageFormat.of(file) == ImageFormat.TIFF
              ? Math.max(1, directories(file, limits).size())
              : 1;
        });
  }

  /**
   * One of several images in a file.
   *
   * @param number from 0 to {@link #count} minus 1
   * @param source what messages call it
   * @throws ImageFormatException if it is no image, is broken, or exceeds the limits
   */
  public static RgbImage decode(byte[] file, int number, String source, ImageLimits limits) {
    if (number == 0) {
      return first(file, source, limits);
    }
    return guarded(
        source,
        () -> TiffDecoder.decode(file, directories(file, limits).get(number), number, limits));
  }

  private static List<TiffDirectory> directories(byte[] file, ImageLimits limits) {
    return TiffDirectory.directories(ByteBuffer.wrap(file), limits.maxFrames());
  }

  /**
   * The bytes of a file, read as images are: within the limits, and no pipes of others.
   *
   * @throws IOException if it cannot be read
   * @throws ImageFormatException if it is too long, or no file
   */
  public static byte[] bytes(Path file, ImageLimits limits) throws IOException {
    return read(file, limits);
  }

  /** The bytes of a stream to its end; see {@link #bytes(Path, ImageLimits)}. */
  public static byte[] bytes(InputStream in, ImageLimits limits) throws IOException {
    return ImageFile.read(in, limits);
  }

  private static byte[] read(Path file, ImageLimits limits) throws IOException {
    try {
      return ImageFile.read(file, limits);
    } catch (ImageFormatException e) {
      throw e.in(file.toString());
    }
  }

  private static RgbImage first(byte[] file, String source, ImageLimits limits) {
    return guarded(source, () -> still(file, limits));
  }

  private static RgbImage still(byte[] file, ImageLimits limits) throws IOException {
    limits.checkBytes(file.length);
    return switch (ImageFormat.of(file)) {
      case JPEG -> JpegDecoder.decode(file, limits);
      case PNG -> PngDecoder.decode(file, limits);
      case GIF -> GifDecoder.decode(file, limits);
      case BMP -> BmpDecoder.decode(file, limits);
      case TIFF -> TiffDecoder.decode(file, limits);
      case WEBP -> WebpDecoder.decode(file, limits);
    };
  }

  private static List<ImageFrame> all(byte[] file, String source, ImageLimits limits) {
    return guarded(
        source,
        () -> {
          limits.checkBytes(file.length);
          return ImageFormat.of(file) == ImageFormat.GIF
              ? GifDecoder.decodeFrames(file, limits)
              : List.of(new ImageFrame(still(file, limits), Duration.ZERO));
        });
  }

  private interface Work<T> {
    T run() throws IOException;
  }

  /**
   * Decoders, ours and others', meet bytes that nobody thought of. All that they can throw because
   * of these becomes one type; errors of the JVM that a file can cause are among it.
   */
  private static <T> T guarded(String source, Work<T> work) {
    try {
      return work.run();
    } catch (ImageFormatException e) {
      throw e.in(source);
    } catch (OutOfMemoryError e) {
      throw new ImageFormatException(
          Kind.TOO_LARGE,
          source + ": not enough Java heap to decode this image; raise -Xmx or shrink the image",
          e);
    } catch (IOException | RuntimeException | StackOverflowError | InternalError e) {
      String detail = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
      throw new ImageFormatException(
          Kind.CORRUPT, source + ": the image is corrupt (" + detail + ")", e);
    }
  }
}
