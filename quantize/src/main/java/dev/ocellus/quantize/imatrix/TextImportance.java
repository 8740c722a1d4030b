package dev.ocellus.quantize.imatrix;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.llama.LlamaModel;
import dev.ocellus.quantize.text.ChunkDecoder;
import dev.ocellus.quantize.text.TextChunks;

/** Gathers the statistics of a text model from a text, as llama-imatrix does. */
public final class TextImportance {
  /** Told after every chunk. */
  @FunctionalInterface
  public interface Listener {
    void chunk(int done, int count);
  }

  private TextImportance() {}

  /**
   * Computes all chunks of a text.
   *
   * @param output whether the output weights are watched too
   * @throws dev.ocellus.compute.ComputationCancelledException if {@code flag} was set; what was
   *     gathered until then stays in the collector
   */
  public static void collect(
      LlamaModel model,
      ContextOptions options,
      TextChunks chunks,
      ImportanceCollector collector,
      boolean output,
      Listener listener,
      CancellationFlag flag) {
    try (ChunkDecoder decoder =
        new ChunkDecoder(
            model,
            options,
            chunks.nCtx(),
            collector.text(ImportanceCollector.USUAL_LEAST_ROWS, output))) {
      for (int chunk = 0; chunk < chunks.count(); chunk += decoder.sideBySide()) {
        // logits of all tokens are wanted, or the last layer would compute one row only
        for (ChunkDecoder.Part part : decoder.parts(chunks, chunk, 0)) {
          decoder.decode(part, flag);
        }
        listener.chunk(Math.min(chunks.count(), chunk + decoder.sideBySide()), chunks.count());
      }
    }
  }
}
