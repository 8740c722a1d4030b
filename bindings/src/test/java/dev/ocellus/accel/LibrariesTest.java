package dev.ocellus.accel;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.nativelib.AcceleratorLoader;
import dev.ocellus.nativelib.NativeLibraries;
import dev.ocellus.nativelib.NativeLibraryException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Libraries that are not what they should be. */
class LibrariesTest {
  private static final Path FILE = Path.of("libopenblas.so.0");

  @Test
  void aLibraryWithoutTheFunctionsIsRefused() {
    SymbolLookup others = NativeLibraries.symbols(); // of ggml
    assertThatThrownBy(() ->
            new Functions(new AcceleratorLoader.Loaded(FILE, others))
                .find("cblas_sgemm", FunctionDescriptor.ofVoid()))
        .isInstanceOf(NativeLibraryException.class)
        .hasMessageContaining("libopenblas.so.0 has no function cblas_sgemm")
        .hasMessageContaining("of another version");
  }

  @Test
  void anotherVersionIsRefused() {
    assertThatThrownBy(() -> OpenBlas.requireVersion("OpenBLAS 0.3.20 DYNAMIC_ARCH", FILE))
        .isInstanceOf(NativeLibraryException.class)
        .hasMessageContaining("expected OpenBLAS 0.3.21 or newer");
    assertThatThrownBy(() -> OpenBlas.requireVersion("OpenBLAS 0.4.1", FILE))
        .isInstanceOf(NativeLibraryException.class);
    assertThatThrownBy(() -> OpenBlas.requireVersion("something else", FILE))
        .isInstanceOf(NativeLibraryException.class);
    assertThatThrownBy(() -> OpenBlas.requireVersion("OpenBLAS 0.3.31 USE64BITINT", FILE))
        .isInstanceOf(NativeLibraryException.class)
        .hasMessageContaining("expected 32 bits");
    OpenBlas.requireVersion("OpenBLAS 0.3.31.dev NO_AFFINITY", FILE);
  }

  /** Multiplies in Java, and changes one number of the result. */
  private record Damaging(int at, float change) implements ProductKernel {
    @Override
    public long scratchBytes(Shape shape) {
      return 0;
    }

    @Override
    public void multiply(Shape shape, long x, long w, long d, long scratch) {
      MemorySegment memory = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);
      for (int i = 0; i < shape.m(); i++) {
        for (int j = 0; j < shape.n(); j++) {
          float sum = 0;
          for (int l = 0; l < shape.k(); l++) {
            sum +=
                memory.get(JAVA_FLOAT, x + 4L * (i * shape.ldx() + l))
                    * memory.get(JAVA_FLOAT, w + 4L * (j * shape.ldw() + l));
          }
          memory.set(JAVA_FLOAT, d + 4L * (i * shape.ldd() + j), sum);
        }
      }
      // a product may come in pieces, of which the columns of the damage are in one
      if (at / shape.ldd() < shape.m() && at % shape.ldd() < shape.n()) {
        long place = d + 4L * (at / shape.ldd() * shape.ldd() + at % shape.ldd());
        memory.set(JAVA_FLOAT, place, memory.get(JAVA_FLOAT, place) + change);
      }
    }

    @Override
    public int setLibraryThreads(int count) {
      return 1;
    }

    @Override
    public String toString() {
      return "these kernels";
    }
  }

  private static void test(ProductKernel kernel) {
    RowConversion unused =
        RowConversion.of(Linker.nativeLinker().defaultLookup().find("strlen").orElseThrow());
    SelfTest.check(new ProductKernels(kernel, null), new Conversions(unused, unused, unused));
  }

  @Test
  void kernelsThatComputeRightlyAreUsed() {
    assertThatCode(() -> test(new Damaging(0, 0))).doesNotThrowAnyException();
  }

  @ParameterizedTest
  @CsvSource({
    "0, 1",
    "130, -1",
    "131, 0.125",
    "4000, -0.01",
    "8776, 64",
    "8776, NaN",
    "77, Infinity"
  })
  void kernelsThatComputeOneNumberWronglyAreRefused(int at, float change) {
    assertThatThrownBy(() -> test(new Damaging(at, change)))
        .isInstanceOf(NativeLibraryException.class)
        .hasMessageContaining("these kernels computes wrongly on this processor")
        .hasMessageContaining("a product in F32 came out as ");
  }

  @Test
  void whatAPieceThrowsReachesTheCallerAndTheThreadsGoOn() throws Throwable {
    whatAPieceThrowsReachesTheCaller(false);
    whatAPieceThrowsReachesTheCaller(true);
  }

  private static void whatAPieceThrowsReachesTheCaller(boolean callerWorks) throws Throwable {
    Workers workers = new Workers(3, () -> {});
    try {
      assertThatThrownBy(() ->
              workers.run(
                  10,
                  callerWorks,
                  (piece, thread) -> {
                    if (piece == 4) {
                      throw new IllegalStateException("piece 4");
                    }
                  }))
          .hasMessage("piece 4");
      for (int nPieces : new int[] {0, 1, 2, 3, 4, 100}) {
        int[] done = new int[nPieces];
        workers.run(nPieces, callerWorks, (piece, thread) -> done[piece]++);
        assertThat(done).containsOnly(nPieces == 0 ? new int[0] : new int[] {1});
      }
    } finally {
      workers.end();
    }
  }

  @Test
  void aCallerThatWorksWaitsForNoThreadThatHasNothingToDo() throws Throwable {
    CountDownLatch held = new CountDownLatch(1);
    Workers workers = new Workers(2, held::await); // its own threads get no further
    try {
      int[] done = new int[4];
      workers.run(4, true, (piece, thread) -> done[piece] += 1 + thread);
      assertThat(done).containsOnly(2); // the caller is the last thread
    } finally {
      held.countDown();
      workers.end();
    }
  }
}
