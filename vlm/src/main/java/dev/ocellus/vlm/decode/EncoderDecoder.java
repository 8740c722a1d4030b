package dev.ocellus.vlm.decode;

import dev.ocellus.ggml.MatMulObserver;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.llama.LlamaModel;
import dev.ocellus.llama.Vocab;
import dev.ocellus.vlm.graph.GraphRunner;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A text model of an encoder and a decoder, computed by graphs. Its prompts go in as embeddings,
 * all at once. Keys and values are kept in F32, and are not saved with a session, which computes
 * them again when it goes on.
 *
 * @param runner with the weights loaded; closed with this
 * @param graph both halves over them
 * @param tokenizer a model of which the vocabulary is used; closed with this
 */
public record EncoderDecoder(GraphRunner runner, EncoderDecoderGraph graph, LlamaModel tokenizer)
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
    return 1;
  }

  @Override
  public boolean encodesPrompts() {
    return true;
  }

  @Override
  public int[] answerHistory(int[] prompt) {
    return new int[] {graph.startToken()};
  }

  @Override
  public KvSequence newSequence(ContextOptions options, @Nullable MatMulObserver observer) {
    if (observer != null) {
      throw new UnsupportedOperationException("A text model of its own graph cannot be observed");
    }
    return newSequence(options, 1, options.nCtx());
  }

  /**
   * @param nBeams continuations of a prompt
   * @param nAnswer most tokens of each; 0 for as many as the model was trained with
   */
  private EncodedSequence newSequence(ContextOptions options, int nBeams, int nAnswer) {
    int nCtx = options.nCtx() == 0 ? graph.nCtxTrain() : options.nCtx();
    int most = Math.min(nAnswer == 0 ? nCtx : Math.min(nCtx, nAnswer), graph.maxPositions() - 1);
    return new EncodedSequence(runner, graph, nCtx, nBeams, most);
  }

  @Override
  public BeamDecoder newBeams(ContextOptions options, int n, int maxTokens) {
    return newSequence(options, n, maxTokens);
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
