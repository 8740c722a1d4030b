package dev.ocellus.accel;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/** A matrix of weights that is packed when it has been used for long enough. Thread-safe. */
final class PackedMatrix {
  /** Rows after which packing once costs less than it will save; a single image has fewer. */
  private static final long MIN_ROWS = 512;

  /** Writes the matrix into memory of its panels. */
  interface Packing {
    void to(long address) throws Throwable;
  }

  private final PackedWeights owner;
  private final WeightType type;
  private final long row;
  private final int n;
  private final int k;
  private final Runnable released;
  private final AtomicLong rows = new AtomicLong();
  private final AtomicBoolean tried = new AtomicBoolean();
  private volatile long panels;

  PackedMatrix(PackedWeights owner, WeightType type, long row, int n, int k, Runnable released) {
    this.owner = owner;
    this.type = type;
    this.row = row;
    this.n = n;
    this.k = k;
    this.released = released;
  }

  boolean isOf(PackedWeights weights) {
    return owner == weights;
  }

  boolean isOf(Product p) {
    return p.type() == type && p.w().row() == row && p.n() == n && p.k() == k;
  }

  /** Whether enough rows were multiplied with it, when these are. */
  boolean isDue(int count) {
    return panels != 0 || rows.addAndGet(count) >= MIN_ROWS;
  }

  /**
   * The address of its panels, which are written if they are not yet there; 0 if it has none. Of
   * several threads one packs, and the others multiply as before meanwhile.
   */
  long panels(Packing packing) throws Throwable {
    if (panels == 0 && tried.compareAndSet(false, true)) {
      long address = owner.allocate(KeptPanels.bytes(n, k));
      if (address != 0) {
        packing.to(address);
        panels = address;
        released.run();
      }
    }
    return panels;
  }
}
