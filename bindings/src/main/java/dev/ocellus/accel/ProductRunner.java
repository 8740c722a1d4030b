package dev.ocellus.accel;

import dev.ocellus.accel.Product.Matrices;
import dev.ocellus.accel.ProductKernel.Shape;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Computes products on threads of its own, piece by piece. For one caller at a time.
 *
 * <p>A piece is some columns of the result. Weights of F16 and BF16 are widened for a piece, or for
 * a block of it that the kernel computes in one go, into memory of its thread that the next one
 * uses again.
 */
public final class ProductRunner implements AutoCloseable {
  /** Widened weights of one piece: wide enough that reading {@code x} again costs little. */
  private static final long PIECE_BYTES = 8L << 20;

  /** Columns of a piece come in multiples of what kernels take at once. */
  private static final int UNIT = 16;

  /**
   * Multiplications below which libraries have kernels of their own: no piece is smaller where the
   * whole is not, and many such products are not cut, or the number of them or of the threads would
   * decide which kernel computes one.
   */
  private static final long SMALL = 1 << 20;

  /** Multiplications of one product from which on its weights go into panels block by block. */
  private static final long LARGE = 1 << 26;

  /**
   * Multiplications of such products in this process before the library's steps are found and
   * tried, which takes as long as some images of a small model.
   */
  private static final long WORTH_TRYING = 1L << 34;

  private static final AtomicLong MULTIPLIED = new AtomicLong();

  /** Rows that are rounded to BF16 at once; more do not make the kernel faster. */
  private static final int ROUNDED_ROWS = 2048;

  /** The same where weights are converted, which is done again for the next rows. */
  private static final int CONVERTED_ROWS = 4096;

  /** Elements of which one thread computes a function at once. */
  private static final long ELEMENTS_PIECE = 1 << 15;

  /** Weights that are converted at once: they should still be in a cache when they are read. */
  private static final long CONVERTED_PIECE_BYTES = 3L << 20;

  /**
   * Numbers between two rows in BF16, a cache line: rows of a power of two evict each other from a
   * core's cache when a kernel takes numbers of many in turn.
   */
  private static final int GAP = 32;

  /** Rows that one thread rounds at once. */
  private static final int ROWS_PER_PIECE = 32;

  private final ProductKernels kernels;
  private final Conversions conversions;
  private final WeightRows weights;
  private final Crew crew;
  private @Nullable Optional<PanelProducts> panelProducts; // null until somebody asks

  ProductRunner(ProductKernels kernels, Conversions conversions, int nThreads) {
    this.kernels = kernels;
    this.conversions = conversions;
    this.weights = new WeightRows(conversions);
    this.crew = new Crew(kernels, nThreads);
  }

  /** Sets the number of threads from the next product on. */
  public void setThreads(int count) {
    crew.setThreads(count);
  }

  /**
   * Computes products, and returns when they are done.
   *
   * @param caller what the calling thread computes of them
   */
  public void run(Product product, Caller caller) throws Throwable {
    ProductKernel bf16 = bf16(product);
    crew.work(shares(caller, bf16), () -> compute(product, bf16));
  }

  /**
   * The same for weights that are converted to BF16, such as quantized ones.
   *
   * @throws IllegalStateException if no library multiplies BF16
   */
  public void run(ConvertedProduct product, Caller caller) throws Throwable {
    ProductKernel bf16 = kernels.bf16();
    if (bf16 == null) {
      throw new IllegalStateException(kernels.description() + " does not multiply BF16");
    }
    crew.work(shares(caller, bf16), () -> compute(product, bf16));
  }

  /** The same for attention of heads, as one: its scores never leave the caches. */
  public void run(AttentionHeads heads, Caller caller) throws Throwable {
    ProductKernel bf16 = heads.rounded() ? kernels.bf16() : null;
    crew.work(shares(caller, bf16), () -> AttentionRunner.run(heads, crew, kernels, conversions));
  }

  /** The same for feature maps, which are always multiplied in F32. */
  public void run(MapOperation operation, Caller caller) throws Throwable {
    crew.work(
        caller != Caller.WAITS,
        () -> {
          switch (operation) {
            case Convolution c -> Convolver.run(c, crew, kernels.f32());
            case NormedConvolution c -> NormedConvolutions.run(c, crew, kernels.f32());
            case ResidualBlock block -> ResidualBlocks.run(block, crew, kernels.f32());
            case ChannelPass pass -> ChannelPasses.run(pass, crew);
            case Doubling doubling -> Doublings.run(doubling, crew);
            case Sum sum -> Sums.run(sum, crew);
          }
        });
  }

  private static boolean shares(Caller caller, @Nullable ProductKernel bf16) {
    boolean usesUnit = bf16 != null && bf16.hasMatrixUnit();
    return caller == Caller.SHARES || caller == Caller.SHARES_WITHOUT_MATRIX_UNIT && !usesUnit;
  }

