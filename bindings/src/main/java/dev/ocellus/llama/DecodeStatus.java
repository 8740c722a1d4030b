package dev.ocellus.llama;

import dev.ocellus.compute.ComputationCancelledException;
import dev.ocellus.compute.OutOfDeviceMemoryException;
import dev.ocellus.ggml.NativeLog;
import dev.ocellus.llama.ContextOverflowException.Kind;

/** What {@code llama_decode} returns, as exceptions. */
final class DecodeStatus {
  private static final int NO_ROOM = 1;
  private static final int ABORTED = 2;
  private static final int ALLOC_FAILED = -2;

  private DecodeStatus() {}

  /**
   * Returns if a batch was computed.
   *
   * @throws ContextOverflowException if the cache of {@code nCtx} tokens has no room for it
   * @throws ComputationCancelledException if it was stopped
   * @throws OutOfDeviceMemoryException if memory ran out
   * @throws LlamaException if it failed otherwise
   */
  static void requireDecoded(NativeLog.Observed<Integer> done, Batch batch, int nCtx) {
    switch (done.result()) {
      case 0 -> {}
      case NO_ROOM ->
          throw new ContextOverflowException(
              Kind.CONTEXT,
              (long) nCtx + 1,
              nCtx,
              "The context of %d tokens has no room for %d more. Use a larger context (nCtx) or a shorter conversation."
                  .formatted(nCtx, batch.size()));
      case ABORTED -> throw new ComputationCancelledException("Decoding was cancelled");
      case ALLOC_FAILED -> // a device's memory, or the heap that an accelerator works in
          throw new OutOfDeviceMemoryException(
              "Memory ran out while a batch of %d was computed%s. Use smaller micro-batches (nUbatch), give Java more (-Xmx), or free memory."
                  .formatted(batch.size(), done.because()));
      default ->
          throw new LlamaException(
              "libllama could not decode a batch of %d (status %d)%s"
                  .formatted(batch.size(), done.result(), done.because()));
    }
  }
}
