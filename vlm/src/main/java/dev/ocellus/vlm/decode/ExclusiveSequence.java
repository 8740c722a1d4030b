package dev.ocellus.vlm.decode;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.llama.Batch;
import dev.ocellus.llama.LlamaContext;
import dev.ocellus.vlm.vision.EncodedImage;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The only sequence of a context of libllama, computed on the caller's thread. */
final class ExclusiveSequence implements KvSequence {
  private static final int SEQUENCE = 0;

  private final LlamaContext context;
  private final Batch tokens;
  private final float[] logits;
  private @Nullable Batch rows;
  private int firstOutput;

  ExclusiveSequence(LlamaContext context) {
    this.context = context;
    this.tokens = Batch.ofTokens(context.nBatch());
    this.logits = new float[context.model().vocab().nTokens()];
  }

  @Override
  public int nCtx() {
    return context.nCtx();
  }

  @Override
  public int nBatch() {
    return context.nBatch();
  }

  @Override
  public int nUbatch() {
    return context.nUbatch();
  }

  @Override
  public void decodeTokens(
      int[] ids, int from, int count, int position, int outputs, CancellationFlag flag) {
    tokens.clear();
    for (int i = 0; i < count; i++) {
      tokens.add(ids[from + i], position + i, SEQUENCE, i >= count - outputs);
    }
    firstOutput = count - outputs;
    context.decode(tokens, flag);
  }

  @Override
  public void decodeEmbeddings(
      EncodedImage image,
      int from,
      int[][] positions,
      boolean causal,
      boolean wantsLogits,
      CancellationFlag flag) {
    Batch batch = rows;
    if (batch == null) {
      batch = Batch.ofEmbeddings(context.nBatch(), image.width(), context.model().nPositions());
      rows = batch;
    }
    batch.clear();
    for (int i = 0; i < positions.length; i++) {
      batch.add(
          image.values(),
          from + i,
          positions[i],
          SEQUENCE,
          wantsLogits && i == positions.length - 1);
    }
    firstOutput = positions.length - 1;
    context.decode(batch, causal, flag);
  }

  @Override
  public float[] logits(int i) {
    context.logits(firstOutput + i, logits);
    return logits;
  }

  @Override
  public boolean removeFrom(int position) {
    return context.removeFrom(SEQUENCE, position);
  }

  @Override
  public boolean canForget() {
    return context.model().canRollBack();
  }

  @Override
  public boolean hasPositionsBefore(int position) {
    return context.hasPositionsBefore(SEQUENCE, position);
  }

  @Override
  public void synchronize() {
    context.synchronize();
  }

  @Override
  public boolean isClosed() {
    return context.isClosed();
  }

  @Override
  public Optional<KvCheckpoint> checkpoint(int position, @Nullable KvCheckpoint reuse) {
    return LlamaCheckpoint.of(context, SEQUENCE, position, reuse).map(c -> c);
  }

  @Override
  public Optional<KvState> state() {
    return LlamaState.of(context, SEQUENCE, LlamaState.Owner.ALONE);
  }

  @Override
  public void close() {
    context.close();
    tokens.close();
    if (rows != null) {
      rows.close();
    }
  }
}