  /** What multiplies in BF16, for products that may be rounded to it. */
  private @Nullable ProductKernel bf16(Product product) {
    boolean rounded =
        product.rounded() && product.type() == WeightType.BF16 && product.count() == 1;
    return rounded ? kernels.bf16() : null;
  }

  private void compute(Product product, @Nullable ProductKernel bf16) throws Throwable {
    if (bf16 == null) {
      runExactly(product);
    } else {
      runRounded(product, bf16);
    }
  }

  /**
   * Computes a function of elements.
   *
   * @param caller as for {@link #run}
   */
  public void run(Elements elements, Caller caller) throws Throwable {
    int nPieces = Math.toIntExact(Math.ceilDiv(elements.count(), ELEMENTS_PIECE));
    crew.work(
        caller != Caller.WAITS,
        () ->
            crew.pieces(
                nPieces,
                (piece, thread) -> {
                  long first = piece * ELEMENTS_PIECE;
                  elements.compute(first, Math.min(ELEMENTS_PIECE, elements.count() - first));
                }));
  }

  /** Turns rows; as for {@link #run(Elements, Caller)}. */
  public void run(Rotation rotation, Caller caller) throws Throwable {
    int rows = (int) Math.max(1, ELEMENTS_PIECE / rotation.size());
    crew.work(
        caller != Caller.WAITS,
        () ->
            crew.pieces(
                Math.ceilDiv(rotation.count(), rows),
                (piece, thread) -> {
                  int first = piece * rows;
                  rotation.compute(first, Math.min(rows, rotation.count() - first));
                }));
  }

  /** Columns of a piece so that all threads have the same to do. */
  private int columns(Product p, long bytesPerColumn) {
    if (p.count() > 1 && (long) p.m() * p.n() * p.k() < SMALL) {
      return p.n();
    }
    int nThreads = crew.size();
    long most = Math.max(UNIT, PIECE_BYTES / bytesPerColumn / UNIT * UNIT);
    int perMatrix = (int) Math.ceilDiv((long) p.n(), most);
    int total = p.count() * perMatrix;
    if (total % nThreads != 0 && total < 4 * nThreads) {
      perMatrix = Math.ceilDiv(Math.ceilDiv(total, nThreads) * nThreads, p.count());
    }
    return cut(p, perMatrix);
  }

  /**
   * Columns of at most so many pieces of a matrix, of which none is so small that a library has
   * another kernel for it: the number of threads must not decide how sums are rounded.
   */
  private static int cut(Product p, int pieces) {
    int columns = Math.ceilDiv(Math.ceilDiv(p.n(), pieces), UNIT) * UNIT;
    while (columns < p.n() && (long) p.m() * lastPiece(p.n(), columns) * p.k() < SMALL) {
      columns += UNIT;
    }
    return columns;
  }

  private static int lastPiece(int n, int columns) {
    return (n - 1) % columns + 1;
  }

  private void runExactly(Product p) throws Throwable {
    long size = (long) p.m() * p.n() * p.k();
    PackedMatrix matrix = size < SMALL ? null : PackedWeights.find(p);
    boolean done = matrix != null && runKept(p, matrix);
    if (!done && size >= LARGE && p.count() == 1 && isWorthTrying(size)) {
      done = runPassing(p);
    }
    if (!done) {
      runAsTheyLie(p);
    }
  }

  /** Computes a product if its weights are in panels that are kept, or can be now. */
  private boolean runKept(Product p, PackedMatrix matrix) throws Throwable {
    Optional<PanelProducts> known = matrix.isDue(p.m()) ? panelProducts() : Optional.empty();
    if (known.isEmpty()) {
      return false;
    }
    PanelProducts products = known.get();
    long panels = matrix.panels(address -> products.pack(p, address));
    if (panels != 0) {
      products.runKept(p, panels, cut(p, crew.size()));
    }
    return panels != 0;
  }

  private boolean isWorthTrying(long size) {
    return kernels.f32().areStepsKnown() || MULTIPLIED.addAndGet(size) >= WORTH_TRYING;
  }

  private boolean runPassing(Product p) throws Throwable {
    Optional<PanelProducts> products = panelProducts();
    if (products.isPresent()) {
      products.get().runPassing(p, cut(p, crew.size()));
    }
    return products.isPresent();
  }

  /** Found on a thread that has stack enough, as the steps are tried first. */
  private Optional<PanelProducts> panelProducts() throws Throwable {
    Optional<PanelProducts> known = panelProducts;
    if (known == null) {
      AtomicReference<@Nullable PanelKernel> found = new AtomicReference<>();
      crew.pieces(1, (piece, thread) -> found.set(kernels.f32().steps()));
      known = Optional.ofNullable(found.get()).map(s -> new PanelProducts(s, weights, crew));
      panelProducts = known;
    }
    return known;
  }

