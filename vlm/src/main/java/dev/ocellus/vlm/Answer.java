package dev.ocellus.vlm;

/**
 * What a model answered.
 *
 * @param text the answer
 * @param tokens its tokens, without the one that ended it
 * @param stopReason why it ended
 * @param prompt the rendered prompt
 * @param promptTokens tokens of the prompt; -1 stands at every row of a picture
 * @param usage token counts
 * @param timings where the time went
 */
public record Answer(
    String text,
    int[] tokens,
    StopReason stopReason,
    String prompt,
    int[] promptTokens,
    Usage usage,
    Timings timings) {

  /** The same, with the number of messages that were dropped for it. */
  Answer withEvictedMessages(int n) {
    return n == 0
        ? this
        : new Answer(
            text, tokens, stopReason, prompt, promptTokens, usage.withEvictedMessages(n), timings);
  }
}
