package dev.ocellus.vlm.decode;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.llama.LlamaContext;
import dev.ocellus.vlm.vision.EncodedImage;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** One of the sequences of a context that others use as well: a {@link BatchScheduler} computes. */
final class BatchedSequence implements KvSequence, LlamaState.Owner {
  private final LlamaContext context;
  private final BatchScheduler scheduler;
  private final PrefixSharing sharing;
  private final StateSharing states;
  private final int sequence;
  private final int nCtx;
  private float[][] outputs = {};

  /** Whether its next token is expected soon. Guarded by the scheduler's lock. */
  boolean expected;

  BatchedSequence(
      LlamaContext context,
      BatchScheduler scheduler,
      PrefixSharing sharing,
      StateSharing states,
      int sequence,
      int nCtx) {
    this.context = context;
    this.scheduler = scheduler;
    this.sharing = sharing;
    this.states = states;
    this.sequence = sequence;
    this.nCtx = nCtx;
  }

  int id() {
    return sequence;
  }

  @Override
  public int nCtx() {
    return nCtx;
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
      int[] ids, int from, int count, int position, int nOutputs, CancellationFlag flag) {
    int[] mine = Arrays.copyOfRange(ids, from, from + count);
    await(new DecodeRequest.Tokens(this, mine, position, nOutputs, flag));
  }

  @Override
  public void decodeEmbeddings(
      EncodedImage image,
      int from,
      int[][] positions,
      boolean causal,
      boolean wantsLogits,
      CancellationFlag flag) {
    await(new DecodeRequest.Embeddings(this, image, from, positions, causal, wantsLogits, flag));
  }

  private void await(DecodeRequest request) {
    makeRoom(request.outputs());
    scheduler.submit(request);
    request.await();
  }

  private void makeRoom(int n) {
    int have = outputs.length;
    if (n > have) {
      outputs = Arrays.copyOf(outputs, n);
      for (int i = have; i < n; i++) {
        outputs[i] = new float[context.model().vocab().nTokens()];
      }
    }
  }

  /** Where the scheduler puts logits, before the request is done. */
  float[] output(int i) {
    return outputs[i];
  }

  @Override
  public float[] logits(int i) {
    return outputs[i];
  }

  @Override
  public boolean removeFrom(int position) {
    sharing.withdraw(sequence, position);
    states.withdraw(this, position);
    return context.removeFrom(sequence, position);
  }

  @Override
  public boolean canForget() {
    return context.model().canRollBack();
  }

  @Override
  public boolean hasPositionsBefore(int position) {
    return context.hasPositionsBefore(sequence, position);
  }

  @Override
  public int adoptPrefix(
      List<ContextEntry> present, List<ContextEntry> wanted, int have, CancellationFlag flag) {
    return canForget()
        ? sharing.take(sequence, present, wanted, have, flag)
        : states.take(this, wanted, have);
  }

  @Override
  public void promptEnded() {
    sharing.end(sequence);
  }

  @Override
  public void offer(List<ContextEntry> entries) {
    if (canForget()) {
      sharing.offer(sequence, entries);
    } else {
      states.offer(this, entries);
    }
  }

  @Override
  public boolean isClosed() {
    return context.isClosed();
  }

  @Override
  public Optional<KvCheckpoint> checkpoint(int position, @Nullable KvCheckpoint reuse) {
    return states.checkpoint(this, position, reuse);
  }

  @Override
  public Optional<KvState> state() {
    return LlamaState.of(context, sequence, this);
  }

  @Override
  public void beforeRead() {
    states.withdraw(this, 0);
    sharing.restoring(sequence);
  }

  @Override
  public KvCheckpoint adopt(LlamaCheckpoint checkpoint) {
    return states.adopt(this, checkpoint);
  }

  @Override
  public void close() {
    // the context belongs to all
  }
}
