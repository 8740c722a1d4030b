package dev.ocellus.vlm.image.codec;

import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.Samples;

/**
 * Planes of luma and half-size chroma to RGB, with libwebp's smooth upsampling (weights 9, 3, 3 and
 * 1 of the four nearest chroma samples, in its order of rounding) and its fixed-point BT.601 of
 * limited range. Sources: <a
 * href="https://github.com/webmproject/libwebp/blob/v1.6.0/src/dsp/upsampling.c">upsampling.c</a>,
 * <a href="https://github.com/webmproject/libwebp/blob/v1.6.0/src/dsp/yuv.h">yuv.h</a>.
 */
final class Vp8Colors {
  private Vp8Colors() {}

  static RgbImage toRgb(ImageSize size, Vp8Plane y, Vp8Plane u, Vp8Plane v) {
    int width = size.width();
    byte[] out = new byte[RgbImage.byteCount(width, size.height())];
    int lastColumn = (width - 1) / 2;
    int lastRow = (size.height() - 1) / 2;
    int to = 0;
    for (int row = 0; row < size.height(); row++) {
      int near = u.at(0, row / 2);
      int far = u.at(0, Math.clamp((row & 1) == 0 ? row / 2 - 1 : row / 2 + 1, 0, lastRow));
      int luma = y.at(0, row);
      for (int x = 0; x < width; x++, to += 3) {
        int column = x / 2;
        int next = Math.clamp((x & 1) == 0 ? column - 1 : column + 1, 0, lastColumn);
        int cb = upsample(u.data, near, far, column, next);
        int cr = upsample(v.data, near, far, column, next);
        int light = (y.data[luma + x] & 0xFF) * 19077 >> 8;
        out[to] = clip(light + (cr * 26149 >> 8) - 14234);
        out[to + 1] = clip(light - (cb * 6419 >> 8) - (cr * 13320 >> 8) + 8708);
        out[to + 2] = clip(light + (cb * 33050 >> 8) - 17685);
      }
    }
    return RgbImage.wrap(width, size.height(), out);
  }

  private static int upsample(byte[] data, int near, int far, int column, int next) {
    int nearest = data[near + column] & 0xFF;
    int beside = data[near + next] & 0xFF;
    int below = data[far + column] & 0xFF;
    int across = data[far + next] & 0xFF;
    int mean = (nearest + across + 3 * (beside + below) + 8) >> 3;
    return (mean + nearest) >> 1;
  }

  /** Six fraction bits away. */
  private static byte clip(int value) {
    return Samples.clip(value >> 6);
  }
}
