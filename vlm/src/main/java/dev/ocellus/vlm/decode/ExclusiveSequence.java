package dev.ocellus.vlm.decode;

import dev.ocellus.ggml.CancellationFlag;
import dev.ocellus.llama.Batch;
import dev.ocellus.llama.LlamaContext;
import dev.ocellus.llama.SequencePlaces;
import dev.ocellus.vlm.vision.EncodedImage;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import org.jspecify.annotations.Nullable;

/** The only sequence of a context: computed on the caller's thread, with nobody in between. */
public final class ExclusiveSequence implements KvSequence {
  private static final int SEQUENCE = 0;

  private final LlamaContext context;
  private final Batch tokens;
  private final float[] logits;
  private @Nullable Batch rows;
  private int firstOutput;

  public ExclusiveSequence(LlamaContext context) {
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
  public void tokens(
      int[] ids, int from, int count, int position, int outputs, CancellationFlag flag) {
    tokens.clear();
    for (int i = 0; i < count; i++) {
      tokens.add(ids[from + i], position + i, SEQUENCE, i >= count - outputs);
    }
    firstOutput = count - outputs;
    context.decode(tokens, flag);
  }

  @Override
  public void rows(
      EncodedImage image,
      int from,
      int[][] positions,
      boolean seeEachOther,
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
          image.rows(), from + i, positions[i], SEQUENCE, wantsLogits && i == positions.length - 1);
    }
    firstOutput = positions.length - 1;
    context.decode(batch, !seeEachOther, flag);
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
  public void writeState(WritableByteChannel channel) throws IOException {
    context.writeState(SEQUENCE, channel);
  }

  @Override
  public boolean readState(FileChannel channel, long offset, long length, SequencePlaces places)
      throws IOException {
    return context.readState(SEQUENCE, channel, offset, length, places);
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
    context.close();
    tokens.close();
    if (rows != null) {
      rows.close();
    }
  }
}
