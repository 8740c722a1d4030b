package dev.ocellus.eval;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.quantize.measure.Divergence;
import dev.ocellus.quantize.measure.TextComparison;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.generate.Pipeline;
import dev.ocellus.vlm.generate.ScoredConversation;
import dev.ocellus.vlm.json.Conversations;
import dev.ocellus.vlm.options.LoadOptions;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Compares the answers of two models: the reference answers with its likeliest tokens, and the
 * other is asked how likely it finds each of them.
 */
public final class ChatComparison {
  /**
   * @param divergence of the other from the reference, over all tokens of the answers
   * @param sameAnswers conversations in which the other would have answered the same
   * @param count conversations
   */
  public record Result(Divergence.Result divergence, int sameAnswers, int count) {}

  private ChatComparison() {}

  /**
   * Compares on conversations, whose images each model encodes with its own encoder.
   *
   * @param maxTokens most tokens of an answer
   * @throws dev.ocellus.quantize.measure.VocabularyMismatchException if their tokens differ
   * @throws dev.ocellus.compute.ComputationCancelledException if the flag was set
   */
  public static Result compare(
      LoadOptions reference,
      LoadOptions other,
      Conversations conversations,
      int maxTokens,
      EvalListener listener,
      CancellationFlag flag)
      throws IOException {
    listener.report("loading", -1);
    try (Pipeline first = Pipeline.open(reference);
        Pipeline second = Pipeline.open(other)) {
      TextComparison.requireSameVocabulary(
          first.decoder().vocab(),
          first.options().model(),
          second.decoder().vocab(),
          second.options().model());
      try (var answering = new ScoredConversation(first, null);
          var judging = new ScoredConversation(second, null)) {
        var divergence = new Divergence();
        int same = 0;
        int n = conversations.size();
        for (int i = 0; i < n; i++) {
          listener.report("conversation %d of %d".formatted(i + 1, n), (double) i / n);
          same +=
              compare(answering, judging, conversations.get(i), maxTokens, divergence, flag)
                  ? 1
                  : 0;
        }
        return new Result(divergence.result(), same, n);
      }
    }
  }

  /** Whether the other's likeliest tokens are those of the answer. */
  private static boolean compare(
      ScoredConversation answering,
      ScoredConversation judging,
      List<Message> messages,
      int maxTokens,
      Divergence divergence,
      CancellationFlag flag) {
    List<float[]> expected = new ArrayList<>();
    int[] answer =
        answering.answer(
            messages, maxTokens, (index, token, logits) -> expected.add(logits.clone()), flag);
    boolean[] differs = new boolean[1];
    judging.repeat(
        messages,
        answer,
        (index, token, logits) -> {
          divergence.add(expected.get(index), logits, token);
          differs[0] |= ScoredConversation.likeliest(logits) != token;
        },
        flag);
    return !differs[0];
  }
}
