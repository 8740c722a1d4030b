package dev.ocellus.eval;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.compute.ComputationCancelledException;
import dev.ocellus.llama.Batch;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.llama.LlamaContext;
import dev.ocellus.llama.LlamaModel;
import dev.ocellus.llama.Vocab;
import java.util.SplittableRandom;

/**
 * What llama-bench has a text model do: random tokens, from an empty context of just their number,
 * with the logits of the last token of each batch and without choosing any.
 */
final class LlamaBenchWorkload implements AutoCloseable {
  private final LlamaContext context;

  private final CancellationFlag flag;

  private final Vocab vocab;
  private final Batch batch;
  private final int n;
  private final SplittableRandom random = new SplittableRandom(1);

  /**
   * @param n tokens
   * @param flag stops the work; closing sets it
   */
  LlamaBenchWorkload(LlamaModel model, ContextOptions options, int n, CancellationFlag flag) {
    this.context = model.newContext(options.withContext(n));
    this.flag = flag;
    this.vocab = model.vocab();
    this.batch = Batch.ofTokens(context.nBatch());
    this.n = n;
  }

  private int token(int position) {
    return position == 0 && vocab.addsBos() ? vocab.bos() : random.nextInt(vocab.nTokens());
  }

  /** The tokens in batches. */
  void prompt() {
    context.clear();
    for (int done = 0; done < n; ) {
      int size = Math.min(n - done, context.nBatch());
      batch.clear();
      for (int i = 0; i < size; i++, done++) {
        batch.add(token(done), done, 0, i == size - 1);
      }
      context.decode(batch, flag);
    }
    context.synchronize();
  }

  /** The tokens one by one. */
  void generate() {
    generate(n);
  }

  /** A single token, which is enough to warm up. */
  void one() {
    generate(1);
  }

  private void generate(int count) {
    context.clear();
    for (int i = 0; i < count; i++) {
      if (flag.isCancelled()) {
        throw new ComputationCancelledException("Generating was cancelled");
      }
      batch.clear();
      batch.add(token(i), i, 0, true);
      context.decode(batch, flag);
      context.synchronize();
    }
  }

  @Override
  public void close() {
    batch.close();
    context.close();
  }
}
