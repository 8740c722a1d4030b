package dev.ocellus.vlm.sampling;

/** Parameter checks whose messages say the name, what is allowed and what was found. */
final class SamplingChecks {
  static final long MAX_SEED = 0xFFFF_FFFFL;

  private SamplingChecks() {}

  static float finite(String name, float value) {
    return require(Float.isFinite(value), name, "a finite number", value);
  }

  static float between(String name, float value, float low, float high) {
    return require(value >= low && value <= high, name, "from " + low + " to " + high, value);
  }

  static float atLeast(String name, float value, float low) {
    return require(
        value >= low && Float.isFinite(value), name, "a finite number of at least " + low, value);
  }

  static int atLeast(String name, int value, int low) {
    if (value < low) {
      throw new IllegalArgumentException(name + ": expected at least " + low + ", found " + value);
    }
    return value;
  }

  static long seed(long value) {
    if (value < -1 || value > MAX_SEED) {
      throw new IllegalArgumentException(
          "seed: expected 0 to 4294967294, or -1 for a random one, found " + value);
    }
    return value;
  }

  static int token(int token) {
    if (token < 0) {
      throw new IllegalArgumentException("token: expected at least 0, found " + token);
    }
    return token;
  }

  private static float require(boolean ok, String name, String allowed, float value) {
    if (!ok) {
      throw new IllegalArgumentException(name + ": expected " + allowed + ", found " + value);
    }
    return value;
  }
}
