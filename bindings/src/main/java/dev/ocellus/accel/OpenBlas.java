package dev.ocellus.accel;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.ocellus.nativelib.AcceleratorLibrary;
import dev.ocellus.nativelib.AcceleratorLoader;
import dev.ocellus.nativelib.NativeLibraryException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** OpenBLAS, for products in F32. Its own threads are not used. */
final class OpenBlas implements ProductKernel {
  /** The releases whose functions these are, and which compute rightly on new processors. */
  private static final String VERSION = "OpenBLAS 0.3.";

  private static final int MIN_PATCH = 21;

  // from cblas.h
  private static final int ROW_MAJOR = 101;
  private static final int NO_TRANS = 111;
  private static final int TRANS = 112;

  private final MethodHandle sgemm;
  private final AcceleratorLoader.Loaded library;
  private final String core;
  private final String description;

  /** Looked for when they are first asked for, since linking them takes a while. */
  private volatile @Nullable Optional<PanelKernel> steps;

  private OpenBlas(
      AcceleratorLoader.Loaded library, MethodHandle sgemm, String core, String description) {
    this.library = library;
    this.sgemm = sgemm;
    this.core = core;
    this.description = description;
  }

  /**
   * Loads the library.
   *
   * @throws NativeLibraryException if it is missing, damaged, or of another version
   */
  static OpenBlas load() {
    // or it would start a thread for each processor, which look out for work for a while
    Environment.setIfAbsent("OPENBLAS_NUM_THREADS", "1");
    AcceleratorLoader.Loaded loaded = AcceleratorLoader.load(AcceleratorLibrary.OPENBLAS);
    Functions functions = new Functions(loaded);
    try {
      String config = text(functions.find("openblas_get_config", FunctionDescriptor.of(ADDRESS)));
      requireVersion(config, loaded.file());
      functions
          .find("openblas_set_num_threads", FunctionDescriptor.ofVoid(JAVA_INT))
          .invokeExact(1);
      String core = text(functions.find("openblas_get_corename", FunctionDescriptor.of(ADDRESS)));
      String[] words = config.split(" ", 3);
      return new OpenBlas(
          loaded,
          functions.find("cblas_sgemm", sgemmDescriptor()),
          core,
          "%s %s, kernels for %s".formatted(words[0], words[1], core));
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  static void requireVersion(String config, Path file) {
    String patch =
        config.startsWith(VERSION) ? config.substring(VERSION.length()).split("[^0-9]", 2)[0] : "";
    if (patch.isEmpty() || patch.length() > 3 || Integer.parseInt(patch) < MIN_PATCH) {
      throw new NativeLibraryException(
          "%s says that it is \"%s\"; expected %s%d or newer, below 0.4"
              .formatted(file, config, VERSION, MIN_PATCH));
    }
    if (config.contains("USE64BITINT")) {
      throw new NativeLibraryException(
          "%s was built for sizes of 64 bits (\"%s\"); expected 32 bits".formatted(file, config));
    }
  }

  private static String text(MethodHandle function) throws Throwable {
    MemorySegment text = (MemorySegment) function.invokeExact();
    return text.reinterpret(1 << 12).getString(0);
  }

  private static FunctionDescriptor sgemmDescriptor() {
    return FunctionDescriptor.ofVoid(
        JAVA_INT,
        JAVA_INT,
        JAVA_INT, // order, transposition of both
        JAVA_INT,
        JAVA_INT,
        JAVA_INT, // m, n, k
        JAVA_FLOAT,
        JAVA_LONG,
        JAVA_INT, // alpha, a, lda
        JAVA_LONG,
        JAVA_INT, // b, ldb
        JAVA_FLOAT,
        JAVA_LONG,
        JAVA_INT); // beta, c, ldc
  }

  @Override
  public long scratchBytes(Shape shape) {
    return 0;
  }

  @Override
  public void multiply(Shape s, long x, long w, long d, long scratch) throws Throwable {
    int transposed = s.order() == Order.BY_OUTPUT ? TRANS : NO_TRANS;
    sgemm.invokeExact(
        ROW_MAJOR,
        NO_TRANS,
        transposed,
        s.m(),
        s.n(),
        s.k(),
        1f,
        x,
        s.ldx(),
        w,
        s.ldw(),
        0f,
        d,
        s.ldd());
  }

  @Override
  public synchronized @Nullable PanelKernel steps() throws Throwable {
    Optional<PanelKernel> known = steps;
    if (known == null) {
      known = PanelKernel.of(library, core, this);
      steps = known;
    }
    return known.orElse(null);
  }

  @Override
  public boolean areStepsKnown() {
    return steps != null;
  }

  /** It was told once for all threads. */
  @Override
  public int setLibraryThreads(int count) {
    return 1;
  }

  @Override
  public String toString() {
    return description;
  }
}
