package dev.ocellus.quantize.measure;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.llama.LlamaModel;
import dev.ocellus.quantize.text.ChunkDecoder;
import dev.ocellus.quantize.text.TextChunks;
import java.util.stream.IntStream;

/**
 * How well a text model predicts a text: {@code e} to the power of the mean negative logarithm of
 * the probability that it gives to what comes next. Chunks, and what counts of them, are those of
 * llama-perplexity of llama.cpp v0.4.0.
 *
 * @param value the perplexity
 * @param error its standard error
 * @param nTokens predictions that counted
 */
public record Perplexity(double value, double error, long nTokens) {
  /** Rows of logits in memory at once. */
  static final int ROWS = 32;

  /** Told the result after every chunk. */
  @FunctionalInterface
  public interface Listener {
    void chunk(int done, int count, Perplexity soFar);
  }

  /**
   * Measures.
   *
   * @throws dev.ocellus.compute.ComputationCancelledException if {@code flag} was set
   */
  public static Perplexity measure(
      LlamaModel model,
      ContextOptions options,
      TextChunks chunks,
      Listener listener,
      CancellationFlag flag) {
    Perplexity result = new Perplexity(1, 0, 0);
    try (ChunkDecoder decoder = new ChunkDecoder(model, options, chunks.nCtx(), null)) {
      Scores scores = new Scores(decoder, model.vocab().nTokens());
      for (int chunk = 0; chunk < chunks.count(); chunk += decoder.sideBySide()) {
        for (ChunkDecoder.Part part : decoder.parts(chunks, chunk, chunks.firstScored())) {
          decoder.decode(part, flag);
          for (ChunkDecoder.Output o : part.outputs()) {
            if (o.position() < chunks.nCtx() - 1) { // nothing comes after the last
              scores.add(o.index(), chunks.token(o.chunk(), o.position() + 1));
            }
          }
          scores.flush();
        }
        result = scores.result();
        int done = Math.min(chunks.count(), chunk + decoder.sideBySide());
        listener.chunk(done, chunks.count(), result);
      }
    }
    return result;
  }

  /** Sums over predictions; rows are gathered so that processors can share them. */
  private static final class Scores {
    private final ChunkDecoder decoder;
    private final float[][] rows;
    private final int[] next = new int[ROWS];
    private int filled;
    private double sum;
    private double squares;
    private long count;

    Scores(ChunkDecoder decoder, int nVocab) {
      this.decoder = decoder;
      this.rows = new float[ROWS][nVocab];
    }

    void add(int index, int token) {
      decoder.logits(index, rows[filled]);
      next[filled++] = token;
      if (filled == ROWS) {
        flush();
      }
    }

    void flush() {
      double[] losses =
          IntStream.range(0, filled)
              .parallel()
              .mapToDouble(i -> -LogSoftmax.norm(rows[i]).logProbability(rows[i][next[i]]))
              .toArray();
      for (double loss : losses) {
        sum += loss;
        squares += loss * loss;
      }
      count += filled;
      filled = 0;
    }

    Perplexity result() {
      Estimate e = Estimate.ofSums(sum, squares, count).exp();
      return new Perplexity(e.value(), e.error(), count);
    }
  }
}
