package dev.ocellus.accel;

import dev.ocellus.accel.Product.Matrices;
import dev.ocellus.accel.ProductKernel.Shape;
import dev.ocellus.accel.SoftmaxKernel.Rows;
import org.jspecify.annotations.Nullable;

/**
 * Computes {@link AttentionHeads}: a head's queries go through in blocks, whose scores stay in the
 * cache of a core from the first product through the softmax to the second, so that they are never
 * written to memory. Blocks are those of one item, whatever else is computed and by how many
 * threads, so that an item's numbers do not depend on that.
 */
final class AttentionRunner {
  /** Scores of a block: with their copies in BF16 about what a core's cache holds. */
  private static final int SCORES = 5 << 16;

  /** Fewer rows would keep the kernels from their speed, as each block packs keys and values. */
  private static final int MIN_ROWS = 64;

  private static final int MAX_ROWS = 256;

  /** Rows come in multiples of what kernels take at once. */
  private static final int UNIT = 32;

  private static final int ALIGNMENT = 64;

  /** Rows that one thread rounds at once. */
  private static final int ROUNDED_ROWS = 256;

  private final AttentionHeads a;
  private final Crew crew;
  private final ProductKernel kernel;
  private final RowConversion rounding;
  private final boolean rounded;
  private final int rows;

  private AttentionRunner(
      AttentionHeads a, Crew crew, ProductKernels kernels, Conversions conversions) {
    this.a = a;
    this.crew = crew;
    ProductKernel bf16 = a.rounded() ? kernels.bf16() : null;
    this.rounded = bf16 != null;
    this.kernel = bf16 == null ? kernels.f32() : bf16;
    this.rounding = conversions.f32ToBf16();
    this.rows = Math.clamp(SCORES / a.nKeys() / UNIT * UNIT, MIN_ROWS, MAX_ROWS);
  }

  static void run(AttentionHeads a, Crew crew, ProductKernels kernels, Conversions conversions)
      throws Throwable {
    new AttentionRunner(a, crew, kernels, conversions).run();
  }

  private void run() throws Throwable {
    long keys = rounded ? roundKeysAndValues() : 0;
    int perHead = Math.ceilDiv(a.nQueries(), rows);
    crew.pieces(
        a.count() * perHead,
        (piece, thread) -> {
          int first = piece % perHead * rows;
          block(piece / perHead, first, Math.min(rows, a.nQueries() - first), keys, thread);
        });
  }

  /** Computes queries of a head. */
  private void block(int head, int first, int count, long keys, int thread) throws Throwable {
    int i2 = head % a.nHead();
    int i3 = head / a.nHead();
    long element = rounded ? 2 : 4;
    long row = rounded ? element * a.width() : a.k().row();
    long valueRow = rounded ? element * a.valueWidth() : a.v().row();
    int ldq = rounded ? a.width() : (int) (a.q().row() / 4);
    Shape toScores =
        Shape.byOutput(count, a.nKeys(), a.width(), ldq, (int) (row / element), a.nKeys());
    int ldd = (int) (a.d().row() / 4);
    Shape toValues =
        Shape.byInput(count, a.valueWidth(), a.nKeys(), a.nKeys(), (int) (valueRow / element), ldd);
    SoftmaxKernel softmax = rounded ? kernel.softmax() : null;
    long scoreBytes = aligned(4L * count * (softmax == null ? a.nKeys() : widest()));
    long weightBytes = rounded ? aligned(2L * count * a.nKeys()) : 0;
    long queryBytes = rounded ? aligned(2L * count * a.width()) : 0;
    Rows all = new Rows(count, a.nKeys());
    long scratch = Math.max(kernel.scratchBytes(toScores), kernel.scratchBytes(toValues));
    if (softmax != null) {
      scratch = Math.max(scratch, softmax.scratchBytes(all));
    }
    long scores = crew.own(thread, scoreBytes + weightBytes + queryBytes + scratch);
    long weights = rounded ? scores + scoreBytes : scores;
    long free = scores + scoreBytes + weightBytes + queryBytes;
    long queries = a.q().at(i2, i3) + first * a.q().row();
    if (rounded) {
      long target = scores + scoreBytes + weightBytes;
      if (softmax == null || a.scale() == 1) {
        round(queries, a.q().row(), a.width(), count, target);
      } else {
        roundScaled(queries, count, scores, target);
      }
      queries = target;
    }
    long k = rounded ? keys + a.shared(head) * keyBytes() : a.k().at(i2, i3);
    kernel.multiply(toScores, queries, k, scores, free);
    float @Nullable [] sums = null;
    if (softmax == null) {
      sums = exponentials(scores, weights, count);
    } else {
      softmax.compute(all, scores, weights, free);
    }
    long v = rounded ? values(keys) + a.shared(head) * valueBytes() : a.v().at(i2, i3);
    long d = a.d().at(i2, i3) + first * a.d().row();
    kernel.multiply(toValues, weights, v, d, free);
    if (sums != null) {
      divide(d, sums);
    }
  }

