package dev.ocellus.spark;

import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;

/** What is known of a row while it is worked on, also if it fails in the end. */
final class Seen {
  private final BooleanSupplier wanted;
  private int width;
  private int height;
  private int promptTokens;
  private int completionTokens;
  private int cacheHits;

  Seen(BooleanSupplier wanted) {
    this.wanted = wanted;
  }

  /** Stops what nobody waits for any more. */
  void requireWanted() {
    if (!wanted.getAsBoolean()) {
      throw new CancellationException("the task was ended");
    }
  }

  void size(int w, int h) {
    width = w;
    height = h;
  }

  void tokens(int prompt, int completion, int cached) {
    promptTokens += prompt;
    completionTokens += completion;
    cacheHits += cached;
  }

  int width() {
    return width;
  }

  int height() {
    return height;
  }

  int promptTokens() {
    return promptTokens;
  }

  int completionTokens() {
    return completionTokens;
  }

  /** Images that needed no encoding, as the same pixels were encoded before. */
  int cacheHits() {
    return cacheHits;
  }
}
