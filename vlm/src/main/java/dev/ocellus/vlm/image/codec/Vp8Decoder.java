package dev.ocellus.vlm.image.codec;

import dev.ocellus.vlm.image.ImageLimits;
import dev.ocellus.vlm.image.RgbImage;
import java.util.Arrays;

/**
 * VP8 key frames (<a href="https://www.rfc-editor.org/rfc/rfc6386">RFC 6386</a>), which are what
 * lossy WebP files hold, to RGB with the pixels of libwebp.
 *
 * <p>Prediction reads samples before they are filtered, so the frame is first decoded as a whole
 * and then filtered.
 */
final class Vp8Decoder {
  private final Vp8Header header;
  private final int columns;
  private final int rows;
  private final Vp8Plane y;
  private final Vp8Plane u;
  private final Vp8Plane v;
  private final Vp8Predictor yPredictor;
  private final Vp8Predictor uPredictor;
  private final Vp8Predictor vPredictor;
  private final Vp8Residual residual;
  private final Vp8LoopFilter filter;

  /**
   * Modes of the 4x4 blocks above and to the left, which the next mode's probability depends on.
   */
  private final int[] modesAbove;

  private final int[] modesLeft = new int[4];
  private final int[] modes = new int[16];

  private Vp8Decoder(Vp8Header header) {
    this.header = header;
    columns = (header.size.width() + 15) / 16;
    rows = (header.size.height() + 15) / 16;
    y = new Vp8Plane(columns * 16, rows * 16);
    u = new Vp8Plane(columns * 8, rows * 8);
    v = new Vp8Plane(columns * 8, rows * 8);
    yPredictor = new Vp8Predictor(y);
    uPredictor = new Vp8Predictor(u);
    vPredictor = new Vp8Predictor(v);
    residual = new Vp8Residual(header, columns);
    filter = new Vp8LoopFilter(header, columns, rows);
    modesAbove = new int[columns * 4];
  }

  /** Decodes the frame in bytes {@code start} to {@code end} of a file. */
  static RgbImage decode(byte[] file, int start, int end, ImageLimits limits) {
    Vp8Decoder decoder = new Vp8Decoder(new Vp8Header(file, start, end, limits));
    for (int row = 0; row < decoder.rows; row++) {
      decoder.decodeRow(row);
    }
    decoder.filter.apply(decoder.y, decoder.u, decoder.v);
    return Vp8Colors.toRgb(decoder.header.size, decoder.y, decoder.u, decoder.v);
  }

  private void decodeRow(int row) {
    Vp8BoolReader tokens = header.partitions[row % header.partitions.length];
    Arrays.fill(modesLeft, Vp8Predictor.DC);
    residual.startRow();
    for (int column = 0; column < columns; column++) {
      Vp8BoolReader reader = header.modes;
      int segment = header.updatesSegmentMap ? readSegment(reader) : 0;
      boolean skipped = header.skipProbability >= 0 && reader.read(header.skipProbability);
      boolean in4x4 = !reader.read(145);
      int mode = in4x4 ? readSmallModes(reader, column) : readLargeMode(reader, column);
      int chromaMode = readChromaMode(reader);
      boolean coded = false;
      if (skipped) {
        residual.skip(column, in4x4);
      } else {
        coded = residual.read(tokens, column, in4x4, segment);
      }
      filter.note(column, row, header.filterLevels[segment][in4x4 ? 1 : 0], in4x4 || coded);
      reconstruct(column, row, in4x4, mode, chromaMode);
    }
  }

  private int readSegment(Vp8BoolReader reader) {
    int[] p = header.segmentProbabilities;
    return reader.read(p[0]) ? 2 + reader.bit(p[2]) : reader.bit(p[1]);
  }

