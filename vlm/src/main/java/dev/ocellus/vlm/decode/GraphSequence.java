package dev.ocellus.vlm.decode;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.vlm.nn.AttentionMask;
import dev.ocellus.vlm.vision.EncodedImage;
import java.util.Arrays;

/** A sequence whose keys and values lie in the first rows of a {@link CachedGraph}. */
final class GraphSequence implements KvSequence {
  private final CachedGraph cached;
  private final DecoderGraph graph;
  private final int nCtx;
  private final int nBatch;
  private final int nUbatch;
  private int used;
  private float[][] outputs = {};

  /**
   * @param cached closed with this
   * @param nCtx rows of it that are used here
   */
  GraphSequence(CachedGraph cached, int nCtx, int nBatch, int nUbatch) {
    this.cached = cached;
    this.graph = cached.graph();
    this.nCtx = nCtx;
    this.nBatch = Math.min(nBatch, nCtx);
    this.nUbatch = Math.min(nUbatch, this.nBatch);
  }

  @Override
  public int nCtx() {
    return nCtx;
  }

  @Override
  public int nBatch() {
    return nBatch;
  }

  @Override
  public int nUbatch() {
    return nUbatch;
  }

  @Override
  public void decodeTokens(
      int[] ids, int from, int count, int position, int nOutputs, CancellationFlag flag) {
    begin(position, count, nOutputs);
    for (int done = 0; done < count; ) {
      int n = Math.min(nUbatch, count - done);
      int[] part = Arrays.copyOfRange(ids, from + done, from + done + n);
      int first = Math.max(0, done - (count - nOutputs));
      int last = Math.max(0, done + n - (count - nOutputs));
      var to = new CachedGraph.Outputs(last - first, outputs, first);
      cached.tokens(part, rows(n, true), to, flag);
      used += n;
      done += n;
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
    int count = positions.length;
    if (image.width() != graph.width()) {
      throw new IllegalArgumentException(
          "image: expected embeddings of %d floats, found %d"
              .formatted(graph.width(), image.width()));
    }
    if (!causal && count > nUbatch) {
      throw new IllegalArgumentException(
          "embeddings with non-causal attention: expected at most a micro-batch of %d, found %d"
              .formatted(nUbatch, count));
    }
    begin(positions[0][0], count, wantsLogits ? 1 : 0);
    for (int done = 0; done < count; ) {
      int n = Math.min(nUbatch, count - done);
      int offset = (from + done) * graph.width();
      int nOutputs = wantsLogits && done + n == count ? 1 : 0;
      var to = new CachedGraph.Outputs(nOutputs, outputs, 0);
      int[][] part = Arrays.copyOfRange(positions, done, done + n);
      cached.embeddings(image.values(), offset, part, rows(n, causal), to, flag);
      used += n;
      done += n;
    }
  }

  private void begin(int position, int count, int nOutputs) {
    SequenceRoom.requireNext(position, used);
    SequenceRoom.require(used, count, nCtx);
    int have = outputs.length;
    if (nOutputs > have) {
      outputs = Arrays.copyOf(outputs, nOutputs);
      for (int i = have; i < nOutputs; i++) {
        outputs[i] = new float[graph.nVocab()];
      }
    }
  }

  private CachedGraph.Rows rows(int n, boolean causal) {
    int[] places = new int[n];
    Arrays.setAll(places, i -> used + i);
    int nKeys = cached.nKeys(used + n);
    float[] mask =
        causal ? AttentionMask.causal(n, nKeys, used) : AttentionMask.padding(n, nKeys, used + n);
    return new CachedGraph.Rows(places, places, mask);
  }

  /** Rows that are filled. */
  int used() {
    return used;
  }

  @Override
  public float[] logits(int i) {
    return outputs[i];
  }

  @Override
  public boolean removeFrom(int position) {
    used = Math.min(used, position);
    return true;
  }

  @Override
  public boolean hasPositionsBefore(int position) {
    return position <= used;
  }

  @Override
  public boolean isClosed() {
    return cached.isClosed();
  }

  @Override
  public void close() {
    cached.close();
  }
}
