package dev.ocellus.vlm.npy;

import org.jspecify.annotations.Nullable;

/** An array read from a {@code .npy} file: its shape, outermost first, and float32 or int64. */
public final class NpyArray {
  private final int[] shape;
  private final float @Nullable [] floats;
  private final long @Nullable [] longs;

  NpyArray(int[] shape, float @Nullable [] floats, long @Nullable [] longs) {
    this.shape = shape;
    this.floats = floats;
    this.longs = longs;
  }

  /** A copy of the shape, outermost first; empty for a scalar. */
  public int[] shape() {
    return shape.clone();
  }

  /**
   * The elements in C order, not copied.
   *
   * @throws IllegalStateException if the file holds int64
   */
  public float[] floats() {
    if (floats == null) {
      throw new IllegalStateException("The array holds int64; use longs()");
    }
    return floats;
  }

  /**
   * The elements in C order, not copied.
   *
   * @throws IllegalStateException if the file holds float32
   */
  public long[] longs() {
    if (longs == null) {
      throw new IllegalStateException("The array holds float32; use floats()");
    }
    return longs;
  }
}
