package dev.ocellus.accel;

import com.sun.management.OperatingSystemMXBean;
import dev.ocellus.accel.Product.Matrices;
import java.lang.foreign.Arena;
import java.lang.management.ManagementFactory;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Matrices of weights that are kept in the order in which a kernel reads them, once enough rows
 * were multiplied with them: a library writes them into that order at every product, which takes a
 * quarter of the time of 200 rows.
 *
 * <p>They are known by their addresses. Together they take at most a quarter of the machine's
 * memory; products with the others are computed as before, with the same result.
 */
public final class PackedWeights implements AutoCloseable {
  private static final Map<Long, PackedMatrix> KNOWN = new ConcurrentHashMap<>();

  /** Share of the memory of the machine, or of what a container may use of it. */
  private static final int SHARE = 4;

  private static final int ALIGNMENT = 64; // a cache line

  /** Bytes of all in this process. */
  private static final AtomicLong USED = new AtomicLong();

  private final Arena arena = Arena.ofShared();
  private final AtomicLong bytes = new AtomicLong();

  /**
   * Adds a matrix, of whose numbers none may change until this is closed.
   *
   * @param n its rows
   * @param k numbers of a row
   * @param released gives the memory of its numbers back to the system, which reads them again when
   *     somebody asks for them
   */
  public void add(WeightType type, Matrices w, int n, int k, Runnable released) {
    KNOWN.putIfAbsent(w.address(), new PackedMatrix(this, type, w.row(), n, k, released));
  }

  /** What the weights of a product are known as; null for activations and others. */
  static @Nullable PackedMatrix find(Product p) {
    if (p.count() != 1) {
      return null;
    }
    PackedMatrix known = KNOWN.get(p.w().address());
    return known != null && known.isOf(p) ? known : null;
  }

  /** Memory until this is closed; 0 if there is too little. */
  long allocate(long size) {
    if (USED.addAndGet(size) > limit()) {
      USED.addAndGet(-size);
      return 0;
    }
    bytes.addAndGet(size);
    try {
      return arena.allocate(size, ALIGNMENT).address();
    } catch (OutOfMemoryError e) { // it goes without, and the others after it will too
      return 0;
    }
  }

  private static long limit() {
    return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getTotalMemorySize()
        / SHARE;
  }

  /** Bytes that it holds. */
  public long bytes() {
    return bytes.get();
  }

  /** Forgets all matrices, which nothing computes with any more. */
  @Override
  public void close() {
    KNOWN.values().removeIf(matrix -> matrix.isOf(this));
    if (arena.scope().isAlive()) {
      arena.close();
    }
    USED.addAndGet(-bytes.getAndSet(0));
  }
}
