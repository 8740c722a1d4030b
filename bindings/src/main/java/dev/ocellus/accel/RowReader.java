package dev.ocellus.accel;

/** Copies every {@code stride}-th number of rows; beside a row there are zeros. */
final class RowReader {
  private final int width;
  private final int stride;
  private final int count;
  private final float[] row;
  private final float[] picked;

  /**
   * @param width of the rows
   * @param count numbers that are copied
   */
  RowReader(int width, int stride, int count) {
    this.width = width;
    this.stride = stride;
    this.count = count;
    row = stride == 1 ? new float[0] : new float[width];
    picked = stride == 1 ? row : new float[count];
  }

  /**
   * Copies.
   *
   * @param source address of a row; 0 for one of zeros
   * @param first place in the row of the first number, which may lie beside it
   */
  void read(long source, int first, long target) {
    // numbers before the row, then those of the row, then those behind it
    int before = first >= 0 ? 0 : Math.min(count, Math.ceilDiv(-first, stride));
    int end = Math.max(before, Math.min(count, Math.ceilDiv(width - first, stride)));
    if (source == 0 || end == before) {
      NativeFloats.clear(target, count);
      return;
    }
    if (stride == 1) {
      NativeFloats.copy(source + 4L * (first + before), target + 4L * before, end - before);
      clear(target, 0, before);
      clear(target, end, count);
    } else {
      pick(source, first, before, end);
      NativeFloats.write(picked, 0, target, count);
    }
  }

  private static void clear(long target, int from, int to) {
    if (to > from) {
      NativeFloats.clear(target + 4L * from, to - from);
    }
  }

  private void pick(long source, int first, int before, int end) {
    NativeFloats.read(source, row, 0, width);
    for (int i = 0; i < before; i++) {
      picked[i] = 0;
    }
    for (int i = before; i < end; i++) {
      picked[i] = row[first + i * stride];
    }
    for (int i = end; i < count; i++) {
      picked[i] = 0;
    }
  }
}
