package dev.ocellus.accel;

import dev.ocellus.accel.Product.Matrices;
import dev.ocellus.accel.ProductKernel.Shape;
import dev.ocellus.accel.SoftmaxKernel.Rows;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Computes {@link AttentionHeads}: a head's queries go through in blocks, whose scores stay in the
 * cache of a core from the first product through the softmax to the second, so that they are never
 * written to memory. Blocks are those of one item, whatever else is computed and by how many
 * threads, so that an item's numbers do not depend on that.
 *
 * <p>With a mask a block is computed with the keys from the first to the last that one of its
 * queries attends to: of a causal one about half.
 */
final class AttentionRunner {
  /** Scores of a block: with their copies in BF16 about what a core's cache holds. */
  private static final int SCORES = 5 << 16;

  /** Fewer rows would keep the kernels from their speed, as each block packs keys and values. */
  private static final int MIN_ROWS = 64;

  private static final int MAX_ROWS = 256;

  /** With a mask, fewer rows attend to fewer keys together. */
  private static final int MAX_MASKED_ROWS = 128;

  /** Rows, and keys where a mask leaves some, come in multiples of what kernels take at once. */
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
  private final AttentionWeights[] weights;
  private @Nullable SeenKeys seen;

  private AttentionRunner(
      AttentionHeads a, Crew crew, ProductKernels kernels, Conversions conversions) {
    this.a = a;
    this.crew = crew;
    ProductKernel bf16 = a.rounded() ? kernels.bf16() : null;
    this.rounded = bf16 != null;
    this.kernel = bf16 == null ? kernels.f32() : bf16;
    this.weights = new AttentionWeights[crew.size()];
    Arrays.setAll(weights, thread -> new AttentionWeights(a.scale()));
    this.rounding = conversions.f32ToBf16();
    int most = a.mask() == null ? MAX_ROWS : MAX_MASKED_ROWS;
    this.rows = Math.clamp(SCORES / a.nKeys() / UNIT * UNIT, MIN_ROWS, most);
  }

  static void run(AttentionHeads a, Crew crew, ProductKernels kernels, Conversions conversions)
      throws Throwable {
    new AttentionRunner(a, crew, kernels, conversions).run();
  }

  private void run() throws Throwable {
    ScoreMask mask = a.mask();
    seen = mask == null ? null : SeenKeys.of(mask, a.nQueries(), a.nKeys(), crew);
    long keys = rounded ? roundKeysAndValues() : 0;
    int perHead = Math.ceilDiv(a.nQueries(), rows);
    crew.pieces(
        a.count() * perHead,
        (piece, thread) -> compute(block(piece / perHead, piece % perHead * rows), keys, thread));
  }

  /**
   * Queries of a head, and the keys that they are computed with.
   *
   * @param first query
   * @param count queries
   * @param place of the first among what {@link SeenKeys} tells
   * @param firstKey that one of them attends to, or one before it
   * @param nKeys 0 if they attend to none
   */
  private record Block(int head, int first, int count, int place, int firstKey, int nKeys) {}

  private Block block(int head, int first) {
    int count = Math.min(rows, a.nQueries() - first);
    SeenKeys known = seen;
    if (known == null) {
      return new Block(head, first, count, 0, 0, a.nKeys());
    }
    int place = known.place(head % a.nHead(), head / a.nHead(), first);
    int from = known.first(place, count) / UNIT * UNIT;
    int to = Math.min(Math.ceilDiv(known.end(place, count), UNIT) * UNIT, a.nKeys());
    return new Block(head, first, count, place, from, Math.max(0, to - from));
  }

  /** Where a block's numbers lie until its results are written. */
  private record Places(long scores, long weights, long queries, long free) {}

  private Places places(Block b, long scratchBytes, int thread) {
    // queries times the scale lie there before the scores
    long scoreBytes = aligned(4L * b.count * (rounded ? Math.max(b.nKeys, a.width()) : b.nKeys));
    long weightBytes = rounded ? aligned(2L * b.count * b.nKeys) : 0;
    long queryBytes = rounded ? aligned(2L * b.count * a.width()) : 0;
    long scores = crew.own(thread, scoreBytes + weightBytes + queryBytes + scratchBytes);
    long weights = rounded ? scores + scoreBytes : scores;
    long queries = scores + scoreBytes + weightBytes;
    return new Places(scores, weights, queries, queries + queryBytes);
  }

  private void compute(Block b, long keys, int thread) throws Throwable {
    int i2 = b.head % a.nHead();
    int i3 = b.head / a.nHead();
    long d = rowsOf(a.d(), i2, i3, b.first);
    if (b.nKeys == 0) {
      clear(d, b.count);
      return;
    }
    long element = rounded ? 2 : 4;
    long row = rounded ? element * a.width() : a.k().row();
    long valueRow = rounded ? element * a.valueWidth() : a.v().row();
    int ldq = rounded ? a.width() : (int) (a.q().row() / 4);
    int n = b.nKeys;
    Shape toScores = Shape.byOutput(b.count, n, a.width(), ldq, (int) (row / element), n);
    int ldd = (int) (a.d().row() / 4);
    Shape toValues = Shape.byInput(b.count, a.valueWidth(), n, n, (int) (valueRow / element), ldd);
    SoftmaxKernel softmax = rounded && seen == null ? kernel.softmax() : null;
    Rows all = new Rows(b.count, n);
    long scratch = Math.max(kernel.scratchBytes(toScores), kernel.scratchBytes(toValues));
    if (softmax != null) {
      scratch = Math.max(scratch, softmax.scratchBytes(all));
    }
    Places at = places(b, scratch, thread);
    long queries = rowsOf(a.q(), i2, i3, b.first);
    if (rounded) {
      if (softmax == null || a.scale() == 1) {
        round(queries, a.q().row(), a.width(), b.count, at.queries);
      } else {
        roundScaled(queries, b.count, at.scores, at.queries);
      }
      queries = at.queries;
    }
    long k = rounded ? keys + a.shared(b.head) * keyBytes() : a.k().at(i2, i3);
    kernel.multiply(toScores, queries, k + b.firstKey * row, at.scores, at.free);
    float @Nullable [] sums = null;
    if (softmax == null) {
      sums = weigh(b, at, thread);
    } else {
      softmax.compute(all, at.scores, at.weights, at.free);
    }
    long v = rounded ? values(keys) + a.shared(b.head) * valueBytes() : a.v().at(i2, i3);
    kernel.multiply(toValues, at.weights, v + b.firstKey * valueRow, d, at.free);
    if (sums != null) {
      divide(d, sums);
    }
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

  /** Makes weights of scores; by what results are to be divided then, null for nothing. */
  private float @Nullable [] weigh(Block b, Places at, int thread) throws Throwable {
    SeenKeys known = seen;
    SeenScores left = known == null ? null : new SeenScores(known, b.place, b.firstKey, b.nKeys);
    float[] sums = weights[thread].weigh(at.scores, b.count, b.nKeys, left);
    if (rounded) {
      rounding.convert(at.scores, at.weights, (long) b.count * b.nKeys);
    }
    return sums;
  }

  private void clear(long d, int count) {
    for (int i = 0; i < count; i++) {
      NativeFloats.clear(d + i * a.d().row(), a.valueWidth());
    }
  }

  private void divide(long d, float[] sums) {
    float[] row = new float[a.valueWidth()];
    for (int i = 0; i < sums.length; i++) {
      long address = d + i * a.d().row();
      NativeFloats.read(address, row, 0, row.length);
      float factor = sums[i] == 0 ? 0 : 1 / sums[i];
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
