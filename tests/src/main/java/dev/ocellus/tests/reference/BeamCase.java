package dev.ocellus.tests.reference;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.StopReason;
import dev.ocellus.vlm.sampling.BeamOptions;
import dev.ocellus.vlm.sampling.BeamOptions.EarlyStopping;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A beam search of the reference.
 *
 * @param end the token that ended answers; -1 for the model's
 * @param tokens what it found, with the token that ended it
 */
record BeamCase(BeamOptions beams, int maxTokens, int end, int[] tokens) {
  static List<BeamCase> all(JsonNode searches) {
    List<BeamCase> cases = new ArrayList<>();
    for (JsonNode search : searches) {
      int[] tokens =
          IntStream.range(0, search.get("tokens").size())
              .map(i -> search.get("tokens").get(i).asInt())
              .toArray();
      cases.add(
          new BeamCase(
              beams(search),
              search.get("max_new_tokens").asInt(),
              search.path("end").asInt(-1),
              tokens));
    }
    return cases;
  }

  private static BeamOptions beams(JsonNode search) {
    EarlyStopping stopping =
        switch (search.path("early_stopping").asText("false")) {
          case "true" -> EarlyStopping.YES;
          case "never" -> EarlyStopping.NEVER;
          default -> EarlyStopping.NO;
        };
    return BeamOptions.of(search.get("num_beams").asInt())
        .withLengthPenalty(search.path("length_penalty").asDouble(1))
        .withEarlyStopping(stopping)
        .withRepetitionPenalty((float) search.path("repetition_penalty").asDouble(1))
        .withNoRepeatNgramSize(search.path("no_repeat_ngram_size").asInt(0))
        .withMinNewTokens(search.path("min_new_tokens").asInt(0))
        .withForcedTokens(
            search.path("forced_bos_token_id").asInt(BeamOptions.NONE),
            search.path("forced_eos_token_id").asInt(BeamOptions.NONE));
  }

  GenerationOptions options() {
    return GenerationOptions.greedy().withMaxTokens(maxTokens).withBeams(beams);
  }

  /** The tokens as an answer has them: without the one that ended it. */
  int[] tokensOf(Answer answer) {
    boolean ended = answer.stopReason() == StopReason.END;
    return ended ? Arrays.copyOf(tokens, tokens.length - 1) : tokens;
  }
}
