package dev.ocellus.cli.terminal;

import dev.ocellus.vlm.image.RgbImage;

/**
 * Images as sixels (DEC STD 070): bands of six lines, in each of them one pass for every colour,
 * with a cube of 6 levels as the palette.
 */
final class Sixel {
  private static final int LEVELS = 6;
  private static final int COLORS = LEVELS * LEVELS * LEVELS;
  private static final int BAND = 6;
  private static final int SHORTEST_RUN = 4;

  private Sixel() {}

  static String encode(RgbImage image) {
    StringBuilder out = new StringBuilder("\u001bP0;1q\"1;1;");
    out.append(image.width()).append(';').append(image.height());
    for (int color = 0; color < COLORS; color++) {
      out.append('#').append(color).append(";2;").append(percent(color / LEVELS / LEVELS));
      out.append(';').append(percent(color / LEVELS % LEVELS));
      out.append(';').append(percent(color % LEVELS));
    }
    for (int top = 0; top < image.height(); top += BAND) {
      band(image, top, out);
      out.append('-');
    }
    return out.append("\u001b\\\n").toString();
  }

  private static int percent(int level) {
    return 100 * level / (LEVELS - 1);
  }

  private static int color(int rgb) {
    return level(rgb >> 16 & 0xFF) * LEVELS * LEVELS
        + level(rgb >> 8 & 0xFF) * LEVELS
        + level(rgb & 0xFF);
  }

  private static int level(int value) {
    return (value * (LEVELS - 1) + 127) / 255;
  }

  private static void band(RgbImage image, int top, StringBuilder out) {
    int height = Math.min(BAND, image.height() - top);
    int[][] bits = new int[COLORS][];
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < image.width(); x++) {
        int color = color(image.rgb(x, top + y));
        if (bits[color] == null) {
          bits[color] = new int[image.width()];
        }
        bits[color][x] |= 1 << y;
      }
    }
    for (int color = 0; color < COLORS; color++) {
      if (bits[color] != null) {
        out.append('#').append(color);
        runs(bits[color], out);
        out.append('$');
      }
    }
  }

  private static void runs(int[] line, StringBuilder out) {
    for (int x = 0; x < line.length; ) {
      int end = x + 1;
      while (end < line.length && line[end] == line[x]) {
        end++;
      }
      char sixel = (char) ('?' + line[x]);
      if (end - x >= SHORTEST_RUN) {
        out.append('!').append(end - x).append(sixel);
      } else {
        out.append(String.valueOf(sixel).repeat(end - x));
      }
      x = end;
    }
  }
}
