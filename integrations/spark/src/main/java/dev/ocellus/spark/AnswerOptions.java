package dev.ocellus.spark;

import java.io.Serializable;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What is asked about each image, and how the answer is generated.
 *
 * @param prompt the question; null where a column has it
 * @param system system message; null for none
 * @param jsonSchema what answers are: JSON that it allows, which becomes a struct; null for text
 * @param maxTokens most tokens of an answer; -1 for as many as the context holds
 * @param temperature 0 for the likeliest tokens, or as the model's checkpoint asks for
 * @param topK how many of the likeliest tokens are drawn from; 0 for all
 * @param topP share of probability that is drawn from; 1 for all
 * @param seed from which the seed of each row is made, with the row's path or bytes
 * @param stop texts at which an answer ends
 */
public record AnswerOptions(
    @Nullable String prompt,
    @Nullable String system,
    @Nullable String jsonSchema,
    int maxTokens,
    float temperature,
    int topK,
    float topP,
    long seed,
    List<String> stop)
    implements Serializable {
  private static final int MAX_TOKENS = 512;

  public AnswerOptions {
    if (maxTokens < -1 || maxTokens == 0) {
      throw new IllegalArgumentException(
          "maxTokens: expected -1 (no limit) or more than 0, found " + maxTokens);
    }
    if (!(temperature >= 0) || !(topP > 0 && topP <= 1) || topK < 0) {
      throw new IllegalArgumentException(
          "sampling: expected a temperature of 0 or more, topP above 0 and at most 1, and topK of 0 or more, found %s, %s and %d"
              .formatted(temperature, topP, topK));
    }
    stop = List.copyOf(stop);
  }

  /** The likeliest answer, of at most 512 tokens. */
  public static AnswerOptions of(String prompt) {
    return defaults().withPrompt(prompt);
  }

  /** The likeliest answers, of at most 512 tokens, to the prompts of a column. */
  public static AnswerOptions defaults() {
    return new AnswerOptions(null, null, null, MAX_TOKENS, 0, 0, 1, 0, List.of());
  }

  public AnswerOptions withPrompt(@Nullable String value) {
    return new AnswerOptions(
        value, system, jsonSchema, maxTokens, temperature, topK, topP, seed, stop);
  }

  public AnswerOptions withSystem(@Nullable String value) {
    return new AnswerOptions(
        prompt, value, jsonSchema, maxTokens, temperature, topK, topP, seed, stop);
  }

  /** Answers in JSON that a schema allows, as {@code GenerationOptions.withJsonSchema} takes it. */
  public AnswerOptions withJsonSchema(@Nullable String value) {
    return new AnswerOptions(prompt, system, value, maxTokens, temperature, topK, topP, seed, stop);
  }

  public AnswerOptions withMaxTokens(int value) {
    return new AnswerOptions(
        prompt, system, jsonSchema, value, temperature, topK, topP, seed, stop);
  }

  public AnswerOptions withTemperature(float value) {
    return new AnswerOptions(prompt, system, jsonSchema, maxTokens, value, topK, topP, seed, stop);
  }

  public AnswerOptions withTopK(int value) {
    return new AnswerOptions(
        prompt, system, jsonSchema, maxTokens, temperature, value, topP, seed, stop);
  }

  public AnswerOptions withTopP(float value) {
    return new AnswerOptions(
        prompt, system, jsonSchema, maxTokens, temperature, topK, value, seed, stop);
  }

  public AnswerOptions withSeed(long value) {
    return new AnswerOptions(
        prompt, system, jsonSchema, maxTokens, temperature, topK, topP, value, stop);
  }

  public AnswerOptions withStop(List<String> value) {
    return new AnswerOptions(
        prompt, system, jsonSchema, maxTokens, temperature, topK, topP, seed, value);
  }
}
