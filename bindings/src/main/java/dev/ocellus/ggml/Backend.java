package dev.ocellus.ggml;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.compute.GgmlException;
import dev.ocellus.ffi.ggml_h;
import java.lang.foreign.MemorySegment;
import java.util.function.Supplier;

/**
 * A stream of computation on a device. A CPU backend keeps a pool of threads.
 *
 * <p>Not thread-safe by itself: a {@link Scheduler} lets one computation in at a time.
 */
public final class Backend extends NativeObject {
  private final Device device;
  private final MemorySegment handle;
  private final BackendFunctions functions;
  private final int nThreads;
  private final AbortSignal abort;

  /**
   * Opens a device.
   *
   * @param nThreads threads of a CPU backend or an accelerator, 1 to 512; other devices ignore it
   * @throws IllegalArgumentException if {@code nThreads} is out of range
   * @throws GgmlException if the device cannot be opened
   */
  public Backend(Device device, int nThreads) {
    if (nThreads < 1 || nThreads > ggml_h.GGML_MAX_N_THREADS()) {
      throw new IllegalArgumentException(
          "threads: expected 1 to %d, found %d".formatted(ggml_h.GGML_MAX_N_THREADS(), nThreads));
    }
    Ggml.initializeFully();
    this.device = device;
    this.nThreads = nThreads;
    this.functions = BackendFunctions.of(device.handle());
    this.abort = new AbortSignal(arena());
    var opened =
        NativeLog.observe(() -> ggml_h.ggml_backend_dev_init(device.handle(), MemorySegment.NULL));
    if (opened.result().address() == 0) {
      close();
      throw new GgmlException("Device " + device + " cannot be opened" + opened.because());
    }
    if (device.kind() == Device.Kind.CPU) {
      // threads that look out for another graph would slow down the text model, whose turn it is
      MemorySegment pool = functions.newThreadPool(nThreads, 0);
      if (pool.address() != 0) {
        MemorySegment owned = adopt(pool, functions::freeThreadPool);
        functions.setThreadPool(opened.result(), owned);
      }
    }
    functions.setThreads(opened.result(), nThreads);
    this.handle = adopt(opened.result(), ggml_h::ggml_backend_free);
  }

  public Device device() {
    return device;
  }

  /** Threads of a CPU backend. */
  public int nThreads() {
    return nThreads;
  }

  MemorySegment handle() {
    requireOpen();
    return handle;
  }

  /** Runs {@code body} while {@code flag} may stop computations on this backend. */
  <T> T abortable(CancellationFlag flag, Supplier<T> body) {
    if (!functions.canAbort()) {
      return body.get();
    }
    abort.lower();
    functions.setAbortCallback(handle, abort.function(), abort.data());
    try {
      return flag.whileWatched(abort::raise, body);
    } finally {
      functions.setAbortCallback(handle, MemorySegment.NULL, MemorySegment.NULL);
    }
  }
}
