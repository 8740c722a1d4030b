package dev.ocellus.ggml;

import dev.ocellus.ffi.ggml_h;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A type of memory that is the CPU's in all but its address, by which libllama tells whether it may
 * choose another one.
 */
public final class SecondBufferType {
  /** {@code struct ggml_backend_buffer_type}: six functions, a device and a context. */
  private static final long BYTES = 8 * ValueLayout.ADDRESS.byteSize();

  /** For as long as the process lives, as ggml's own are. */
  private static final MemorySegment ADDRESS =
      Arena.global()
          .allocate(BYTES, ValueLayout.ADDRESS.byteAlignment())
          .copyFrom(ggml_h.ggml_backend_dev_buffer_type(Device.cpu().handle()).reinterpret(BYTES));

  private SecondBufferType() {}

  /** What ggml calls it by. */
  public static MemorySegment address() {
    return ADDRESS;
  }
}
