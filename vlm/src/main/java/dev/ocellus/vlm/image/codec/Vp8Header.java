package dev.ocellus.vlm.image.codec;

import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.image.ImageLimits;
import dev.ocellus.vlm.image.ImageSize;

/**
 * The header of a VP8 key frame (RFC 6386, section 9): size, partitions, quantizers, filter levels
 * and probabilities.
 */
final class Vp8Header {
  static final int SEGMENTS = 4;
  private static final int FIRST_PARTITION = 10;

  /** Quantizer steps of a segment: first and other coefficients, by kind of block. */
  record Quantizers(int yDc, int yAc, int y2Dc, int y2Ac, int uvDc, int uvAc) {}

  final ImageSize size;

  /** What follows the header: the modes of all macroblocks. */
  final Vp8BoolReader modes;

  /** Coefficients; macroblock row y is in partition {@code y % length}. */
  final Vp8BoolReader[] partitions;

  final int[] coefficientProbabilities = Vp8Tables.COEFFICIENT_PROBABILITIES.clone();
  final int[] segmentProbabilities = {255, 255, 255};
  final Quantizers[] quantizers = new Quantizers[SEGMENTS];
  final boolean updatesSegmentMap;

  /** Probability that a macroblock has coefficients, or -1 if it is not said per macroblock. */
  final int skipProbability;

  final boolean simpleFilter;
  final int sharpness;

  /** Filter level of each segment, for macroblocks predicted as a whole and in 4x4 blocks. */
  final int[][] filterLevels = new int[SEGMENTS][2];

  private final int[] segmentQuantizers = new int[SEGMENTS];
  private final int[] segmentLevels = new int[SEGMENTS];
  private boolean absoluteSegments;

  /** The frame in bytes {@code start} to {@code end} of a file. */
  Vp8Header(byte[] file, int start, int end, ImageLimits limits) {
    size = readSize(file, start, end, limits);
    int tag = byteAt(file, start) | byteAt(file, start + 1) << 8 | byteAt(file, start + 2) << 16;
    int firstLength = tag >> 5;
    int first = start + FIRST_PARTITION;
    if (firstLength > end - first) {
      throw truncated();
    }
    modes = new Vp8BoolReader(file, first, first + firstLength);
    // Colour space and clamping: there is one of each.
    int unused = modes.number(2);
    boolean segmented = modes.flag();
    updatesSegmentMap = segmented && modes.flag();
    if (segmented) {
      readSegments();
    }
    simpleFilter = modes.flag();
    int level = modes.number(6);
    sharpness = modes.number(3);
    readFilterLevels(level, segmented);
    partitions = readPartitions(file, first + firstLength, end);
    readQuantizers(segmented);
    // Whether probabilities outlive the frame: there is no other frame.
    unused += modes.number(1);
    for (int i = 0; i < coefficientProbabilities.length; i++) {
      if (modes.read(Vp8Tables.UPDATE_PROBABILITIES[i])) {
        coefficientProbabilities[i] = modes.number(8);
      }
    }
    skipProbability = modes.flag() ? modes.number(8) : -1;
  }

  /** The size of a frame, without anything behind it. */
  static ImageSize readSize(byte[] file, int start, int end, ImageLimits limits) {
    if (end - start < FIRST_PARTITION) {
      throw truncated();
    }
    int tag = byteAt(file, start);
    boolean keyFrame = (tag & 1) == 0;
    boolean shown = (tag & 0x10) != 0;
    int profile = tag >> 1 & 7;
    boolean signed =
        byteAt(file, start + 3) == 0x9D
            && byteAt(file, start + 4) == 0x01
            && byteAt(file, start + 5) == 0x2A;
    if (!keyFrame || !shown || profile > 3 || !signed) {
      throw ImageFormatException.corrupt("the WebP file does not hold a VP8 key frame");
    }
    // The upper two bits of each side are a hint for enlarging, which nobody follows.
    int width = (byteAt(file, start + 6) | byteAt(file, start + 7) << 8) & 0x3FFF;
    int height = (byteAt(file, start + 8) | byteAt(file, start + 9) << 8) & 0x3FFF;
    return limits.checkSize(width, height);
  }

