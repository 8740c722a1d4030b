package dev.ocellus.llama;

import dev.ocellus.ffi.ggml_h;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * What a context computes before its output layer: the rows behind the last norm, for heads that
 * libllama does not have. While they are kept, every entry of a batch has one, and logits besides,
 * but in a context of {@link LlamaModel#newHeadlessContext}.
 */
public final class HiddenStates {
  private final LlamaContext context;
  private final int width;

  /** Those of a context, which does not keep them yet. */
  public HiddenStates(LlamaContext context) {
    this.context = context;
    this.width = context.model().nEmbdInput();
  }

  /** Floats of a row. */
  public int width() {
    return width;
  }

  /** Keeps them, or not, from the next batch on. */
  public void keep(boolean kept) {
    context.use(handle -> ggml_h.llama_set_embeddings(handle, kept));
  }

  /**
   * Copies the row of entry {@code i} of the last batch.
   *
   * @param to from {@code at} on, at least a row long
   * @throws LlamaException if it has none
   */
  public void row(int i, float[] to, int at) {
    context.use(handle -> {
      MemorySegment row = ggml_h.llama_get_embeddings_ith(handle, i);
      if (row.address() == 0) {
        throw new LlamaException("Entry %d of the last batch has no hidden state".formatted(i));
      }
      MemorySegment.copy(row, ValueLayout.JAVA_FLOAT, 0, to, at, width);
    });
  }
}