  private int widest() {
    return Math.max(a.nKeys(), a.width());
  }

  /**
   * Rounds queries times the scale, which a library's softmax leaves to the scores.
   *
   * @param free memory for the products
   */
  private void roundScaled(long queries, int count, long free, long target) throws Throwable {
    int width = a.width();
    float[] values = new float[count * width];
    for (int i = 0; i < count; i++) {
      NativeFloats.read(queries + i * a.q().row(), values, i * width, width);
    }
    scale(values, a.scale());
    NativeFloats.write(values, 0, free, values.length);
    rounding.convert(free, target, values.length);
  }

  private static void scale(float[] values, float factor) {
    for (int i = 0; i < values.length; i++) {
      values[i] *= factor;
    }
  }

  /** Weights that are not divided by their sum yet. */
  private float[] exponentials(long scores, long weights, int count) throws Throwable {
    Softmax softmax = new Softmax(a.nKeys());
    float[] sums = new float[count];
    for (int i = 0; i < count; i++) {
      long row = scores + 4L * i * a.nKeys();
      sums[i] = softmax.exponentials(row, a.scale());
      if (rounded) {
        rounding.convert(row, weights + 2L * i * a.nKeys(), a.nKeys());
      }
    }
    return sums;
  }

  private void divide(long d, float[] sums) {
    float[] row = new float[a.valueWidth()];
    for (int i = 0; i < sums.length; i++) {
      long address = d + i * a.d().row();
      NativeFloats.read(address, row, 0, row.length);
      float factor = 1 / sums[i];
      for (int j = 0; j < row.length; j++) {
        row[j] *= factor;
      }
      NativeFloats.write(row, 0, address, row.length);
    }
  }

  // ---- what is rounded

  private long keyBytes() {
    return aligned(2L * a.nKeys() * a.width());
  }

  private long valueBytes() {
    return aligned(2L * a.nKeys() * a.valueWidth());
  }

  private long values(long keys) {
    return keys + a.nShared() * keyBytes();
  }

  private static long aligned(long bytes) {
    return Math.ceilDiv(bytes, ALIGNMENT) * ALIGNMENT;
  }

  /** All keys, then all values, in memory that all threads read. */
  private long roundKeysAndValues() throws Throwable {
    long keys = crew.shared(a, a.nShared() * (keyBytes() + valueBytes()));
    int perMatrix = Math.ceilDiv(a.nKeys(), ROUNDED_ROWS);
    int perHead = a.k().repeat2();
    crew.pieces(
        2 * a.nShared() * perMatrix,
        (piece, thread) -> {
          int matrix = piece / perMatrix / 2;
          int first = piece % perMatrix * ROUNDED_ROWS;
          int count = Math.min(ROUNDED_ROWS, a.nKeys() - first);
          int nHeads = a.nHead() / perHead;
          int i2 = matrix % nHeads * perHead;
          int i3 = matrix / nHeads * a.k().repeat3();
          if (piece / perMatrix % 2 == 0) {
            long target = keys + matrix * keyBytes() + 2L * first * a.width();
            round(rowsOf(a.k(), i2, i3, first), a.k().row(), a.width(), count, target);
          } else {
            long target = values(keys) + matrix * valueBytes() + 2L * first * a.valueWidth();
            round(rowsOf(a.v(), i2, i3, first), a.v().row(), a.valueWidth(), count, target);
          }
        });
    return keys;
  }

  private static long rowsOf(Matrices matrices, int i2, int i3, int first) {
    return matrices.at(i2, i3) + first * matrices.row();
  }

  private void round(long source, long row, int width, int count, long target) throws Throwable {
    for (int i = 0; i < count; i++) {
      rounding.convert(source + i * row, target + 2L * i * width, width);
    }
  }
}