  private void readSegments() {
    if (modes.flag()) {
      absoluteSegments = modes.flag();
      for (int i = 0; i < SEGMENTS; i++) {
        segmentQuantizers[i] = modes.optional(7, 0);
      }
      for (int i = 0; i < SEGMENTS; i++) {
        segmentLevels[i] = modes.optional(6, 0);
      }
    }
    if (updatesSegmentMap) {
      for (int i = 0; i < segmentProbabilities.length; i++) {
        segmentProbabilities[i] = modes.flag() ? modes.number(8) : 255;
      }
    }
  }

  private void readFilterLevels(int level, boolean segmented) {
    int intraDelta = 0;
    int smallBlockDelta = 0;
    boolean hasDeltas = modes.flag();
    if (hasDeltas && modes.flag()) {
      // Four deltas by reference frame and four by mode; a key frame needs the first of each.
      for (int i = 0; i < 8; i++) {
        int delta = modes.optional(6, 0);
        intraDelta = i == 0 ? delta : intraDelta;
        smallBlockDelta = i == 4 ? delta : smallBlockDelta;
      }
    }
    for (int i = 0; i < SEGMENTS && level > 0; i++) {
      int base = segmented ? segmentLevels[i] + (absoluteSegments ? 0 : level) : level;
      filterLevels[i][0] = Math.clamp(base + intraDelta, 0, 63);
      filterLevels[i][1] = Math.clamp(base + intraDelta + smallBlockDelta, 0, 63);
    }
  }

  private Vp8BoolReader[] readPartitions(byte[] file, int start, int end) {
    int count = 1 << modes.number(2);
    int at = start + 3 * (count - 1);
    if (at >= end) {
      throw truncated();
    }
    Vp8BoolReader[] readers = new Vp8BoolReader[count];
    for (int i = 0; i < count; i++) {
      int entry = start + 3 * i;
      int length =
          i == count - 1
              ? end - at
              : byteAt(file, entry) | byteAt(file, entry + 1) << 8 | byteAt(file, entry + 2) << 16;
      int next = at + Math.min(length, end - at);
      readers[i] = new Vp8BoolReader(file, at, next);
      at = next;
    }
    return readers;
  }

  private void readQuantizers(boolean segmented) {
    int base = modes.number(7);
    int yDc = modes.optional(4, 0);
    int y2Dc = modes.optional(4, 0);
    int y2Ac = modes.optional(4, 0);
    int uvDc = modes.optional(4, 0);
    int uvAc = modes.optional(4, 0);
    for (int i = 0; i < SEGMENTS; i++) {
      int q = segmented ? segmentQuantizers[i] + (absoluteSegments ? 0 : base) : base;
      quantizers[i] =
          new Quantizers(
              Vp8Tables.DC_QUANTIZERS[Math.clamp(q + yDc, 0, 127)],
              Vp8Tables.AC_QUANTIZERS[Math.clamp(q, 0, 127)],
              Vp8Tables.DC_QUANTIZERS[Math.clamp(q + y2Dc, 0, 127)] * 2,
              Math.max(8, Vp8Tables.AC_QUANTIZERS[Math.clamp(q + y2Ac, 0, 127)] * 155 / 100),
              Vp8Tables.DC_QUANTIZERS[Math.clamp(q + uvDc, 0, 117)],
              Vp8Tables.AC_QUANTIZERS[Math.clamp(q + uvAc, 0, 127)]);
    }
  }

  private static int byteAt(byte[] file, int at) {
    return file[at] & 0xFF;
  }

  private static ImageFormatException truncated() {
    return ImageFormatException.truncated("the WebP file ends before its pixels");
  }
}
