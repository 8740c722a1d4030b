package dev.ocellus.vlm.sampling;

import java.util.SplittableRandom;

/**
 * The 32-bit Mersenne Twister MT19937 (Matsumoto and Nishimura 1998, doi:10.1145/272991.272995).
 *
 * <p>It is chosen, with the conversions to real numbers of GNU libstdc++, because llama.cpp draws
 * with {@code std::mt19937}: the same seed gives the same tokens here and there.
 */
final class MersenneTwister {
  private static final int N = 624;
  private static final int M = 397;

  private final int[] state = new int[N];
  private final long seed;
  private int position;

  /**
   * @param seed 0 to 2³²−2, or −1 (also 2³²−1, llama.cpp's spelling of it) for a random one
   */
  MersenneTwister(long seed) {
    this.seed = resolve(seed);
    reset();
  }

  /** Replaces the request for a random seed by one. */
  static long resolve(long seed) {
    SamplingChecks.seed(seed);
    boolean random = seed == -1 || seed == SamplingChecks.MAX_SEED;
    return random ? new SplittableRandom().nextLong(SamplingChecks.MAX_SEED) : seed;
  }

  /** The seed that was given or drawn. */
  long seed() {
    return seed;
  }

  /** Starts the sequence anew. */
  void reset() {
    state[0] = (int) seed;
    for (int i = 1; i < N; i++) {
      int previous = state[i - 1];
      state[i] = 1812433253 * (previous ^ (previous >>> 30)) + i;
    }
    position = N;
  }

  int nextInt() {
    if (position == N) {
      twist();
    }
    int y = state[position++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return y ^ (y >>> 18);
  }

  private void twist() {
    for (int i = 0; i < N; i++) {
      int y = (state[i] & 0x8000_0000) | (state[(i + 1) % N] & 0x7fff_ffff);
      state[i] = state[(i + M) % N] ^ (y >>> 1) ^ ((y & 1) == 0 ? 0 : 0x9908b0df);
    }
    position = 0;
  }

  /** A number in [0, 1) from two draws, the low word first. */
  double nextDouble() {
    double low = Integer.toUnsignedLong(nextInt());
    double value = (low + Integer.toUnsignedLong(nextInt()) * 0x1p32) * 0x1p-64;
    return value < 1 ? value : Math.nextDown(1.0);
  }

  /** A number in [0, 1) from one draw. */
  float nextFloat() {
    float value = Integer.toUnsignedLong(nextInt()) * 0x1p-32f;
    return value < 1 ? value : Math.nextDown(1f);
  }

  /**
   * Draws an index with the given weights, as {@code std::discrete_distribution} does: one number
   * in [0, 1), or none when there is but one weight.
   */
  int nextIndex(float[] weights, int size) {
    if (size == 1) {
      return 0;
    }
    double sum = 0;
    for (int i = 0; i < size; i++) {
      sum += weights[i];
    }
    double target = nextDouble();
    double running = 0;
    for (int i = 0; i < size - 1; i++) {
      running += weights[i] / sum;
      if (running >= target) {
        return i;
      }
    }
    return size - 1;
  }
}
