package dev.ocellus.accel;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.ocellus.accel.ProductKernel.Shape;
import dev.ocellus.nativelib.AcceleratorLoader;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * The steps of which {@code sgemm} of OpenBLAS consists (its {@code driver/level3/level3.c}), so
 * that one of them need not be repeated: writing the weights into panels, the order in which the
 * kernel reads them.
 *
 * <p>Sums are cut where {@code sgemm} cuts them, and come out the same bit for bit, which is tried
 * before a kernel is used. The functions have these names where OpenBLAS was built for many
 * processors in one file, and are not part of what it promises; but only one build is loaded, whose
 * bytes are known.
 */
final class PanelKernel {
  /** Columns of the result at which a part may begin: a multiple of every kernel's panel. */
  static final int UNIT = 16;

  /** Rows of {@code x} in panels at once. */
  static final int MAX_ROWS = 2048;

  /** Kernels may read a little beyond the end. */
  static final int SLACK_BYTES = 4096;

  private static final int CACHE_LINE = 64;

  // places in the table of a processor's kernels (gotoblas_t in common_param.h), in ints
  private static final int SGEMM_P = 5;
  private static final int SGEMM_Q = 6;
  private static final int SGEMM_UNROLL_M = 8;
  private static final int TABLE_INTS = 9;
  private static final int MAX_BLOCK = 1 << 13;

  private final MethodHandle kernel;
  private final MethodHandle packWeights;
  private final MethodHandle packRows;
  private final MethodHandle clear;

  /** Columns of the result that the kernel computes in one go. */
  private final int columns;

  /** Most terms of a sum that are added up before the result is written. */
  private final int terms;

  private final int unroll;

  private PanelKernel(Functions functions, String core, int columns, int terms, int unroll) {
    this.columns = columns;
    this.terms = terms;
    this.unroll = unroll;
    kernel =
        functions.find(
            "sgemm_kernel_" + core,
            FunctionDescriptor.of(
                JAVA_INT,
                JAVA_LONG,
                JAVA_LONG,
                JAVA_LONG, // m, n, k
                JAVA_FLOAT,
                JAVA_LONG,
                JAVA_LONG, // alpha, panels of a, panels of b
                JAVA_LONG,
                JAVA_LONG)); // c, ldc
    FunctionDescriptor packing =
        FunctionDescriptor.of(
            JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG); // m, n, a, lda, to
    packWeights = functions.find("sgemm_incopy_" + core, packing);
    packRows = functions.find("sgemm_oncopy_" + core, packing);
    clear =
        functions.find(
            "sgemm_beta_" + core,
            FunctionDescriptor.of(
                JAVA_INT,
                JAVA_LONG,
                JAVA_LONG,
                JAVA_LONG, // m, n, unused
                JAVA_FLOAT,
                JAVA_LONG,
                JAVA_LONG,
                JAVA_LONG,
                JAVA_LONG, // beta, four unused
                JAVA_LONG,
                JAVA_LONG)); // c, ldc
  }

  /**
   * The steps for this processor; empty where the library does not show them, or computes something
   * else with them.
   *
   * @param name of the processor's kernels
   * @param whole what multiplies in one go
   */
  static Optional<PanelKernel> of(
      AcceleratorLoader.Loaded library, String name, ProductKernel whole) throws Throwable {
    String core = name.toUpperCase(Locale.ROOT);
    for (String function : List.of("kernel", "incopy", "oncopy", "beta")) {
      if (library.symbols().find("sgemm_" + function + "_" + core).isEmpty()) {
        return Optional.empty();
      }
    }
    Optional<MemorySegment> table = library.symbols().find("gotoblas");
    if (table.isEmpty()) {
      return Optional.empty();
    }
    MemorySegment sizes =
        table.get().reinterpret(ADDRESS.byteSize()).get(ADDRESS, 0).reinterpret(4L * TABLE_INTS);
    int columns = sizes.getAtIndex(JAVA_INT, SGEMM_P) / UNIT * UNIT;
    int terms = sizes.getAtIndex(JAVA_INT, SGEMM_Q);
    int unroll = sizes.getAtIndex(JAVA_INT, SGEMM_UNROLL_M);
    boolean known =
        columns >= UNIT
            && columns <= MAX_BLOCK
            && unroll > 0
            && UNIT % unroll == 0
            && terms >= UNIT
            && terms <= MAX_BLOCK;
    if (!known) {
      return Optional.empty();
    }
    PanelKernel steps = new PanelKernel(new Functions(library), core, columns, terms, unroll);
    return new PanelTest(steps, whole).isSame() ? Optional.of(steps) : Optional.empty();
  }

