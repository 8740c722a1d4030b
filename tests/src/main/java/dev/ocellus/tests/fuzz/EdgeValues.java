package dev.ocellus.tests.fuzz;

import java.util.List;
import java.util.random.RandomGenerator;

/** Numbers that programs go wrong with. */
final class EdgeValues {
  private static final long[] INTEGERS = {
    0,
    1,
    2,
    3,
    4,
    5,
    7,
    8,
    15,
    16,
    31,
    32,
    33,
    63,
    64,
    65,
    127,
    128,
    255,
    256,
    257,
    511,
    512,
    513,
    1000,
    4095,
    4096,
    32767,
    32768,
    65535,
    65536,
    1 << 20,
    1 << 24,
    1 << 28,
    1 << 30,
    Integer.MAX_VALUE,
    1L << 31,
    (1L << 32) - 1,
    1L << 32,
    1L << 40,
    1L << 62,
    Long.MAX_VALUE,
    Long.MIN_VALUE,
    -1,
    -2,
    -3,
    -128,
    -32768,
    Integer.MIN_VALUE
  };

  private static final float[] FLOATS = {
    0,
    -0f,
    1,
    -1,
    0.5f,
    1e-6f,
    1e-38f,
    1e-45f,
    1e30f,
    Float.MAX_VALUE,
    -Float.MAX_VALUE,
    Float.NaN,
    Float.POSITIVE_INFINITY,
    Float.NEGATIVE_INFINITY,
    10000
  };

  private EdgeValues() {}

  /** One of the notorious, or a neighbour of what was there. */
  static long integer(long old, RandomGenerator random) {
    return switch (random.nextInt(8)) {
      case 0 -> old + 1;
      case 1 -> old - 1;
      case 2 -> old * 2;
      case 3 -> old / 2;
      case 4 -> random.nextInt(1, 64);
      default -> INTEGERS[random.nextInt(INTEGERS.length)];
    };
  }

  static float real(RandomGenerator random) {
    return FLOATS[random.nextInt(FLOATS.length)];
  }

  static <T> T one(List<T> of, RandomGenerator random) {
    return of.get(random.nextInt(of.size()));
  }
}
