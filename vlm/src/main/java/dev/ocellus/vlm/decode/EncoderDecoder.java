package dev.ocellus.vlm.decode;

import dev.ocellus.llama.ContextOptions;
import dev.ocellus.llama.LlamaModel;
import dev.ocellus.vlm.graph.GraphRunner;

/**
 * A text model of an encoder and a decoder, computed by graphs. Its prompts go in as embeddings,
 * all at once.
 */
public final class EncoderDecoder extends GraphTextDecoder<EncoderDecoderGraph> {
  /**
   * @param runner with the weights loaded; closed with this
   * @param graph both halves over them
   * @param tokenizer a model of which the vocabulary is used; closed with this
   */
  public EncoderDecoder(GraphRunner runner, EncoderDecoderGraph graph, LlamaModel tokenizer) {
    super(runner, graph, tokenizer);
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
  KvSequence sequence(ContextOptions options) {
    return sequence(options, 1, options.nCtx());
  }

  /**
   * @param nBeams continuations of a prompt
   * @param nAnswer most tokens of each; 0 for as many as the model was trained with
   */
  private EncodedSequence sequence(ContextOptions options, int nBeams, int nAnswer) {
    int nCtx = nCtx(options);
    int most = Math.min(nAnswer == 0 ? nCtx : Math.min(nCtx, nAnswer), graph.maxPositions() - 1);
    return new EncodedSequence(runner, graph, nCtx, nBeams, most);
  }

  @Override
  public BeamDecoder newBeams(ContextOptions options, int n, int maxTokens) {
    return sequence(options, n, maxTokens);
  }
}
