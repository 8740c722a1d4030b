package dev.ocellus.vlm.decode;

import dev.ocellus.ggml.MatMulObserver;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.llama.Vocab;
import org.jspecify.annotations.Nullable;

/**
 * A text model, as a conversation needs it: tokens and embeddings go in, logits come out, and keys
 * and values are kept in between. {@link LlamaDecoder} computes with libllama; others may compute
 * with graphs of their own.
 *
 * <p>Thread-safe; a sequence is for one thread at a time.
 */
public interface TextDecoder extends AutoCloseable {
  /** The tokens that it knows, one logit for each. */
  Vocab vocab();

  /** One line for people: architecture, size and type. */
  String description();

  /** Tokens of context that it was trained with. */
  int nCtxTrain();

  /** Floats of an input embedding, as an image encoder has to give them. */
  int embeddingWidth();

  /**
   * Whether sequences can forget their end. Without it they are computed again from the start when
   * a conversation is changed, and draft tokens cannot be tried.
   */
  default boolean canRollBack() {
    return true;
  }

  /** Position numbers of an embedding: 1, or 4 for multi-axis rotary positions. */
  int nPositions();

  /**
   * Makes a sequence with a context of its own, which is computed on the caller's thread.
   *
   * @param observer told of all products of weights and activations, which makes computing slower;
   *     null for nobody
   * @throws UnsupportedOperationException if there is an observer, and this decoder cannot be
   *     observed
   */
  KvSequence newSequence(ContextOptions options, @Nullable MatMulObserver observer);

  /** As {@link #newSequence(ContextOptions, MatMulObserver)}, observed by nobody. */
  default KvSequence newSequence(ContextOptions options) {
    return newSequence(options, null);
  }

  /**
   * Makes sequences for several conversations at the same time.
   *
   * @param n how many
   * @param each options of each
   */
  SequencePool newPool(int n, ContextOptions each);

  /**
   * Makes room for a prompt and several continuations of it.
   *
   * @param options as of {@link #newSequence(ContextOptions)}
   * @param n continuations
   * @param maxTokens most tokens of each
   */
  BeamDecoder newBeams(ContextOptions options, int n, int maxTokens);

  /**
   * Whether an encoder reads the whole prompt at once, so that it has to come as embeddings, which
   * attend to each other.
   */
  default boolean encodesPrompts() {
    return false;
  }

  /**
   * What the half that writes the answer has in front of it.
   *
   * @param prompt tokens of the prompt; -1 at every image embedding
   */
  default int[] answerHistory(int[] prompt) {
    return prompt;
  }

  /** Frees the weights, after all sequences. */
  @Override
  void close();
}