  private int readLargeMode(Vp8BoolReader reader, int column) {
    int mode;
    if (reader.read(156)) {
      mode = reader.read(128) ? Vp8Predictor.TRUE_MOTION : Vp8Predictor.HORIZONTAL;
    } else {
      mode = reader.read(163) ? Vp8Predictor.VERTICAL : Vp8Predictor.DC;
    }
    Arrays.fill(modesAbove, column * 4, column * 4 + 4, mode);
    Arrays.fill(modesLeft, mode);
    return mode;
  }

  private int readSmallModes(Vp8BoolReader reader, int column) {
    for (int i = 0; i < 16; i++) {
      int above = column * 4 + i % 4;
      int left = i / 4;
      int mode = readSmallMode(reader, modesAbove[above] * Vp8Tables.MODES + modesLeft[left]);
      modesAbove[above] = mode;
      modesLeft[left] = mode;
      modes[i] = mode;
    }
    return modes[0];
  }

  private static int readSmallMode(Vp8BoolReader reader, int context) {
    int[] table = Vp8Tables.MODE_PROBABILITIES;
    int p = context * (Vp8Tables.MODES - 1);
    if (!reader.read(table[p])) {
      return Vp8Predictor.DC;
    }
    if (!reader.read(table[p + 1])) {
      return Vp8Predictor.TRUE_MOTION;
    }
    if (!reader.read(table[p + 2])) {
      return Vp8Predictor.VERTICAL;
    }
    if (!reader.read(table[p + 3])) {
      if (!reader.read(table[p + 4])) {
        return Vp8Predictor.HORIZONTAL;
      }
      return reader.read(table[p + 5]) ? Vp8Predictor.VERTICAL_RIGHT : Vp8Predictor.RIGHT_DOWN;
    }
    if (!reader.read(table[p + 6])) {
      return Vp8Predictor.LEFT_DOWN;
    }
    if (!reader.read(table[p + 7])) {
      return Vp8Predictor.VERTICAL_LEFT;
    }
    return reader.read(table[p + 8]) ? Vp8Predictor.HORIZONTAL_UP : Vp8Predictor.HORIZONTAL_DOWN;
  }

  private static int readChromaMode(Vp8BoolReader reader) {
    if (!reader.read(142)) {
      return Vp8Predictor.DC;
    }
    if (!reader.read(114)) {
      return Vp8Predictor.VERTICAL;
    }
    return reader.read(183) ? Vp8Predictor.TRUE_MOTION : Vp8Predictor.HORIZONTAL;
  }

  private void reconstruct(int column, int row, boolean in4x4, int mode, int chromaMode) {
    boolean hasAbove = row > 0;
    boolean hasLeft = column > 0;
    int at = y.at(column * 16, row * 16);
    int aboveRight = at - y.stride + 16;
    if (in4x4) {
      if (hasAbove && column == columns - 1) {
        // There is no macroblock to the right, but room for what stands for it.
        Arrays.fill(y.data, aboveRight, aboveRight + 4, y.data[aboveRight - 1]);
      }
    } else {
      yPredictor.predictBlock(at, 16, mode, hasAbove, hasLeft);
    }
    for (int block = 0; block < 16; block++) {
      int to = at + block / 4 * 4 * y.stride + block % 4 * 4;
      if (in4x4) {
        // What is to the right of a macroblock is not decoded yet: its lower rows use the samples
        // above the macroblock instead.
        int from = block % 4 == 3 ? aboveRight : to - y.stride + 4;
        yPredictor.predict4x4(to, from, modes[block]);
      }
      residual.add(block, y.data, to, y.stride);
    }
    int chroma = u.at(column * 8, row * 8);
    uPredictor.predictBlock(chroma, 8, chromaMode, hasAbove, hasLeft);
    vPredictor.predictBlock(chroma, 8, chromaMode, hasAbove, hasLeft);
    for (int block = 0; block < 4; block++) {
      int to = chroma + block / 2 * 4 * u.stride + block % 2 * 4;
      residual.add(16 + block, u.data, to, u.stride);
      residual.add(20 + block, v.data, to, v.stride);
    }
  }
}
