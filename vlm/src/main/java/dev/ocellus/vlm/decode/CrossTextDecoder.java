package dev.ocellus.vlm.decode;

import dev.ocellus.InvalidSettingException;
import dev.ocellus.Setting;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.llama.LlamaModel;
import dev.ocellus.vlm.graph.GraphRunner;

/**
 * A text model with layers that attend to images, computed by graphs. The embedding of an image is
 * all of its states one after the other, and the number of its tiles.
 */
public final class CrossTextDecoder extends GraphTextDecoder<CrossTextGraph> {
  /**
   * @param runner with the weights loaded; closed with this
   * @param graph the layers over them
   * @param tokenizer a model of which the vocabulary is used; closed with this
   */
  public CrossTextDecoder(GraphRunner runner, CrossTextGraph graph, LlamaModel tokenizer) {
    super(runner, graph, tokenizer);
  }

  @Override
  public int embeddingWidth() {
    int states = Math.multiplyExact(graph.nTiles(), graph.nStates());
    return Math.addExact(1, Math.multiplyExact(states, graph.width()));
  }

  @Override
  KvSequence sequence(ContextOptions options) {
    int nCtx = nCtx(options);
    return new CrossTextSequence(runner, graph, nCtx, Math.min(options.microBatch(), nCtx));
  }

  @Override
  public BeamDecoder newBeams(ContextOptions options, int n, int maxTokens) {
    throw new InvalidSettingException(
        "beam search: a model whose layers attend to images (%s) has none; sample, or take the likeliest tokens"
            .formatted(description()),
        Setting.BEAMS);
  }
}
