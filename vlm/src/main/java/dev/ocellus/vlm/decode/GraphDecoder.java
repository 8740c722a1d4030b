package dev.ocellus.vlm.decode;

import dev.ocellus.ggml.MatMulObserver;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.llama.LlamaModel;
import dev.ocellus.llama.Vocab;
import dev.ocellus.vlm.graph.GraphRunner;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A text model that is computed by a graph of its own instead of libllama: for models that libllama
 * does not know. Keys and values are kept in F32, and are not saved with a session, which computes
 * them again when it goes on.
 *
 * @param runner with the weights loaded; closed with this
 * @param graph the layers over them
 * @param tokenizer a model of which the vocabulary is used; closed with this
 */
public record GraphDecoder(GraphRunner runner, DecoderGraph graph, LlamaModel tokenizer)
    implements TextDecoder {
  @Override
  public Vocab vocab() {
    return tokenizer.vocab();
  }

  @Override
  public String description() {
    return graph.description();
  }

  @Override
  public int nCtxTrain() {
    return graph.nCtxTrain();
  }

  @Override
  public int embeddingWidth() {
    return graph.width();
  }

  @Override
  public int nPositions() {
    return graph.nPositions();
  }

  @Override
  public KvSequence newSequence(ContextOptions options, @Nullable MatMulObserver observer) {
    if (observer != null) {
      throw new UnsupportedOperationException("A text model of its own graph cannot be observed");
    }
    int nCtx = nCtx(options);
    return new GraphSequence(
        new CachedGraph(runner, graph, nCtx), nCtx, options.nBatch(), options.nUbatch());
  }

  private int nCtx(ContextOptions options) {
    int nCtx = options.nCtx() == 0 ? graph.nCtxTrain() : options.nCtx();
    return Math.min(nCtx, graph.maxPositions());
  }

  @Override
  public BeamDecoder newBeams(ContextOptions options, int n, int maxTokens) {
    int nCtx = nCtx(options);
    return GraphBeams.create(
        runner, graph, nCtx, n, Math.min(nCtx, maxTokens), options.nBatch(), options.nUbatch());
  }

  @Override
  public SequencePool newPool(int n, ContextOptions each) {
    return new IndependentPool(
        IntStream.range(0, n).mapToObj(i -> newSequence(each, null)).toList());
  }

  @Override
  public void close() {
    runner.close();
    tokenizer.close();
  }
}
