package dev.ocellus.accel;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.ocellus.nativelib.AcceleratorLibrary;
import dev.ocellus.nativelib.AcceleratorLoader;
import dev.ocellus.nativelib.NativeLibraryException;
import java.lang.System.Logger.Level;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * oneDNN, for products in BF16 with sums in F32, or in F32, and for softmax that is rounded to
 * BF16. It makes code for each shape. Its own threads are not used.
 */
final class OneDnn implements ProductKernel, SoftmaxKernel {
  private static final int MAJOR = 3;

  private static final int MAX_SHAPES = 64;

  private final OneDnnCalls calls;
  private final boolean bf16;
  private final String description;
  private final boolean matrixUnit;
  private final long engine;
  private final long stream;

  /** The one that was used longest ago first; guarded by this. */
  private final Map<Record, OneDnnPrimitive> primitives = new LinkedHashMap<>(16, 0.75f, true);

  private boolean softmaxTried;
  private boolean softmaxWorks;
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
    OneDnnPrimitive product = acquire(shape);
    try {
      return OneDnnPrimitive.HEADER_BYTES + product.scratchBytes();
    } finally {
      release(product);
    }
  }

  @Override
  public void multiply(Shape shape, long x, long w, long d, long scratch) throws Throwable {
    OneDnnPrimitive product = acquire(shape);
    try {
      product.run(stream, scratch, x, w, d);
    } finally {
      release(product);
    }
  }

  @Override
  public synchronized @Nullable SoftmaxKernel softmax() throws Throwable {
    if (bf16 && !softmaxTried) {
      Optional<String> problem = SoftmaxTrial.problem(this);
      softmaxWorks = problem.isEmpty();
      softmaxTried = true;
      problem.ifPresent(why ->
          System.getLogger("dev.ocellus.accel")
              .log(Level.WARNING, "softmax of {0} is not used: {1}", description, why));
    }
    return softmaxWorks ? this : null;
  }

  @Override
  public long scratchBytes(Rows rows) throws Throwable {
    OneDnnPrimitive softmax = acquire(rows);
    try {
      return OneDnnPrimitive.HEADER_BYTES + softmax.scratchBytes();
    } finally {
      release(softmax);
    }
  }

  @Override
  public void compute(Rows rows, long from, long to, long scratch) throws Throwable {
    OneDnnPrimitive softmax = acquire(rows);
    try {
      softmax.run(stream, scratch, from, to);
    } finally {
      release(softmax);
    }
  }

  /** What computes a {@link Shape} or {@link Rows}, and stays until it is released. */
  private synchronized OneDnnPrimitive acquire(Record wanted) throws Throwable {
    OneDnnPrimitive known = primitives.get(wanted);
    if (known == null) {
      dropOldest();
      known = make(wanted);
      primitives.put(wanted, known);
    }
    known.users++;
    return known;
  }

  private OneDnnPrimitive make(Record wanted) throws Throwable {
    return wanted instanceof Rows rows
        ? OneDnnPrimitive.softmax(calls, engine, rows.count(), rows.width())
        : OneDnnPrimitive.product(calls, engine, (Shape) wanted, bf16);
  }

  private synchronized void release(OneDnnPrimitive primitive) {
    primitive.users--;
  }

  /** Code for one shape takes some 50 KB, and images come in any size. */
  private void dropOldest() throws Throwable {
    Iterator<OneDnnPrimitive> all = primitives.values().iterator();
    while (primitives.size() >= MAX_SHAPES && all.hasNext()) {
      OneDnnPrimitive primitive = all.next();
      if (primitive.users == 0) {
        all.remove();
        primitive.free();
      }
    }
  }

  @Override
  public String toString() {
    return description;
  }
}
