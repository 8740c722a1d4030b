package dev.ocellus.vlm.decode;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.llama.Batch;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.llama.LlamaContext;
import dev.ocellus.llama.LlamaModel;
import dev.ocellus.vlm.vision.EncodedImage;

/**
 * A sequence that gives the last layer's normed state of its last token instead of logits.
 *
 * <p>libllama gives states of all tokens of a batch or of none, and computes logits of each: the
 * last token is a batch of its own.
 */
public final class StateSequence implements KvSequence {
  private static final int SEQUENCE = 0;

  private final LlamaContext context;
  private final ExclusiveSequence sequence;
  private final Batch last = Batch.ofTokens(1);
  private final float[] state;

  private StateSequence(LlamaContext context) {
    this.context = context;
    this.sequence = new ExclusiveSequence(context);
    this.state = new float[context.model().nEmbd()];
  }

  /** One with a context of its own. */
  public static StateSequence of(LlamaModel model, ContextOptions options) {
    LlamaContext context = model.newContext(options, true, null);
    try {
      return new StateSequence(context);
    } catch (Throwable e) {
      context.close();
      throw e;
    }
  }

  /** The state of the last token for which an output was wanted, [nEmbd]; a copy. */
  public float[] lastState() {
    return state.clone();
  }

  @Override
  public int nCtx() {
    return sequence.nCtx();
  }

  @Override
  public int nBatch() {
    return sequence.nBatch();
  }

  @Override
  public int nUbatch() {
    return sequence.nUbatch();
  }

  @Override
  public void decodeTokens(
      int[] ids, int from, int count, int position, int outputs, CancellationFlag flag) {
    int before = outputs == 0 ? count : count - 1;
    if (before > 0) {
      sequence.decodeTokens(ids, from, before, position, 0, flag);
    }
    if (outputs > 0) {
      last.clear();
      last.add(ids[from + before], position + before, SEQUENCE, true);
      context.decodeStates(last, flag);
      context.state(0, state);
    }
  }

  @Override
  public void decodeEmbeddings(
      EncodedImage image,
      int from,
      int[][] positions,
      boolean causal,
      boolean wantsLogits,
      CancellationFlag flag) {
    if (wantsLogits) {
      throw new IllegalArgumentException("prompt: expected a token at its end, found an image");
    }
    sequence.decodeEmbeddings(image, from, positions, causal, false, flag);
  }

  @Override
  public float[] logits(int i) {
    throw new UnsupportedOperationException("A sequence of states gives no logits");
  }

  @Override
  public boolean removeFrom(int position) {
    return sequence.removeFrom(position);
  }

  @Override
  public boolean canForget() {
    return sequence.canForget();
  }

  @Override
  public boolean hasPositionsBefore(int position) {
    return sequence.hasPositionsBefore(position);
  }

  @Override
  public void synchronize() {
    sequence.synchronize();
  }

  @Override
  public boolean isClosed() {
    return sequence.isClosed();
  }

  @Override
  public void close() {
    sequence.close();
    last.close();
  }
}
