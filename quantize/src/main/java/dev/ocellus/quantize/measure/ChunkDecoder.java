package dev.ocellus.quantize.measure;

import dev.ocellus.ggml.CancellationFlag;
import dev.ocellus.ggml.ProductObserver;
import dev.ocellus.llama.Batch;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.llama.LlamaContext;
import dev.ocellus.llama.LlamaModel;
import org.jspecify.annotations.Nullable;

/**
 * Computes chunks of text and gives out the logits after some of their tokens.
 *
 * <p>As many chunks as fill a batch are computed side by side, each in a cache of its own: that is
 * faster, and what llama-perplexity and llama-imatrix do, so that the last digits are theirs too.
 */
public final class ChunkDecoder implements AutoCloseable {
  /** Takes logits. */
  @FunctionalInterface
  public interface Rows {
    /**
     * The logits after {@code position} of {@code chunk} can be read as output {@code index} of the
     * context until the next batch is computed.
     */
    void row(int chunk, int position, int index);
  }

  /** Most sequences that libllama keeps apart. */
  private static final int MOST_SIDE_BY_SIDE = 64;

  private final LlamaContext context;
  private final Batch batch;
  private final int sideBySide;
  private final int perBatch;

  /**
   * @param options sizes of batches and threads; the context is made as large as needed
   * @param nCtx tokens of a chunk
   * @param observer told of all products; null for nobody
   */
  public ChunkDecoder(
      LlamaModel model, ContextOptions options, int nCtx, @Nullable ProductObserver observer) {
    this.sideBySide = Math.clamp(options.nBatch() / nCtx, 1, MOST_SIDE_BY_SIDE);
    this.perBatch = Math.min(options.nBatch(), nCtx);
    int nBatch = perBatch * sideBySide;
    ContextOptions sized =
        options
            .withContext(nCtx * sideBySide)
            .withBatch(nBatch, Math.min(options.nUbatch(), nBatch))
            .withSequences(sideBySide)
            .withOutputs(nBatch);
    this.context = model.newContext(sized, false, observer);
    this.batch = Batch.ofTokens(nBatch);
  }

  /** Chunks that one {@link #decode} computes. */
  public int sideBySide() {
    return sideBySide;
  }

  /**
   * Computes {@link #sideBySide} chunks, or those that are left.
   *
   * @param firstWanted logits are wanted from this position on
   */
  public void decode(
      TextChunks chunks, int firstChunk, int firstWanted, Rows rows, CancellationFlag flag) {
    int n = Math.min(sideBySide, chunks.count() - firstChunk);
    context.clear();
    for (int start = 0; start < chunks.nCtx(); start += perBatch) {
      int end = Math.min(chunks.nCtx(), start + perBatch);
      batch.clear();
      for (int i = 0; i < n; i++) {
        for (int p = start; p < end; p++) {
          batch.add(chunks.input(firstChunk + i, p), p, i, p >= firstWanted);
        }
      }
      context.decode(batch, flag);
      for (int i = 0; i < n; i++) {
        for (int p = Math.max(start, firstWanted); p < end; p++) {
          rows.row(firstChunk + i, p, i * (end - start) + p - start);
        }
      }
    }
  }

  /** Copies logits of the last batch. */
  public void logits(int index, float[] to) {
    context.logits(index, to);
  }

  @Override
  public void close() {
    batch.close();
    context.close();
  }
}
