package dev.ocellus.llama;

import dev.ocellus.ffi.ggml_h;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.BitSet;

/** What the last batch of a context gave. libllama is not asked for what it did not compute. */
final class BatchOutputs {
  private interface Source {
    MemorySegment of(MemorySegment context, int i);
  }

  private final BitSet written = new BitSet();

  /** There are none, until the next batch is computed. */
  void clear() {
    written.clear();
  }

  /** There are those that a batch wanted, which has been computed. */
  void set(Batch batch) {
    batch.forEachOutput(written::set);
  }

  /**
   * Copies the logits of an entry.
   *
   * @param n numbers of it, one a token of the vocabulary
   * @throws IllegalArgumentException if the entry has no output
   */
  void logits(MemorySegment context, int i, int n, float[] destination) {
    copy(context, i, ggml_h::llama_get_logits_ith, n, destination);
  }

  /**
   * Copies the last layer's normed state of an entry.
   *
   * @param n numbers of it
   * @throws IllegalArgumentException if the entry has no output
   */
  void state(MemorySegment context, int i, int n, float[] destination) {
    copy(context, i, ggml_h::llama_get_embeddings_ith, n, destination);
  }

  private void copy(MemorySegment context, int i, Source source, int n, float[] destination) {
    if (i < 0 || !written.get(i)) {
      throw new IllegalArgumentException("Entry %d of the last batch has no output".formatted(i));
    }
    MemorySegment values = source.of(context, i);
    if (values.address() == 0) {
      throw new LlamaException("libllama has lost the output of entry %d".formatted(i));
    }
    MemorySegment.copy(
        values.reinterpret((long) Float.BYTES * n), ValueLayout.JAVA_FLOAT, 0, destination, 0, n);
  }
}
