package dev.ocellus.vlm.decode;

import dev.ocellus.llama.ContextOptions;
import dev.ocellus.llama.LlamaModel;
import dev.ocellus.vlm.graph.GraphRunner;

/**
 * A text model that is computed by a graph of its own instead of libllama: for models that libllama
 * does not know.
 */
public final class GraphDecoder extends GraphTextDecoder<DecoderGraph> {
  /**
   * @param runner with the weights loaded; closed with this
   * @param graph the layers over them
   * @param tokenizer a model of which the vocabulary is used; closed with this
   */
  public GraphDecoder(GraphRunner runner, DecoderGraph graph, LlamaModel tokenizer) {
    super(runner, graph, tokenizer);
  }

  @Override
  public int nPositions() {
    return graph.nPositions();
  }

  @Override
  KvSequence sequence(ContextOptions options) {
    int places = places(options);
    return new GraphSequence(
        new CachedGraph(runner, graph, places), places, options.nBatch(), options.microBatch());
  }

  private int places(ContextOptions options) {
    return Math.min(nCtx(options), graph.maxPositions());
  }

  @Override
  public BeamDecoder newBeams(ContextOptions options, int n, int maxTokens) {
    int places = places(options);
    return GraphBeams.create(
        runner,
        graph,
        places,
        n,
        Math.min(places, maxTokens),
        options.nBatch(),
        options.microBatch());
  }
}
