package dev.ocellus.vlm.decode;

import dev.ocellus.ggml.MatMulObserver;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.llama.LlamaModel;
import dev.ocellus.llama.Vocab;
import dev.ocellus.vlm.graph.GraphRunner;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * What text models that are computed by graphs of ours share. Keys and values are kept in F32, and
 * are not saved with a session, which computes them again when it goes on.
 *
 * @param <G> what is computed
 */
abstract sealed class GraphTextDecoder<G extends TextGraph> implements TextDecoder
    permits GraphDecoder, CrossTextDecoder, EncoderDecoder {
  final GraphRunner runner;
  final G graph;
  private final LlamaModel tokenizer;

  /**
   * @param runner with the weights loaded; closed with this
   * @param graph the layers over them
   * @param tokenizer a model of which the vocabulary is used; closed with this
   */
  GraphTextDecoder(GraphRunner runner, G graph, LlamaModel tokenizer) {
    this.runner = runner;
    this.graph = graph;
    this.tokenizer = tokenizer;
  }

  @Override
  public final Vocab vocab() {
    return tokenizer.vocab();
  }

  @Override
  public final String description() {
    return graph.description();
  }

  @Override
  public final int nCtxTrain() {
    return graph.nCtxTrain();
  }

  @Override
  public int embeddingWidth() {
    return graph.width();
  }

  @Override
  public int nPositions() {
    return 1;
  }

  /** Places of a context that was asked for. */
  final int nCtx(ContextOptions options) {
    return options.nCtx() == 0 ? graph.nCtxTrain() : options.nCtx();
  }

  @Override
  public final KvSequence newSequence(ContextOptions options, @Nullable MatMulObserver observer) {
    if (observer != null) {
      throw new UnsupportedOperationException("A text model of its own graph cannot be observed");
    }
    return sequence(options);
  }

  abstract KvSequence sequence(ContextOptions options);

  @Override
  public final SequencePool newPool(int n, ContextOptions each) {
    return new IndependentPool(IntStream.range(0, n).mapToObj(i -> sequence(each)).toList());
  }

  @Override
  public final void close() {
    runner.close();
    tokenizer.close();
  }
}
