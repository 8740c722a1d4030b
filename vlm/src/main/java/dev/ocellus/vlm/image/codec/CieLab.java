package dev.ocellus.vlm.image.codec;

/**
 * CIE L*a*b* with the white point D50 to sRGB, which Pillow leaves to Little CMS. That program
 * interpolates in a table; these are the formulas themselves.
 */
final class CieLab {
  /** White point D50. */
  private static final double X = 0.9642;

  private static final double Z = 0.8249;

  /** XYZ for D50 to linear sRGB, adapted after Bradford. */
  private static final double[][] TO_RGB = {
    {3.1338561, -1.6168667, -0.4906146},
    {-0.9787684, 1.9161415, 0.0334540},
    {0.0719453, -0.2289914, 1.4052427}
  };

  private CieLab() {}

  /** Writes red, green and blue; a and b are two's complements of 8 bits, L is 0 to 255. */
  static void toRgb(int lightness, int a, int b, byte[] out, int to) {
    double y = (lightness * 100.0 / 255 + 16) / 116;
    double x = y + (byte) a / 500.0;
    double z = y - (byte) b / 200.0;
    double[] xyz = {X * linear(x), linear(y), Z * linear(z)};
    for (int c = 0; c < 3; c++) {
      double[] row = TO_RGB[c];
      double light = row[0] * xyz[0] + row[1] * xyz[1] + row[2] * xyz[2];
      out[to + c] = (byte) Math.clamp(Math.round(encoded(light) * 255), 0, 255);
    }
  }

  private static double linear(double t) {
    return t > 6.0 / 29 ? t * t * t : (t - 16.0 / 116) * 3 * 36 / 841;
  }

  private static double encoded(double light) {
    return light <= 0.0031308 ? light * 12.92 : 1.055 * Math.pow(light, 1 / 2.4) - 0.055;
  }
}
