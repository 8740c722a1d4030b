package dev.ocellus.vlm.chat;

/**
 * Tokens of an answer.
 *
 * @param promptTokens tokens of the prompt, images included
 * @param imageTokens those of them that are images
 * @param cachedTokens those of them that were in the context already and were not computed again
 * @param completionTokens tokens of the answer
 * @param reasoningTokens those of them that are reasoning, with the markers around it
 * @param images where the images came from
 * @param drafts what speculative decoding gained
 * @param evictedMessages messages that were dropped because the context was full
 */
public record Usage(
    int promptTokens,
    int imageTokens,
    int cachedTokens,
    int completionTokens,
    int reasoningTokens,
    ImageUse images,
    DraftUse drafts,
    int evictedMessages) {

  /** Without reasoning, images, draft tokens and evictions. */
  public Usage(int promptTokens, int imageTokens, int cachedTokens, int completionTokens) {
    this(
        promptTokens,
        imageTokens,
        cachedTokens,
        completionTokens,
        0,
        ImageUse.NONE,
        DraftUse.NONE,
        0);
  }

  Usage withEvictedMessages(int n) {
    return new Usage(
        promptTokens,
        imageTokens,
        cachedTokens,
        completionTokens,
        reasoningTokens,
        images,
        drafts,
        n);
  }

  public int totalTokens() {
    return promptTokens + completionTokens;
  }
}
