package dev.ocellus.vlm.encoder;

import java.util.List;

/** Arrays of floats. */
final class Floats {
  private Floats() {}

  /** One array after the other. */
  static float[] concat(List<float[]> parts) {
    float[] all = new float[parts.stream().mapToInt(p -> p.length).sum()];
    int at = 0;
    for (float[] part : parts) {
      System.arraycopy(part, 0, all, at, part.length);
      at += part.length;
    }
    return all;
  }
}
