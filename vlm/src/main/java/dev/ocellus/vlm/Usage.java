package dev.ocellus.vlm;

/**
 * Tokens of an answer.
 *
 * @param promptTokens tokens of the prompt, pictures included
 * @param imageTokens those of them that are pictures
 * @param cachedTokens those of them that were in the context already and were not computed again
 * @param completionTokens tokens of the answer
 */
public record Usage(int promptTokens, int imageTokens, int cachedTokens, int completionTokens) {
  public int totalTokens() {
    return promptTokens + completionTokens;
  }
}
