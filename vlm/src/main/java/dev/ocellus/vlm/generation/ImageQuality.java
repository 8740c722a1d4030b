package dev.ocellus.vlm.generation;

import dev.ocellus.vlm.image.RgbImage;

/**
 * How like two images of one size are.
 *
 * @param psnr the peak signal to noise ratio in decibels, over all channels; infinite for equals
 * @param ssim the structural similarity (Wang et al., 2004), from -1 to 1: Gaussian windows of 11
 *     by 11 with a deviation of 1.5 that lie within the image, mean of the channels
 */
public record ImageQuality(double psnr, double ssim) {
  private static final int WINDOW = 11;
  private static final double SIGMA = 1.5;
  private static final double C1 = square(0.01 * 255);
  private static final double C2 = square(0.03 * 255);

  /**
   * Compares two images.
   *
   * @throws IllegalArgumentException if their sizes differ
   */
  public static ImageQuality of(RgbImage a, RgbImage b) {
    if (!a.size().equals(b.size())) {
      throw new IllegalArgumentException(
          "expected images of one size, found %s and %s".formatted(a.size(), b.size()));
    }
    byte[] left = a.toByteArray();
    byte[] right = b.toByteArray();
    double sum = 0;
    for (int i = 0; i < left.length; i++) {
      sum += square((left[i] & 0xFF) - (right[i] & 0xFF));
    }
    double psnr = 10 * Math.log10(255.0 * 255.0 / (sum / left.length));
    double ssim = 0;
    for (int c = 0; c < 3; c++) {
      ssim += ssim(plane(left, c), plane(right, c), a.width(), a.height()) / 3;
    }
    return new ImageQuality(psnr, ssim);
  }

  private static double square(double x) {
    return x * x;
  }

  private static double[] plane(byte[] rgb, int c) {
    double[] out = new double[rgb.length / 3];
    for (int i = 0; i < out.length; i++) {
      out[i] = rgb[3 * i + c] & 0xFF;
    }
    return out;
  }

  private static double ssim(double[] a, double[] b, int width, int height) {
    double[] aa = new double[a.length];
    double[] bb = new double[a.length];
    double[] ab = new double[a.length];
    for (int i = 0; i < a.length; i++) {
      aa[i] = a[i] * a[i];
      bb[i] = b[i] * b[i];
      ab[i] = a[i] * b[i];
    }
    double[] meanA = blurred(a, width, height);
    double[] meanB = blurred(b, width, height);
    double[] meanAa = blurred(aa, width, height);
    double[] meanBb = blurred(bb, width, height);
    double[] meanAb = blurred(ab, width, height);
    double sum = 0;
    for (int i = 0; i < meanA.length; i++) {
      double varA = meanAa[i] - square(meanA[i]);
      double varB = meanBb[i] - square(meanB[i]);
      double covariance = meanAb[i] - meanA[i] * meanB[i];
      sum +=
          (2 * meanA[i] * meanB[i] + C1)
              * (2 * covariance + C2)
              / ((square(meanA[i]) + square(meanB[i]) + C1) * (varA + varB + C2));
    }
    return sum / meanA.length;
  }

  /** Weighted means of all windows that lie within; smaller windows for smaller images. */
  private static double[] blurred(double[] in, int width, int height) {
    double[] across = kernel(width);
    double[] down = kernel(height);
    int w = width - across.length + 1;
    int h = height - down.length + 1;
    double[] half = new double[w * height];
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < w; x++) {
        for (int k = 0; k < across.length; k++) {
          half[y * w + x] += across[k] * in[y * width + x + k];
        }
      }
    }
    double[] out = new double[w * h];
    for (int y = 0; y < h; y++) {
      for (int x = 0; x < w; x++) {
        for (int k = 0; k < down.length; k++) {
          out[y * w + x] += down[k] * half[(y + k) * w + x];
        }
      }
    }
    return out;
  }

  private static double[] kernel(int side) {
    int n = Math.min(WINDOW, side % 2 == 0 ? side - 1 : side);
    double[] weights = new double[Math.max(1, n)];
    double sum = 0;
    for (int i = 0; i < weights.length; i++) {
      weights[i] = Math.exp(-square(i - (weights.length - 1) / 2.0) / (2 * SIGMA * SIGMA));
      sum += weights[i];
    }
    for (int i = 0; i < weights.length; i++) {
      weights[i] /= sum;
    }
    return weights;
  }
}
