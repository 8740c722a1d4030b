package dev.ocellus.vlm.decode;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.vlm.graph.GraphRunner;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Beams of a {@link DecoderGraph}, in one cache and computed as the rows of one batch. */
final class GraphBeams implements BeamDecoder {
  private final CachedGraph cached;
  private final GraphSequence prompt;
  private final float[][] logits;
  private @Nullable BeamRows rows;

  /**
   * Takes memory for them.
   *
   * @param nCtx most tokens of the prompt
   * @param n beams
   * @param maxTokens most tokens of each behind the prompt
   */
  static GraphBeams create(GraphRunner runner, DecoderGraph graph, int nCtx, int n, int maxTokens) {
    return create(runner, graph, nCtx, n, maxTokens, nCtx, nCtx);
  }

  /**
   * @param nBatch most tokens of the prompt that are decoded in one call
   * @param nUbatch most that are computed at once
   */
  static GraphBeams create(
      GraphRunner runner,
      DecoderGraph graph,
      int nCtx,
      int n,
      int maxTokens,
      int nBatch,
      int nUbatch) {
    int nRows = Math.addExact(nCtx, Math.multiplyExact(n, maxTokens));
    var cached = new CachedGraph(runner, graph, nRows);
    return new GraphBeams(cached, new GraphSequence(cached, nCtx, nBatch, nUbatch), n);
  }

  private GraphBeams(CachedGraph cached, GraphSequence prompt, int n) {
    this.cached = cached;
    this.prompt = prompt;
    this.logits = new float[n][cached.graph().nVocab()];
  }

  @Override
  public KvSequence prompt() {
    return prompt;
  }

  @Override
  public void advance(int[] parents, int[] tokens, int position, CancellationFlag flag) {
    BeamRows now = rows;
    if (now == null) {
      now = new BeamRows(prompt.used());
      rows = now;
    }
    now.advance(parents);
    int[] positions = new int[tokens.length];
    Arrays.fill(positions, position);
    int nKeys = cached.nKeys(now.used());
    var at = new CachedGraph.Rows(now.places(), positions, now.mask(nKeys));
    cached.tokens(tokens, at, new CachedGraph.Outputs(tokens.length, logits, 0), flag);
  }

  @Override
  public float[] logits(int beam) {
    return rows == null ? prompt.logits(0) : logits[beam];
  }

  @Override
  public void close() {
    cached.close();
  }
}
