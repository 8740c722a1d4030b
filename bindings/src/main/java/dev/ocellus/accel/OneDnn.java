package dev.ocellus.accel;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.ocellus.nativelib.AcceleratorLibrary;
import dev.ocellus.nativelib.AcceleratorLoader;
import dev.ocellus.nativelib.NativeLibraryException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * oneDNN, for products in BF16 with sums in F32, or in F32. It makes code for each shape. Its own
 * threads are not used.
 */
final class OneDnn implements ProductKernel {
  private static final int MAJOR = 3;

  private static final int MAX_SHAPES = 64;

  private final OneDnnCalls calls;
  private final boolean bf16;
  private final String description;
  private final boolean matrixUnit;
  private final long engine;
  private final long stream;

  /** The one that was used longest ago first; guarded by this. */
  private final Map<Shape, OneDnnProduct> products = new LinkedHashMap<>(16, 0.75f, true);

  private final OpenMp openMp;

  private OneDnn(OneDnnCalls calls, OpenMp openMp, boolean bf16, String version, int isa)
      throws Throwable {
    this.calls = calls;
    this.openMp = openMp;
    this.bf16 = bf16;
    this.description = "oneDNN %s, kernels for %s".formatted(version, instructions(isa));
    this.matrixUnit = bf16 && (isa & AMX) == AMX;
    this.engine = calls.newEngine();
    this.stream = calls.newStream(engine);
  }

  /**
   * The library's kernels for BF16 and F32.
   *
   * @param bf16 null where the processor has no instructions for BF16
   */
  record Kernels(OneDnn f32, @Nullable OneDnn bf16) {}

  /**
   * Loads the library.
   *
   * @throws NativeLibraryException if it is missing, damaged, or of another version
   */
  static Kernels load() {
    AcceleratorLoader.Loaded loaded = AcceleratorLoader.load(AcceleratorLibrary.ONEDNN);
    Functions functions = new Functions(loaded);
    try {
      MemorySegment version =
          (MemorySegment)
              functions.find("dnnl_version", FunctionDescriptor.of(ADDRESS)).invokeExact();
      MemorySegment numbers = version.reinterpret(3 * JAVA_INT.byteSize());
      String text =
          "%d.%d.%d"
              .formatted(
                  numbers.getAtIndex(JAVA_INT, 0),
                  numbers.getAtIndex(JAVA_INT, 1),
                  numbers.getAtIndex(JAVA_INT, 2));
      if (numbers.getAtIndex(JAVA_INT, 0) != MAJOR) {
        throw new NativeLibraryException(
            "%s is oneDNN %s; expected %d.x".formatted(loaded.file(), text, MAJOR));
      }
      int isa =
          (int)
              functions
                  .find("dnnl_get_effective_cpu_isa", FunctionDescriptor.of(JAVA_INT))
                  .invokeExact();
      OpenMp openMp = OpenMp.of(functions);
      OneDnnCalls calls = new OneDnnCalls(functions);
      return new Kernels(
          new OneDnn(calls, openMp, false, text, isa),
          (isa & AVX512_BF16) == AVX512_BF16 ? new OneDnn(calls, openMp, true, text, isa) : null);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  // bits of dnnl_cpu_isa_t
  private static final int AVX512 = 0x27;
  private static final int AVX512_BF16 = 0xe7;
  private static final int AMX = 0xfef;

  private static String instructions(int isa) {
    if ((isa & AMX) == AMX) {
      return "AMX";
    }
    if ((isa & AVX512_BF16) == AVX512_BF16) {
      return "AVX512-BF16";
    }
    return (isa & AVX512) == AVX512 ? "AVX512" : "AVX2 or older";
  }

  @Override
  public boolean hasMatrixUnit() {
    return matrixUnit;
  }

  @Override
  public int setLibraryThreads(int count) throws Throwable {
    int before = (int) openMp.maxThreads().invokeExact();
    openMp.setThreads().invokeExact(count); // for this thread
    return before;
  }

  @Override
  public long scratchBytes(Shape shape) throws Throwable {
    OneDnnProduct product = acquire(shape);
    try {
      return OneDnnProduct.HEADER_BYTES + product.scratchBytes();
    } finally {
      release(product);
    }
  }

  @Override
  public void multiply(Shape shape, long x, long w, long d, long scratch) throws Throwable {
    OneDnnProduct product = acquire(shape);
    try {
      product.run(stream, x, w, d, scratch);
    } finally {
      release(product);
    }
  }

  /** A product that stays until it is released. */
  private synchronized OneDnnProduct acquire(Shape shape) throws Throwable {
    OneDnnProduct known = products.get(shape);
    if (known == null) {
      dropOldest();
      known = OneDnnProduct.make(calls, engine, shape, bf16);
      products.put(shape, known);
    }
    known.users++;
    return known;
  }

  private synchronized void release(OneDnnProduct product) {
    product.users--;
  }

  /** Code for one shape takes some 50 KB, and images come in any size. */
  private void dropOldest() throws Throwable {
    Iterator<OneDnnProduct> all = products.values().iterator();
    while (products.size() >= MAX_SHAPES && all.hasNext()) {
      OneDnnProduct product = all.next();
      if (product.users == 0) {
        all.remove();
        product.free();
      }
    }
  }

  @Override
  public String toString() {
    return description;
  }
}
