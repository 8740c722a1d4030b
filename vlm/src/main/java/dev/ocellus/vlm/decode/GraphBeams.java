package dev.ocellus.vlm.decode;

import dev.ocellus.compute.CancellationFlag;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Beams of a {@link DecoderGraph}, in one cache and computed as the rows of one batch. */
final class GraphBeams implements BeamDecoder {
  private final CachedGraph cached;
  private final GraphSequence prompt;
  private final float[][] logits;
  private @Nullable BeamRows rows;

  /**
   * @param cached closed with this
   * @param prompt a sequence in its first rows
   * @param n beams
   */
  GraphBeams(CachedGraph cached, GraphSequence prompt, int n) {
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
