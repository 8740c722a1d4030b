package dev.ocellus.vlm.image.codec;

/**
 * What an encoder did to the pixels of a lossless WebP image to make them compress better (RFC
 * 9649, section 3.5), undone. Pixels are {@code 0xAARRGGBB}.
 */
sealed interface Vp8lTransform {
  /** Pixels of {@code width} x {@code height} of those that the file holds, possibly in place. */
  int[] undo(int[] pixels, int width, int height);

  /** How many blocks of 2^{@code bits} cover {@code size}. */
  static int blocks(int size, int bits) {
    return (size + (1 << bits) - 1) >> bits;
  }

  /** Channel-wise sum modulo 256. */
  static int add(int a, int b) {
    int outer = (a & 0xFF00FF00) + (b & 0xFF00FF00);
    int inner = (a & 0x00FF00FF) + (b & 0x00FF00FF);
    return outer & 0xFF00FF00 | inner & 0x00FF00FF;
  }

  /** Every pixel is a difference from what its neighbours predict; blocks have a mode each. */
  record Predictor(int bits, int[] modes) implements Vp8lTransform {
    private static final int BLACK = 0xFF000000;

    @Override
    public int[] undo(int[] pixels, int width, int height) {
      int columns = blocks(width, bits);
      for (int y = 0, at = 0; y < height; y++) {
        for (int x = 0; x < width; x++, at++) {
          int predicted;
          if (y == 0) {
            predicted = x == 0 ? BLACK : pixels[at - 1];
          } else if (x == 0) {
            predicted = pixels[at - width];
          } else {
            int mode = modes[(y >> bits) * columns + (x >> bits)] >> 8 & 15;
            predicted = predict(mode, pixels, at, width);
          }
          pixels[at] = Vp8lTransform.add(pixels[at], predicted);
        }
      }
      return pixels;
    }

    /** In the last column the upper right neighbour is the first pixel of this row. */
    private static int predict(int mode, int[] pixels, int at, int width) {
      int left = pixels[at - 1];
      int up = pixels[at - width];
      int upLeft = pixels[at - width - 1];
      int upRight = pixels[at - width + 1];
      return switch (mode) {
        case 1 -> left;
        case 2 -> up;
        case 3 -> upRight;
        case 4 -> upLeft;
        case 5 -> average(average(left, upRight), up);
        case 6 -> average(left, upLeft);
        case 7 -> average(left, up);
        case 8 -> average(upLeft, up);
        case 9 -> average(up, upRight);
        case 10 -> average(average(left, upLeft), average(up, upRight));
        case 11 -> select(left, up, upLeft);
        case 12 -> gradient(left, up, upLeft);
        case 13 -> halfGradient(average(left, up), upLeft);
        default -> BLACK;
      };
    }

    /** Channel-wise mean, rounded down. */
    private static int average(int a, int b) {
      return ((a ^ b) >>> 1 & 0x7F7F7F7F) + (a & b);
    }

    /** Whichever of left and up is nearer to left + up - upLeft. */
    private static int select(int left, int up, int upLeft) {
      int distance = 0;
      for (int shift = 0; shift < 32; shift += 8) {
        int corner = upLeft >>> shift & 0xFF;
        distance += Math.abs((up >>> shift & 0xFF) - corner);
        distance -= Math.abs((left >>> shift & 0xFF) - corner);
      }
      return distance < 0 ? left : up;
    }

    private static int gradient(int left, int up, int upLeft) {
      int result = 0;
      for (int shift = 0; shift < 32; shift += 8) {
        int value = (left >>> shift & 0xFF) + (up >>> shift & 0xFF) - (upLeft >>> shift & 0xFF);
        result |= Math.clamp(value, 0, 255) << shift;
      }
      return result;
    }

    private static int halfGradient(int mean, int upLeft) {
      int result = 0;
      for (int shift = 0; shift < 32; shift += 8) {
        int value = mean >>> shift & 0xFF;
        // A division, which rounds towards 0; a shift would not.
        int moved = value + (value - (upLeft >>> shift & 0xFF)) / 2;
        result |= Math.clamp(moved, 0, 255) << shift;
      }
      return result;
    }
  }

  /** Red and blue are differences from multiples of green and red; blocks have factors each. */
  record CrossColor(int bits, int[] factors) implements Vp8lTransform {
    @Override
    public int[] undo(int[] pixels, int width, int height) {
      int columns = blocks(width, bits);
      for (int y = 0, at = 0; y < height; y++) {
        for (int x = 0; x < width; x++, at++) {
          int factor = factors[(y >> bits) * columns + (x >> bits)];
          int pixel = pixels[at];
          int green = pixel >> 8;
          int red = (pixel >> 16) + product(factor, green);
          int blue = pixel + product(factor >> 8, green) + product(factor >> 16, red);
          pixels[at] = pixel & 0xFF00FF00 | (red & 0xFF) << 16 | blue & 0xFF;
        }
      }
      return pixels;
    }

    /** Product of the lowest bytes as signed numbers, with five fraction bits. */
    private static int product(int a, int b) {
      return (byte) a * (byte) b >> 5;
    }
  }

  /** Red and blue are differences from green. */
  record SubtractGreen() implements Vp8lTransform {
    @Override
    public int[] undo(int[] pixels, int width, int height) {
      for (int i = 0; i < pixels.length; i++) {
        int green = pixels[i] >> 8 & 0xFF;
        pixels[i] =
            pixels[i] & 0xFF00FF00 | (pixels[i] & 0x00FF00FF) + green * 0x10001 & 0x00FF00FF;
      }
      return pixels;
    }
  }

  /** Green is an index into a palette; 2^{@code bits} of them share a pixel if they are small. */
  record Palette(int bits, int[] colors) implements Vp8lTransform {
    @Override
    public int[] undo(int[] pixels, int width, int height) {
      int[] out = new int[Math.multiplyExact(width, height)];
      int packedWidth = blocks(width, bits);
      int indexBits = 8 >> bits;
      int mask = (1 << indexBits) - 1;
      for (int y = 0, at = 0; y < height; y++) {
        for (int x = 0; x < width; x++, at++) {
          int green = pixels[y * packedWidth + (x >> bits)] >> 8 & 0xFF;
          int index = green >> (x & (1 << bits) - 1) * indexBits & mask;
          out[at] = index < colors.length ? colors[index] : 0;
        }
      }
      return out;
    }
  }
}
