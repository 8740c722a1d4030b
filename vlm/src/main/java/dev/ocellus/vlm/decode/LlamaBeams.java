package dev.ocellus.vlm.decode;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.llama.Batch;
import dev.ocellus.llama.LlamaContext;

/**
 * Beams in a context of libllama. A step takes other sequences of it than the last one, as a beam
 * may be gone on from more than once; what beams share stands in the cache once.
 */
final class LlamaBeams implements BeamDecoder {
  private final LlamaContext context;
  private final ExclusiveSequence prompt;
  private final Batch batch;
  private final int n;
  private final float[] logits;
  private int first;
  private boolean begun;

  /**
   * @param context of {@link #sequences} sequences; closed with this
   * @param n beams
   */
  LlamaBeams(LlamaContext context, int n) {
    this.context = context;
    this.n = n;
    this.prompt = new ExclusiveSequence(context);
    this.batch = Batch.ofTokens(n);
    this.logits = new float[context.model().vocab().nTokens()];
  }

  /** Sequences that so many beams take. */
  static int sequences(int n) {
    return Math.multiplyExact(2, n);
  }

  @Override
  public KvSequence prompt() {
    return prompt;
  }

  @Override
  public void advance(int[] parents, int[] tokens, int position, CancellationFlag flag) {
    int next = n - first;
    for (int i = 0; i < n; i++) {
      context.share(first + parents[i], next + i, position);
    }
    for (int i = 0; i < n; i++) {
      context.removeFrom(first + i, 0);
    }
    first = next;
    batch.clear();
    for (int i = 0; i < n; i++) {
      batch.add(tokens[i], position, first + i, true);
    }
    context.decode(batch, flag);
    begun = true;
  }

  @Override
  public float[] logits(int beam) {
    if (!begun) {
      return prompt.logits(0);
    }
    context.logits(beam, logits);
    return logits;
  }

  @Override
  public void close() {
    prompt.close();
    batch.close();
  }
}
