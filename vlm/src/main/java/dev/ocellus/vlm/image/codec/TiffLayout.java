package dev.ocellus.vlm.image.codec;

import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.image.ImageLimits;
import dev.ocellus.vlm.image.ImageSize;
import java.util.Arrays;

/**
 * How the samples of a TIFF file are laid out: what its first directory says, checked.
 *
 * @param size of the image, in pixels
 * @param compression tag 259
 * @param photometric tag 262: what samples mean
 * @param samples numbers per pixel, colours and whatever else
 * @param bits of every sample
 * @param format of every sample
 * @param associatedAlpha whether colours are multiplied by the alpha behind them
 * @param planar whether every sample has blocks of its own
 * @param reversedBits whether the first pixel of a byte is in its lowest bit
 * @param predictor tag 317: what was done before compression
 * @param tiled whether blocks are tiles, which have their full size also where they leave the image
 * @param block size of a block, in pixels
 * @param offsets where blocks begin, in bytes
 * @param lengths of blocks in bytes; too few if the file does not say
 */
record TiffLayout(
    ImageSize size,
    int compression,
    int photometric,
    int samples,
    int bits,
    Format format,
    boolean associatedAlpha,
    boolean planar,
    boolean reversedBits,
    int predictor,
    boolean tiled,
    ImageSize block,
    long[] offsets,
    long[] lengths) {

  /** How a sample is a number. */
  enum Format {
    UNSIGNED,
    SIGNED,
    FLOAT
  }

  static final int UNCOMPRESSED = 1;

  /** Pillow reads six. */
  private static final int MAX_SAMPLES = 16;

  /** Strips or tiles of a plane, of whatever size: as many as an image has rows. */
  private static final long MAX_SMALL_BLOCKS = 1 << 16;

  private static final int RGB = 2;
  private static final int CMYK = 5;
  private static final int YCBCR = 6;
  private static final int LAB = 8;

  static TiffLayout of(TiffDirectory tags, ImageLimits limits) {
    ImageSize size =
        limits.checkSize(
            tags.integer(TiffDirectory.WIDTH, 0), tags.integer(TiffDirectory.HEIGHT, 0));
    int compression = (int) tags.integer(TiffDirectory.COMPRESSION, UNCOMPRESSED);
    int photometric = (int) tags.integer(TiffDirectory.PHOTOMETRIC, 0);
    long samples = tags.integer(TiffDirectory.SAMPLES_PER_PIXEL, 1);
    if (samples < 1 || samples > MAX_SAMPLES) {
      throw ImageFormatException.unsupported(
          "the TIFF file has %d samples per pixel; at most %d are read"
              .formatted(samples, MAX_SAMPLES));
    }
    long[] extra = tags.integers(TiffDirectory.EXTRA_SAMPLES);
    boolean tiled = !tags.has(TiffDirectory.STRIP_OFFSETS) && tags.has(TiffDirectory.TILE_OFFSETS);
    TiffLayout layout =
        new TiffLayout(
            size,
            compression,
            photometric,
            (int) samples,
            bits(tags, (int) samples),
            format(tags),
            extra.length > 0 && extra[0] == 1,
            tags.integer(TiffDirectory.PLANAR_CONFIGURATION, 1) == 2 && samples > 1,
            tags.integer(TiffDirectory.FILL_ORDER, 1) == 2,
            (int) tags.integer(TiffDirectory.PREDICTOR, 1),
            tiled,
            tiled ? tile(tags, limits) : strip(tags, size),
            tags.integers(tiled ? TiffDirectory.TILE_OFFSETS : TiffDirectory.STRIP_OFFSETS),
            tags.integers(
                tiled ? TiffDirectory.TILE_BYTE_COUNTS : TiffDirectory.STRIP_BYTE_COUNTS));
    layout.check();
    return layout;
  }

  private static int bits(TiffDirectory tags, int samples) {
    long[] bits = tags.integers(TiffDirectory.BITS_PER_SAMPLE);
    if (bits.length == 0) {
      return 1;
    }
    // One number may stand for all, and there may be more of them than samples.
    boolean enough = bits.length == 1 || bits.length >= samples;
    long[] used = Arrays.copyOf(bits, Math.min(bits.length, samples));
    if (!enough || Arrays.stream(used).distinct().count() > 1) {
      throw ImageFormatException.unsupported(
          "the TIFF file has %d samples per pixel of %s bits; one number of bits for all is read"
              .formatted(samples, Arrays.toString(bits)));
    }
    return (int) Math.clamp(used[0], 0, 1000);
  }

  private static Format format(TiffDirectory tags) {
    return switch ((int) tags.integer(TiffDirectory.SAMPLE_FORMAT, 1)) {
      case 2 -> Format.SIGNED;
      case 3 -> Format.FLOAT;
      default -> Format.UNSIGNED;
    };
  }

  private static ImageSize tile(TiffDirectory tags, ImageLimits limits) {
    return limits.checkSize(
        tags.integer(TiffDirectory.TILE_WIDTH, 0), tags.integer(TiffDirectory.TILE_HEIGHT, 0));
  }

  private static ImageSize strip(TiffDirectory tags, ImageSize size) {
    long rows = tags.integer(TiffDirectory.ROWS_PER_STRIP, size.height());
    return new ImageSize(
        size.width(), rows < 1 ? size.height() : (int) Math.min(rows, size.height()));
  }

  private void check() {
    boolean readable =
        format == Format.FLOAT
            ? (bits == 32 || bits == 64) && !isColor()
            : bits >= 1 && bits <= 16 || bits == 32;
    boolean known =
        switch (photometric) {
          case 0, 1 -> true;
          case 3 -> bits <= 8;
          case RGB -> samples >= 3;
          case CMYK -> samples >= 4;
          case YCBCR -> bits == 8 && (samples == 1 || samples >= 3);
          case LAB -> bits == 8 && samples >= 3;
          default -> false;
        };
    if (!readable || !known) {
      throw ImageFormatException.unsupported(
          "the TIFF file has %d samples of %d bits (%s) with photometric interpretation %d, which is not read; save it as PNG"
              .formatted(samples, bits, format, photometric));
    }
    if (blockCount() > Math.max(MAX_SMALL_BLOCKS, size.pixels() / 64) * samples) {
      throw ImageFormatException.corrupt(
          "the TIFF file has %d strips or tiles of %s pixels, more than any real one"
              .formatted(blockCount(), block));
    }
    if (offsets.length < blockCount()) {
      throw ImageFormatException.truncated(
          "the TIFF file has %d of its %d strips or tiles".formatted(offsets.length, blockCount()));
    }
  }

  private boolean isColor() {
    return photometric != 0 && photometric != 1;
  }

  int blocksAcross() {
    return Math.ceilDiv(size.width(), block.width());
  }

  int blocksDown() {
    return Math.ceilDiv(size.height(), block.height());
  }

  private long blockCount() {
    return (long) blocksAcross() * blocksDown() * (planar ? samples : 1);
  }

  /** Samples of a pixel that stand beside each other in a block. */
  int samplesPerBlock() {
    return planar ? 1 : samples;
  }

  /** Rows of pixels that block row {@code y} has. */
  int rows(int y) {
    return tiled ? block.height() : Math.min(block.height(), size.height() - y * block.height());
  }

  /** Bytes of a row of a block. */
  int rowBytes() {
    return Math.toIntExact(((long) block.width() * samplesPerBlock() * bits + 7) / 8);
  }

  boolean isYcc() {
    return photometric == YCBCR && samples >= 3;
  }
}
