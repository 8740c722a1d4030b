package dev.ocellus.vlm.image.codec;

import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.image.ImageLimits;
import dev.ocellus.vlm.image.RgbImage;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * TIFF and BigTIFF to RGB with the pixels of Pillow, which takes samples as they are stored: the
 * TwelveMonkeys reader multiplies and divides by alpha in other ways, scales floats, and refuses
 * palettes with alpha and headers that are a little wrong. It still decodes fax compression and the
 * JPEG compression of TIFF 6.0.
 *
 * <p>Of several images in a file the first one is read, if nobody asks for another.
 */
final class TiffDecoder {
  private final TiffLayout layout;
  private final TiffBlocks blocks;
  private final TiffColors colors;
  private final TiffSamples samples;
  private final TiffYcc ycc;
  private final byte[] out;

  private TiffDecoder(byte[] file, TiffDirectory tags, ImageLimits limits) {
    layout = TiffLayout.of(tags, limits);
    blocks = new TiffBlocks(file, tags, layout, limits);
    colors = new TiffColors(layout, tags);
    samples = new TiffSamples(layout, tags.isLittleEndian());
    ycc = new TiffYcc(layout, tags);
    out = new byte[RgbImage.byteCount(layout.size().width(), layout.size().height())];
  }

  static RgbImage decode(byte[] file, ImageLimits limits) throws IOException {
    TiffDirectory tags = TiffDirectory.first(ByteBuffer.wrap(file));
    if (tags == null) {
      throw ImageFormatException.truncated("the TIFF file ends in its header");
    }
    return decode(file, tags, 0, limits);
  }

  /**
   * One of several images.
   *
   * @param number from 0, of the directory among all
   */
  static RgbImage decode(byte[] file, TiffDirectory tags, int number, ImageLimits limits)
      throws IOException {
    RgbImage image =
        switch ((int) tags.integer(TiffDirectory.COMPRESSION, TiffLayout.UNCOMPRESSED)) {
          case 2, 3, 4, 6 -> PluginDecoder.tiff(file, number, limits);
          default -> new TiffDecoder(file, tags, limits).pixels();
        };
    return Exif.orientation(tags, tags.bytes(TiffDirectory.XMP)).apply(image);
  }

  private RgbImage pixels() throws IOException {
    for (int y = 0; y < layout.blocksDown(); y++) {
      for (int x = 0; x < layout.blocksAcross(); x++) {
        int left = x * layout.block().width();
        int top = y * layout.block().height();
        if (layout.isYcc() && !blocks.givesRgb()) {
          readYcc(y * layout.blocksAcross() + x, left, top, layout.rows(y));
        } else {
          readBlock(y * layout.blocksAcross() + x, left, top, layout.rows(y));
        }
      }
    }
    return RgbImage.wrap(layout.size().width(), layout.size().height(), out);
  }

  private void readBlock(int number, int left, int top, int rows) throws IOException {
    int planes = layout.planar() ? colors.samplesUsed() : 1;
    byte[][] data = new byte[planes][];
    for (int p = 0; p < planes; p++) {
      int ofPlane = p * layout.blocksAcross() * layout.blocksDown();
      data[p] = blocks.read(number + ofPlane, Math.multiplyExact(layout.rowBytes(), rows));
    }
    int columns = Math.min(layout.block().width(), layout.size().width() - left);
    int[] row = new int[Math.multiplyExact(layout.block().width(), layout.samples())];
    for (int y = 0; y < Math.min(rows, layout.size().height() - top); y++) {
      for (int p = 0; p < planes; p++) {
        samples.unpack(data[p], y * layout.rowBytes(), row, p);
      }
      colors.convert(row, out, at(left, top + y), columns);
    }
  }

  private void readYcc(int number, int left, int top, int rows) throws IOException {
    byte[] data = blocks.read(number, ycc.blockBytes(rows));
    int columns = Math.min(layout.block().width(), layout.size().width() - left);
    for (int y = 0; y < Math.min(rows, layout.size().height() - top); y++) {
      ycc.convert(data, y, out, at(left, top + y), columns);
    }
  }

  private int at(int x, int y) {
    return (y * layout.size().width() + x) * 3;
  }
}
