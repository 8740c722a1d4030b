package dev.ocellus.vlm.decode;

import dev.ocellus.ggml.CancellationFlag;
import dev.ocellus.llama.LlamaContext;
import dev.ocellus.llama.SequencePlaces;
import dev.ocellus.vlm.vision.EncodedImage;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.util.Arrays;
import java.util.List;

/** One of the sequences of a context that others use as well: a {@link BatchScheduler} computes. */
public final class BatchedSequence implements KvSequence {
  private final LlamaContext context;
  private final BatchScheduler scheduler;
  private final PrefixSharing sharing;
  private final int sequence;
  private final int nCtx;
  private float[][] outputs = {};

  /** Whether its next token is expected soon. Guarded by the scheduler's lock. */
  boolean expected;

  public BatchedSequence(
      LlamaContext context,
      BatchScheduler scheduler,
      PrefixSharing sharing,
      int sequence,
      int nCtx) {
    this.context = context;
    this.scheduler = scheduler;
    this.sharing = sharing;
    this.sequence = sequence;
    this.nCtx = nCtx;
  }

  int sequence() {
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
  public void tokens(
      int[] ids, int from, int count, int position, int nOutputs, CancellationFlag flag) {
    int[] mine = Arrays.copyOfRange(ids, from, from + count);
    await(new DecodeRequest.Tokens(this, mine, position, nOutputs, flag));
  }

  @Override
  public void rows(
      EncodedImage image,
      int from,
      int[][] positions,
      boolean seeEachOther,
      boolean wantsLogits,
      CancellationFlag flag) {
    await(new DecodeRequest.Rows(this, image, from, positions, seeEachOther, wantsLogits, flag));
  }

  private void await(DecodeRequest work) {
    makeRoom(work.outputs());
    scheduler.submit(work);
    work.await();
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

  /** Where the scheduler puts logits, before the work is done. */
  float[] output(int i) {
    return outputs[i];
  }

  @Override
  public float[] logits(int i) {
    return outputs[i];
  }

  @Override
  public boolean removeFrom(int position) {
    sharing.withdraw(this, position);
    return context.removeFrom(sequence, position);
  }

  @Override
  public boolean hasPositionsBefore(int position) {
    return context.hasPositionsBefore(sequence, position);
  }

  @Override
  public int adoptPrefix(List<ContextEntry> wanted, int have) {
    return sharing.take(this, wanted, have);
  }

  @Override
  public void offer(List<ContextEntry> entries) {
    sharing.offer(this, entries);
  }

  @Override
  public void synchronize() {
    // what is done has been computed: its logits were copied
  }

  @Override
  public boolean isClosed() {
    return context.isClosed();
  }

  @Override
  public void writeState(WritableByteChannel channel) throws IOException {
    context.writeState(sequence, channel);
  }

  @Override
  public boolean readState(FileChannel channel, long offset, long length, SequencePlaces places)
      throws IOException {
    sharing.withdraw(this, 0);
    return context.readState(sequence, channel, offset, length, places);
  }

  @Override
  public long maxStateLength(int nPlaces) {
    return context.maxStateLength(nPlaces);
  }

  @Override
  public String stateKind() {
    return context.stateKind();
  }

  @Override
  public void close() {
    // the context belongs to all
  }
}
