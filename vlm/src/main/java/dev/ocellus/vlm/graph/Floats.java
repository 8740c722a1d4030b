package dev.ocellus.vlm.graph;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Arrays of floats. */
public final class Floats {
  private Floats() {}

  /** One array after the other. */
  public static float[] concat(List<float[]> parts) {
    if (parts.size() == 1) {
      return parts.getFirst();
    }
    float[] all = new float[parts.stream().mapToInt(p -> p.length).reduce(0, Math::addExact)];
    int at = 0;
    for (float[] part : parts) {
      System.arraycopy(part, 0, all, at, part.length);
      at += part.length;
    }
    return all;
  }

  /** Parts of {@code length} each. */
  public static List<float[]> split(float[] all, int length) {
    List<float[]> parts = new ArrayList<>();
    for (int at = 0; at < all.length; at += length) {
      parts.add(Arrays.copyOfRange(all, at, at + length));
    }
    return parts;
  }
}
