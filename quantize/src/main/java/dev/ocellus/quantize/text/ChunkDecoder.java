package dev.ocellus.quantize.text;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.ggml.MatMulObserver;
import dev.ocellus.llama.Batch;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.llama.LlamaContext;
import dev.ocellus.llama.LlamaModel;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Computes chunks of text and gives out the logits after some of their tokens.
 *
 * <p>As many chunks as fill a batch are computed side by side, each in a cache of its own: that is
 * faster, and what llama-perplexity and llama-imatrix do, so that the last digits are theirs too.
 */
public final class ChunkDecoder implements AutoCloseable {
  /** Most sequences that libllama keeps apart. */
  private static final int MOST_SIDE_BY_SIDE = 64;

  /**
   * Logits after {@code position} of {@code chunk}, which can be read as output {@code index} until
   * the next part is computed.
   */
  public record Output(int chunk, int position, int index) {}

  private record Entry(int token, int position, int sequence, boolean wanted) {}

  /** What is computed at once. */
  public static final class Part {
    private final boolean first;
    private final List<Entry> entries;
    private final List<Output> outputs;

    private Part(boolean first, List<Entry> entries, List<Output> outputs) {
      this.first = first;
      this.entries = entries;
      this.outputs = outputs;
    }

    /** The logits that are wanted of it. */
    public List<Output> outputs() {
      return outputs;
    }
  }

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
      LlamaModel model, ContextOptions options, int nCtx, @Nullable MatMulObserver observer) {
    this.sideBySide = Math.clamp(options.nBatch() / nCtx, 1, MOST_SIDE_BY_SIDE);
    this.perBatch = Math.min(options.nBatch(), nCtx);
    int nBatch = perBatch * sideBySide;
    ContextOptions sized =
        options
            .withContext(nCtx * sideBySide)
            .withBatch(nBatch, Math.min(options.microBatch(), nBatch))
            .withSequences(sideBySide)
            .withOutputs(nBatch);
    this.context = model.newContext(sized, false, observer);
    this.batch = Batch.ofTokens(nBatch);
  }

  /** Chunks that are computed side by side. */
  public int sideBySide() {
    return sideBySide;
  }

  /**
   * Cuts {@link #sideBySide} chunks, or those that are left, into parts to be computed one after
   * the other.
   *
   * @param firstWanted logits are wanted from this position on
   */
  public List<Part> parts(TextChunks chunks, int firstChunk, int firstWanted) {
    int n = Math.min(sideBySide, chunks.count() - firstChunk);
    List<Part> parts = new ArrayList<>();
    for (int start = 0; start < chunks.nCtx(); start += perBatch) {
      int end = Math.min(chunks.nCtx(), start + perBatch);
      List<Entry> entries = new ArrayList<>();
      List<Output> outputs = new ArrayList<>();
      for (int i = 0; i < n; i++) {
        for (int p = start; p < end; p++) {
          if (p >= firstWanted) {
            outputs.add(new Output(firstChunk + i, p, entries.size()));
          }
          entries.add(new Entry(chunks.input(firstChunk + i, p), p, i, p >= firstWanted));
        }
      }
      parts.add(new Part(start == 0, entries, outputs));
    }
    return parts;
  }

  /**
   * Computes a part; the first one of its chunks empties the context.
   *
   * @throws dev.ocellus.compute.ComputationCancelledException if {@code flag} was set
   */
  public void decode(Part part, CancellationFlag flag) {
    if (part.first) {
      context.clear();
    }
    batch.clear();
    for (Entry e : part.entries) {
      batch.add(e.token(), e.position(), e.sequence(), e.wanted());
    }
    context.decode(batch, flag);
  }

  /** Copies logits of the last part. */
  public void logits(int index, float[] to) {
    context.logits(index, to);
  }

  @Override
  public void close() {
    batch.close();
    context.close();
  }
}
