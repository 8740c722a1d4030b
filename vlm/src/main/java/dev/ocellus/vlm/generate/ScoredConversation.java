package dev.ocellus.vlm.generate;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.ggml.MatMulObserver;
import dev.ocellus.llama.ContextOverflowException;
import dev.ocellus.vlm.cache.ImageCache;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.chat.PromptOptions;
import dev.ocellus.vlm.decode.KvSequence;
import dev.ocellus.vlm.decode.PromptCache;
import dev.ocellus.vlm.prompt.Prompt;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Answers conversations with the likeliest tokens, or repeats a given answer, and gives out the
 * logits before every token: for comparing models and for measuring their activations.
 *
 * <p>For one thread at a time.
 */
public final class ScoredConversation implements AutoCloseable {
  /** Takes logits. */
  @FunctionalInterface
  public interface Listener {
    /**
     * @param index place of the token in the answer
     * @param token what follows
     * @param logits from which it follows, one for each token of the vocabulary; valid during this
     *     call only
     */
    void token(int index, int token, float[] logits);
  }

  private static final int[] NO_DRAFT = {};

  private final Pipeline pipeline;
  private final KvSequence sequence;
  private final PromptDecoder decoder;

  /**
   * @param observer told of all products of the text model; null for nobody
   */
  public ScoredConversation(Pipeline pipeline, @Nullable MatMulObserver observer) {
    this.pipeline = pipeline;
    this.sequence = pipeline.decoder().newSequence(pipeline.options().contextOptions(), observer);
    // nothing is kept: whoever observes wants to see the encoder
    this.decoder = new PromptDecoder(pipeline, sequence, new ImageCache(0, null, 0, () -> ""));
  }

  /**
   * Answers with the likeliest tokens.
   *
   * @param maxTokens most tokens of the answer
   * @return the tokens, with the one that ended the answer
   * @throws ContextOverflowException if the conversation does not fit the context
   */
  public int[] answer(
      List<Message> messages, int maxTokens, Listener listener, CancellationFlag flag) {
    fill(messages, flag);
    PromptCache cache = decoder.cache();
    int[] tokens = new int[Math.min(maxTokens, sequence.nCtx() + 1)]; // the context ends it, too
    for (int i = 0; i < tokens.length; i++) {
      float[] logits = sequence.logits(0);
      tokens[i] = likeliest(logits);
      listener.token(i, tokens[i], logits);
      if (pipeline.endsAnswer(tokens[i]) || cache.used() >= sequence.nCtx()) {
        return Arrays.copyOf(tokens, i + 1);
      }
      if (i + 1 < tokens.length) {
        cache.append(tokens[i], NO_DRAFT, flag);
      }
    }
    return tokens;
  }

  /**
   * Repeats an answer.
   *
   * @throws ContextOverflowException if the conversation with the answer does not fit the context
   */
  public void repeat(
      List<Message> messages, int[] answer, Listener listener, CancellationFlag flag) {
    fill(messages, flag);
    for (int i = 0; i < answer.length; i++) {
      listener.token(i, answer[i], sequence.logits(0));
      if (i + 1 < answer.length) {
        decoder.cache().append(answer[i], NO_DRAFT, flag);
      }
    }
  }

  private void fill(List<Message> messages, CancellationFlag flag) {
    Prompt prompt = pipeline.prompts().prompt(messages, PromptOptions.defaults());
    decoder.decode(messages, prompt, AnswerListener.NONE, flag);
  }

  /** The token with the largest logit; the first of several. */
  public static int likeliest(float[] logits) {
    int best = 0;
    for (int i = 1; i < logits.length; i++) {
      if (logits[i] > logits[best]) {
        best = i;
      }
    }
    return best;
  }

  @Override
  public void close() {
    sequence.close();
  }
}
