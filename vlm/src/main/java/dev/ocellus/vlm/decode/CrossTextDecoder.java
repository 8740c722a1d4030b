package dev.ocellus.vlm.decode;

import dev.ocellus.InvalidSettingException;
import dev.ocellus.Setting;
import dev.ocellus.ggml.MatMulObserver;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.llama.LlamaModel;
import dev.ocellus.llama.Vocab;
import dev.ocellus.vlm.graph.GraphRunner;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A text model with layers that attend to images, computed by graphs. The embedding of an image is
 * all of its states one after the other, and the number of its tiles. Keys and values are kept in
 * F32, and are not saved with a session, which computes them again when it goes on.
 *
 * @param runner with the weights loaded; closed with this
 * @param graph the layers over them
 * @param tokenizer a model of which the vocabulary is used; closed with this
 */
public record CrossTextDecoder(GraphRunner runner, CrossTextGraph graph, LlamaModel tokenizer)
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
    int states = Math.multiplyExact(graph.nTiles(), graph.nStates());
    return Math.addExact(1, Math.multiplyExact(states, graph.width()));
  }

  @Override
  public int nPositions() {
    return 1;
  }

  @Override
  public KvSequence newSequence(ContextOptions options, @Nullable MatMulObserver observer) {
    if (observer != null) {
      throw new UnsupportedOperationException("A text model of its own graph cannot be observed");
    }
    int nCtx = options.nCtx() == 0 ? graph.nCtxTrain() : options.nCtx();
    return new CrossTextSequence(runner, graph, nCtx, Math.min(options.nUbatch(), nCtx));
  }

  @Override
  public BeamDecoder newBeams(ContextOptions options, int n, int maxTokens) {
    throw new InvalidSettingException(
        "beam search: a model whose layers attend to images (%s) has none; sample, or take the likeliest tokens"
            .formatted(description()),
        Setting.BEAMS);
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
