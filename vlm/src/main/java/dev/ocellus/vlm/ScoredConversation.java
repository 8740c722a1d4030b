package dev.ocellus.vlm;

import dev.ocellus.ggml.CancellationFlag;
import dev.ocellus.ggml.ProductObserver;
import dev.ocellus.llama.ContextOverflowException;
import dev.ocellus.llama.LlamaContext;
import dev.ocellus.llama.Vocab;
import dev.ocellus.vlm.image.RgbImage;
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

  private final VisionLanguageModel model;
  private final LlamaContext context;
  private final Vocab vocab;
  private final ContextFiller filler;
  private final ImageEncoding images;
  private final float[] logits;

  /**
   * @param observer told of all products of the text model; null for nobody
   */
  public ScoredConversation(VisionLanguageModel model, @Nullable ProductObserver observer) {
    this.model = model;
    this.context = model.textModel().newContext(model.options().contextOptions(), true, observer);
    this.vocab = model.textModel().vocab();
    this.filler =
        new ContextFiller(
            context, model.encoder().map(e -> e.architecture().rowsSeeEachOther()).orElse(false));
    this.images =
        new ImageEncoding(model.encoder().orElse(null), vocab, model.options().imageTokens());
    this.logits = new float[vocab.nTokens()];
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
    int[] tokens = new int[maxTokens];
    for (int i = 0; i < maxTokens; i++) {
      context.logits(filler.lastOutput(), logits);
      tokens[i] = likeliest();
      listener.token(i, tokens[i], logits);
      if (vocab.isEndOfGeneration(tokens[i]) || filler.used() >= context.nCtx()) {
        return Arrays.copyOf(tokens, i + 1);
      }
      if (i + 1 < maxTokens) {
        filler.append(tokens[i], flag);
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
      context.logits(filler.lastOutput(), logits);
      listener.token(i, answer[i], logits);
      if (i + 1 < answer.length) {
        filler.append(answer[i], flag);
      }
    }
  }

  private void fill(List<Message> messages, CancellationFlag flag) {
    Prompt prompt = model.prompt(messages);
    List<RgbImage> pictures = messages.stream().flatMap(m -> m.images().stream()).toList();
    images.startTiming();
    int n = images.countTokens(prompt, pictures);
    if (n == 0) {
      throw new IllegalArgumentException("An empty prompt cannot be answered");
    }
    if (n >= context.nCtx()) {
      throw new ContextOverflowException(
          "The conversation has %d tokens, and the context holds %d with room for an answer. Use a larger context (-c)."
              .formatted(n, context.nCtx()));
    }
    int rows = filler.rowsSeeEachOther() ? images.longestRows() : 0;
    if (rows > context.nUbatch()) {
      throw new ContextOverflowException(
          "A picture has %d rows that this model must see at once, and the context computes %d at once. Use a micro-batch (-ub) and a batch (-b) of at least %d."
              .formatted(rows, context.nUbatch(), rows));
    }
    filler.fill(images.resolve(prompt, pictures, filler, flag), flag, AnswerListener.NONE);
  }

  private int likeliest() {
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
    context.close();
    filler.close();
  }
}
