package dev.ocellus.vlm.chat;

/**
 * Where the time of an answer went.
 *
 * @param preprocess resizing and normalizing images
 * @param encode image encoder and projector
 * @param prefill computing the prompt
 * @param decode computing the answer, sampling included
 */
public record Timings(Stage preprocess, Stage encode, Stage prefill, Stage decode) {
  /**
   * One stage.
   *
   * @param millis wall-clock time
   * @param tokens tokens that went through it; 0 if nothing had to be computed
   */
  public record Stage(double millis, int tokens) {
    /** Tokens per second; 0 where there is nothing to divide. */
    public double tokensPerSecond() {
      return millis > 0 ? 1000 * tokens / millis : 0;
    }
  }
}
