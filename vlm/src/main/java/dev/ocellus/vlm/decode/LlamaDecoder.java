package dev.ocellus.vlm.decode;

import dev.ocellus.ggml.MatMulObserver;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.llama.LlamaContext;
import dev.ocellus.llama.LlamaModel;
import dev.ocellus.llama.Vocab;
import org.jspecify.annotations.Nullable;

/**
 * A text model that libllama computes.
 *
 * @param model closed with this
 */
public record LlamaDecoder(LlamaModel model) implements TextDecoder {
  private static final int MIN_SPARE = 8;
  private static final int MAX_SPARE = 32;

  @Override
  public Vocab vocab() {
    return model.vocab();
  }

  @Override
  public String description() {
    return model.description();
  }

  @Override
  public int nCtxTrain() {
    return model.nCtxTrain();
  }

  @Override
  public int embeddingWidth() {
    return model.nEmbdInput();
  }

  @Override
  public int nPositions() {
    return model.nPositions();
  }

  @Override
  public boolean canRollBack() {
    return model.canRollBack();
  }

  @Override
  public KvSequence newSequence(ContextOptions options, @Nullable MatMulObserver observer) {
    LlamaContext context = model.newContext(options, true, observer);
    try {
      return new ExclusiveSequence(context);
    } catch (Throwable e) {
      context.close();
      throw e;
    }
  }

  @Override
  public SequencePool newPool(int n, ContextOptions each) {
    return newPool(n, each, null);
  }

  /** As {@link #newPool(int, ContextOptions)}, observed as a single sequence can be. */
  public SequencePool newPool(int n, ContextOptions each, @Nullable MatMulObserver observer) {
    int nCtx = each.nCtx() == 0 ? nCtxTrain() : each.nCtx();
    LlamaContext context =
        model.newContext(
            each.withContext(Math.multiplyExact(n, nCtx))
                .withSequences(n)
                .withSpareSequences(nSpare(n))
                .withOutputs(Math.multiplyExact(n, each.nOutputsMax())),
            true,
            observer);
    try {
      return new LlamaPool(context, n);
    } catch (Throwable e) {
      context.close();
      throw e;
    }
  }

  /**
   * Sequences for beginnings of conversations, which cost no memory but for one token's logits
   * each. None where the model has recurrent states, which have no parts that can be shared.
   */
  private int nSpare(int n) {
    return canRollBack()
        ? Math.min(Math.clamp(n, MIN_SPARE, MAX_SPARE), ContextOptions.MAX_SEQUENCES - n)
        : 0;
  }

  @Override
  public BeamDecoder newBeams(ContextOptions options, int n, int maxTokens) {
    int nCtx = options.nCtx() == 0 ? nCtxTrain() : options.nCtx();
    int more = Math.multiplyExact(n - 1, Math.min(nCtx, maxTokens));
    LlamaContext context =
        model.newContext(
            options
                .withContext(Math.addExact(nCtx, more))
                .withSequences(LlamaBeams.sequences(n))
                .withOutputs(Math.max(n, options.nOutputsMax())),
            true,
            null);
    try {
      return new LlamaBeams(context, n);
    } catch (Throwable e) {
      context.close();
      throw e;
    }
  }

  @Override
  public void close() {
    model.close();
  }
}
