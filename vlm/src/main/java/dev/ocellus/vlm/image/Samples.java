package dev.ocellus.vlm.image;

/** Arithmetic on 8-bit samples. */
public final class Samples {
  private Samples() {}

  /**
   * The nearest value of 0 to 255. Not {@code Math.clamp}, which compares longs and so keeps loops
   * from becoming vector instructions.
   */
  public static byte clip(int value) {
    return (byte) Math.max(0, Math.min(value, 255));
  }
}