  /** Terms of the next part of a sum, of which so many are left. */
  private int part(int left) {
    if (left >= 2 * terms || left <= terms) {
      return Math.min(left, terms);
    }
    return Math.ceilDiv(left / 2, unroll) * unroll;
  }

  /** Where the weights of a product are in panels. */
  interface Panels {
    /**
     * The address of some of them.
     *
     * @param first number of the first column of the result, a multiple of {@link #UNIT}
     * @param count of columns
     * @param l number of the first term
     * @param part of terms
     */
    long at(int first, int count, int l, int part) throws Throwable;
  }

  /** What is done with the parts of a sum. */
  interface Part {
    /**
     * Does it.
     *
     * @param l number of the first term
     * @param part of terms
     */
    void terms(int l, int part) throws Throwable;
  }

  /** Goes through a sum of so many terms in the parts in which it is added up. */
  void parts(int k, Part each) throws Throwable {
    for (int l = 0, part; l < k; l += part) {
      part = part(k - l);
      each.terms(l, part);
    }
  }

  /**
   * Writes some numbers of rows into panels.
   *
   * @param rows address of the first number of the first row
   * @param ld floats from one row to the next
   * @param count of rows; a multiple of {@link #UNIT} unless they are the last of a matrix
   * @param part numbers of each
   * @param target address of their panels
   */
  void pack(long rows, long ld, int count, int part, long target) throws Throwable {
    int done = (int) packWeights.invokeExact((long) part, (long) count, rows, ld, target);
    assert done == 0;
  }

  /** Most terms of a sum that are added up at once. */
  int terms() {
    return terms;
  }

  /** Columns that are computed at once. */
  int columns() {
    return columns;
  }

  /** Bytes of the panels of as many columns as {@link #multiply} asks for at once. */
  long blockBytes(Shape shape) {
    return bytes(Math.min(columns, shape.n()), shape.k());
  }

  /** Bytes of memory that {@link #multiply} needs besides. */
  long scratchBytes(Shape shape) {
    return bytes(Math.min(MAX_ROWS, shape.m()), shape.k());
  }

  private long bytes(int rows, int k) {
    return Math.ceilDiv(4L * rows * Math.min(terms, k) + SLACK_BYTES, CACHE_LINE) * CACHE_LINE;
  }

  /**
   * Multiplies.
   *
   * @param shape of the product, or of some columns of it
   * @param panels of the weights of these columns
   * @param d address of the first column that is computed
   * @param scratch memory of {@link #scratchBytes}
   */
  void multiply(Shape shape, long x, Panels panels, long d, long scratch) throws Throwable {
    for (int i = 0; i < shape.m(); i += MAX_ROWS) {
      long rows = Math.min(MAX_ROWS, shape.m() - i);
      long source = x + 4L * i * shape.ldx();
      long target = d + 4L * i * shape.ldd();
      parts(
          shape.k(),
          (l, part) -> {
            long ldx = shape.ldx();
            int packed =
                (int) packRows.invokeExact((long) part, rows, source + 4L * l, ldx, scratch);
            assert packed == 0;
            for (int j = 0; j < shape.n(); j += columns) {
              int count = Math.min(columns, shape.n() - j);
              long block = target + 4L * j;
              if (l == 0) {
                clear(count, rows, block, shape.ldd());
              }
              add(count, rows, part, panels.at(j, count, l, part), scratch, block, shape.ldd());
            }
          });
    }
  }

  /** Just before the first sums are added, as the cache still has it then. */
  private void clear(long count, long rows, long d, long ldd) throws Throwable {
    int cleared = (int) clear.invokeExact(count, rows, 0L, 0f, 0L, 0L, 0L, 0L, d, ldd);
    assert cleared == 0;
  }

  private void add(long count, long rows, long part, long panels, long x, long d, long ldd)
      throws Throwable {
    int added = (int) kernel.invokeExact(count, rows, part, 1f, panels, x, d, ldd);
    assert added == 0;
  }
}
