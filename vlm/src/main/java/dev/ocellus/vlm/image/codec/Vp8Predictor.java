package dev.ocellus.vlm.image.codec;

import dev.ocellus.vlm.image.Samples;
import java.util.Arrays;

/** Prediction of blocks from their neighbours (RFC 6386, section 12). */
final class Vp8Predictor {
  // Modes of 4x4 blocks, in the order of the probability tables; the first four name the modes of
  // whole macroblocks too.
  static final int DC = 0;
  static final int TRUE_MOTION = 1;
  static final int VERTICAL = 2;
  static final int HORIZONTAL = 3;
  static final int RIGHT_DOWN = 4;
  static final int VERTICAL_RIGHT = 5;
  static final int LEFT_DOWN = 6;
  static final int VERTICAL_LEFT = 7;
  static final int HORIZONTAL_DOWN = 8;
  static final int HORIZONTAL_UP = 9;

  private final byte[] data;
  private final int stride;

  /**
   * The samples around a 4x4 block, from its lower left counter-clockwise over the corner (4) to
   * the upper right (12).
   */
  private final int[] edge = new int[13];

  Vp8Predictor(Vp8Plane plane) {
    data = plane.data;
    stride = plane.stride;
  }

  /**
   * Predicts a square block of 8 or 16 samples a side at {@code at}.
   *
   * @param hasAbove whether the block has a neighbour above within the image, and {@code hasLeft}
   *     to the left: the mean leaves out what is not there
   */
  void predictBlock(int at, int size, int mode, boolean hasAbove, boolean hasLeft) {
    switch (mode) {
      case DC -> fill(at, size, mean(at, size, hasAbove, hasLeft));
      case TRUE_MOTION -> trueMotion(at, size);
      case VERTICAL -> {
        for (int y = 0; y < size; y++) {
          System.arraycopy(data, at - stride, data, at + y * stride, size);
        }
      }
      default -> {
        for (int y = 0; y < size; y++) {
          int row = at + y * stride;
          Arrays.fill(data, row, row + size, data[row - 1]);
        }
      }
    }
  }

  private int mean(int at, int size, boolean hasAbove, boolean hasLeft) {
    if (!hasAbove && !hasLeft) {
      return 128;
    }
    int sum = 0;
    for (int i = 0; i < size; i++) {
      sum += hasAbove ? data[at - stride + i] & 0xFF : 0;
      sum += hasLeft ? data[at + i * stride - 1] & 0xFF : 0;
    }
    int count = hasAbove && hasLeft ? 2 * size : size;
    return (sum + count / 2) / count;
  }

  private void fill(int at, int size, int value) {
    for (int y = 0; y < size; y++) {
      int row = at + y * stride;
      Arrays.fill(data, row, row + size, (byte) value);
    }
  }

  private void trueMotion(int at, int size) {
    int corner = data[at - stride - 1] & 0xFF;
    for (int y = 0; y < size; y++) {
      int row = at + y * stride;
      int left = (data[row - 1] & 0xFF) - corner;
      for (int x = 0; x < size; x++) {
        data[row + x] = Samples.clip(left + (data[at - stride + x] & 0xFF));
      }
    }
  }

  /**
   * Predicts the 4x4 block at {@code at}.
   *
   * @param aboveRight position of the four samples that count as the continuation of the row above
   */
  void predict4x4(int at, int aboveRight, int mode) {
    switch (mode) {
      case DC -> fill(at, 4, mean(at, 4, true, true));
      case TRUE_MOTION -> trueMotion(at, 4);
      default -> {
        readEdge(at, aboveRight);
        predictFromEdge(at, mode);
      }
    }
  }

  private void readEdge(int at, int aboveRight) {
    for (int i = 0; i < 4; i++) {
      edge[i] = data[at + (3 - i) * stride - 1] & 0xFF;
      edge[5 + i] = data[at - stride + i] & 0xFF;
      edge[9 + i] = data[aboveRight + i] & 0xFF;
    }
    edge[4] = data[at - stride - 1] & 0xFF;
  }

  private void predictFromEdge(int at, int mode) {
    for (int y = 0; y < 4; y++) {
      for (int x = 0; x < 4; x++) {
        int value =
            switch (mode) {
              case VERTICAL -> smooth(5 + x);
              case HORIZONTAL -> y < 3 ? smooth(3 - y) : (edge[1] + 3 * edge[0] + 2) >> 2;
              case RIGHT_DOWN -> smooth(4 - y + x);
              case LEFT_DOWN -> x + y < 6 ? smooth(6 + x + y) : (edge[11] + 3 * edge[12] + 2) >> 2;
              case VERTICAL_RIGHT -> verticalRight(x, y);
              case VERTICAL_LEFT -> verticalLeft(x, y);
              case HORIZONTAL_DOWN -> horizontalDown(x, y);
              default -> horizontalUp(x, y);
            };
        data[at + y * stride + x] = (byte) value;
      }
    }
  }

  private int verticalRight(int x, int y) {
    int place = 2 * x - y;
    if (place < -1) {
      return smooth(5 + place);
    }
    int middle = 4 + x - y / 2;
    return (y & 1) == 0 ? average(middle) : smooth(middle);
  }

  private int verticalLeft(int x, int y) {
    // The two samples at the lower right break the pattern, for the sake of the first decoder.
    if (x == 3 && y >= 2) {
      return y == 2 ? smooth(10) : smooth(11);
    }
    int middle = 5 + x + y / 2;
    return (y & 1) == 0 ? average(middle) : smooth(middle + 1);
  }

  private int horizontalDown(int x, int y) {
    int place = 2 * y - x;
    if (place < -1) {
      return smooth(3 - place);
    }
    int middle = 3 - y + x / 2;
    return (x & 1) == 0 ? average(middle) : smooth(middle + 1);
  }

  private int horizontalUp(int x, int y) {
    int place = x + 2 * y;
    if (place > 5) {
      return edge[0];
    }
    if (place == 5) {
      return (edge[1] + 3 * edge[0] + 2) >> 2;
    }
    int middle = 3 - place / 2;
    return (place & 1) == 0 ? average(middle - 1) : smooth(middle - 1);
  }

  /** Weighted mean of edge sample i and its two neighbours. */
  private int smooth(int i) {
    return (edge[i - 1] + 2 * edge[i] + edge[i + 1] + 2) >> 2;
  }

  /** Mean of edge samples i and i + 1. */
  private int average(int i) {
    return (edge[i] + edge[i + 1] + 1) >> 1;
  }
}