  private void runAsTheyLie(Product p) throws Throwable {
    ProductKernel kernel = kernels.f32();
    int columns = columns(p, 4L * p.k());
    int perMatrix = Math.ceilDiv(p.n(), columns);
    long widenedBytes = WeightRows.bytes(p, columns);
    crew.pieces(
        p.count() * perMatrix,
        (piece, thread) -> {
          int matrix = piece / perMatrix;
          int first = piece % perMatrix * columns;
          int count = Math.min(columns, p.n() - first);
          Shape shape = shape(p.k(), p.d(), p.m(), count, p.x().row() / 4, WeightRows.distance(p));
          long own = crew.own(thread, widenedBytes + kernel.scratchBytes(shape));
          long w = weights.floats(p, p.wAt(matrix) + first * p.w().row(), count, own);
          kernel.multiply(shape, p.xAt(matrix), w, p.dAt(matrix) + 4L * first, own + widenedBytes);
        });
  }

  /**
   * Converts a piece of weights to BF16 and multiplies with it while it is in the cache. Rows of
   * {@code x} are rounded to BF16 too, whose steps are finer than those of the blocks of whole
   * numbers that ggml's kernels round them to.
   */
  private void compute(ConvertedProduct p, ProductKernel kernel) throws Throwable {
    int columns = columns(p);
    for (int from = 0; from < p.m(); from += CONVERTED_ROWS) {
      int rows = Math.min(CONVERTED_ROWS, p.m() - from);
      long x = rounded(p.x(), Math.min(CONVERTED_ROWS, p.m()), p.k(), from, rows);
      long d = p.d().address() + from * p.d().row();
      crew.pieces(
          Math.ceilDiv(p.n(), columns),
          (piece, thread) -> {
            int first = piece * columns;
            int count = Math.min(columns, p.n() - first);
            int ld = p.k() + GAP;
            Shape shape = shape(p.k(), p.d(), rows, count, ld, ld);
            long wide = 4L * p.k();
            long bytes = wide + 2L * columns * ld;
            long own = crew.own(thread, bytes + kernel.scratchBytes(shape));
            for (int i = 0; i < count; i++) {
              p.toF32().convert(p.w().address() + (first + i) * p.w().row(), own, p.k());
              conversions.f32ToBf16().convert(own, own + wide + 2L * i * ld, p.k());
            }
            kernel.multiply(shape, x, own + wide, d + 4L * first, own + bytes);
          });
    }
  }

  /** As many as the cache of a core holds, and the same number of pieces for each thread. */
  private int columns(ConvertedProduct p) {
    long most = Math.max(UNIT, CONVERTED_PIECE_BYTES / (2L * p.k()) / UNIT * UNIT);
    int pieces = (int) Math.ceilDiv((long) p.n(), most);
    pieces = Math.ceilDiv(pieces, crew.size()) * crew.size();
    return Math.ceilDiv(Math.ceilDiv(p.n(), pieces), UNIT) * UNIT;
  }

  /**
   * Some rows of a matrix in BF16, {@link #GAP} beside each other, in memory that all threads read.
   *
   * @param most rows that are asked for at once
   */
  private long rounded(Matrices x, int most, int k, int from, int rows) throws Throwable {
    long target = crew.shared(x, 2L * most * (k + GAP));
    long source = x.address() + from * x.row();
    crew.pieces(
        Math.ceilDiv(rows, ROWS_PER_PIECE),
        (piece, thread) -> {
          int first = piece * ROWS_PER_PIECE;
          int end = Math.min(rows, first + ROWS_PER_PIECE);
          for (int i = first; i < end; i++) {
            conversions.f32ToBf16().convert(source + i * x.row(), target + 2L * i * (k + GAP), k);
          }
        });
    return target;
  }

  private void runRounded(Product p, ProductKernel kernel) throws Throwable {
    int columns = Math.ceilDiv(Math.ceilDiv(p.n(), crew.size()), UNIT) * UNIT;
    int nPieces = Math.ceilDiv(p.n(), columns);
    for (int from = 0; from < p.m(); from += ROUNDED_ROWS) {
      int rows = Math.min(ROUNDED_ROWS, p.m() - from);
      long x = rounded(p.x(), Math.min(ROUNDED_ROWS, p.m()), p.k(), from, rows);
      long d = p.dAt(0) + from * p.d().row();
      crew.pieces(
          nPieces,
          (piece, thread) -> {
            int first = piece * columns;
            int count = Math.min(columns, p.n() - first);
            Shape shape = shape(p.k(), p.d(), rows, count, p.k() + GAP, p.w().row() / 2);
            long own = crew.own(thread, kernel.scratchBytes(shape));
            kernel.multiply(shape, x, p.wAt(0) + first * p.w().row(), d + 4L * first, own);
          });
    }
  }

  private static Shape shape(int k, Matrices d, int rows, int columns, long ldx, long ldw) {
    return Shape.byOutput(rows, columns, k, (int) ldx, (int) ldw, (int) (d.row() / 4));
  }

  /** Ends the threads and frees the memory. */
  @Override
  public void close() {
    crew.close();
  }
}
