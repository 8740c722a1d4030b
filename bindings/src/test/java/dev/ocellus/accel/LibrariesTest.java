package dev.ocellus.accel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.nativelib.AcceleratorLoader;
import dev.ocellus.nativelib.NativeLibraries;
import dev.ocellus.nativelib.NativeLibraryException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

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

  @Test
  void kernelsThatComputeWronglyAreRefused() {
    var wrong =
        new ProductKernel() {
          @Override
          public long scratchBytes(Shape shape) {
            return 0;
          }

          @Override
          public void multiply(Shape shape, long x, long w, long d, long scratch) {
            // leaves zeros
          }

          @Override
          public int setLibraryThreads(int count) {
            return 1;
          }

          @Override
          public String toString() {
            return "these kernels";
          }
        };
    RowConversion unused =
        RowConversion.of(Linker.nativeLinker().defaultLookup().find("strlen").orElseThrow());
    assertThatThrownBy(() ->
            SelfTest.check(
                new ProductKernels(wrong, null), new Conversions(unused, unused, unused)))
        .isInstanceOf(NativeLibraryException.class)
        .hasMessageContaining("these kernels computes wrongly on this processor");
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
