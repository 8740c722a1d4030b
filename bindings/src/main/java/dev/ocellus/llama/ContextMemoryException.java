package dev.ocellus.llama;

import dev.ocellus.Setting;
import dev.ocellus.compute.OutOfDeviceMemoryException;

/** A context needs more memory than is free. */
public class ContextMemoryException extends OutOfDeviceMemoryException {
  private static final long serialVersionUID = 1;

  private final long required;
  private final long available;

  ContextMemoryException(int nCtx, int nSeqMax, long required, long available, String source) {
    super(
        "A context of %d tokens%s needs %d MiB, and %d MiB are free (%s). Use a smaller context (nCtx), a smaller type for the cache (typeK, typeV), or free memory."
            .formatted(
                nCtx,
                nSeqMax == 1 ? "" : " for %d sequences".formatted(nSeqMax),
                mebibytes(required),
                available >> 20,
                source));
    this.required = required;
    this.available = available;
    about(Setting.CONTEXT_SIZE, Setting.CACHE_TYPE_K, Setting.CACHE_TYPE_V);
  }

  private static long mebibytes(long bytes) {
    return (bytes + (1 << 20) - 1) >> 20;
  }

  /** Bytes that the context needs. */
  public long required() {
    return required;
  }

  /** Bytes that were free. */
  public long available() {
    return available;
  }
}
