package dev.ocellus.vlm.image;

/**
 * The resampling filters of Pillow. {@link #weight} is the continuous kernel, which {@link Resize}
 * stretches when it shrinks an image.
 */
public enum ResizeFilter {
  NEAREST(0, 0) {
    @Override
    public double weight(double x) {
      throw new IllegalStateException("nearest-neighbour resizing has no kernel");
    }
  },
  LANCZOS(1, 3) {
    @Override
    public double weight(double x) {
      return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0;
    }
  },
  BILINEAR(2, 1) {
    @Override
    public double weight(double x) {
      return Math.max(0, 1 - Math.abs(x));
    }
  },
  /** Keys' cubic convolution with a = -0.5. */
  BICUBIC(3, 2) {
    @Override
    public double weight(double x) {
      // The order of operations decides the last bit: Horner's scheme, as Pillow evaluates it.
      double t = Math.abs(x);
      if (t < 1) {
        return (1.5 * t - 2.5) * t * t + 1;
      }
      return t < 2 ? (((t - 5) * t + 8) * t - 4) * -0.5 : 0;
    }
  },
  BOX(4, 0.5) {
    @Override
    public double weight(double x) {
      return x > -0.5 && x <= 0.5 ? 1 : 0;
    }
  },
  HAMMING(5, 1) {
    @Override
    public double weight(double x) {
      double t = Math.abs(x);
      if (t == 0) {
        return 1;
      }
      // The window's two constants are single precision in Pillow.
      return t < 1 ? sinc(t) * (0.54f + 0.46f * Math.cos(t * Math.PI)) : 0;
    }
  };

  private final int pillowCode;
  private final double support;

  ResizeFilter(int pillowCode, double support) {
    this.pillowCode = pillowCode;
    this.support = support;
  }

  /** Kernel value at distance {@code x} from its centre, in source pixels when not shrinking. */
  public abstract double weight(double x);

  /** Half the kernel's width, in source pixels when not shrinking. */
  public double support() {
    return support;
  }

  /** The number in Pillow and in {@code "resample"} of a preprocessor_config.json. */
  public int pillowCode() {
    return pillowCode;
  }

  /**
   * The filter of a {@code "resample"} number.
   *
   * @throws IllegalArgumentException if Pillow has no filter of this number
   */
  public static ResizeFilter ofPillowCode(int code) {
    for (ResizeFilter filter : values()) {
      if (filter.pillowCode == code) {
        return filter;
      }
    }
    throw new IllegalArgumentException(
        "unknown resampling filter "
            + code
            + "; Pillow has 0 nearest, 1 lanczos, 2 bilinear, 3 bicubic, 4 box, 5 hamming");
  }

  private static double sinc(double x) {
    if (x == 0) {
      return 1;
    }
    double t = x * Math.PI;
    return Math.sin(t) / t;
  }
}
