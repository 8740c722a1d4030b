package dev.ocellus.vlm;

import dev.ocellus.ggml.CancellationFlag;
import dev.ocellus.ggml.MatMulObserver;
import dev.ocellus.llama.ContextOverflowException;
import dev.ocellus.llama.Vocab;
import dev.ocellus.vlm.cache.ImageCache;
import dev.ocellus.vlm.image.Visual;
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

  private static final int[] NO_GUESSES = {};

  private final VisionLanguageModel model;
  private final Lane lane;
  private final Vocab vocab;
  private final ContextFiller filler;
  private final ImageEncoding images;

  /**
   * @param observer told of all products of the text model; null for nobody
   */
  public ScoredConversation(VisionLanguageModel model, @Nullable MatMulObserver observer) {
    this.model = model;
    this.lane =
        new OwnLane(model.textModel().newContext(model.options().contextOptions(), true, observer));
    this.vocab = model.textModel().vocab();
    this.filler =
        new ContextFiller(
            lane,
            model.textModel().nPositions(),
            model.encoder().map(e -> e.architecture().rowsSeeEachOther()).orElse(false));
    this.images =
        new ImageEncoding(
            model.encoder().orElse(null),
            new ImageCache(0, null, 0, () -> ""), // whoever observes wants to see the encoder
            vocab,
            model.options().vision().images());
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
      float[] logits = lane.logits(0);
      tokens[i] = likeliest(logits);
      listener.token(i, tokens[i], logits);
      if (vocab.isEndOfGeneration(tokens[i]) || filler.used() >= lane.nCtx()) {
        return Arrays.copyOf(tokens, i + 1);
      }
      if (i + 1 < maxTokens) {
        filler.append(tokens[i], NO_GUESSES, flag);
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
      listener.token(i, answer[i], lane.logits(0));
      if (i + 1 < answer.length) {
        filler.append(answer[i], NO_GUESSES, flag);
      }
    }
  }

  private void fill(List<Message> messages, CancellationFlag flag) {
    Prompt prompt = model.prompt(messages);
    List<Visual> pictures = messages.stream().flatMap(m -> m.visuals().stream()).toList();
    images.start();
    ImageEncoding.Count count = images.count(prompt, pictures, filler);
    int n = count.total();
    if (n == 0) {
      throw new IllegalArgumentException("An empty prompt cannot be answered");
    }
    if (n >= lane.nCtx()) {
      throw new ContextOverflowException(
          "The conversation has %d tokens, and the context holds %d with room for an answer. Use a larger context (-c)."
              .formatted(n, lane.nCtx()));
    }
    int rows = filler.rowsSeeEachOther() ? count.longestRows() : 0;
    if (rows > lane.nUbatch()) {
      throw new ContextOverflowException(
          "A picture has %d rows that this model must see at once, and the context computes %d at once. Use a micro-batch (-ub) and a batch (-b) of at least %d."
              .formatted(rows, lane.nUbatch(), rows));
    }
    filler.fill(images.resolve(prompt, pictures, flag), flag, AnswerListener.NONE);
  }

  private static int likeliest(float[] logits) {
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
    lane.close();
  }
}
