package dev.ocellus.spark;

import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;

/** A row that a model works on. Run by one thread, given up by another. */
final class RowJob implements Callable<RowOutcome> {
  private static final double NANOS_PER_MILLI = 1e6;

  private final @Nullable Object image;
  private final @Nullable String prompt;
  private final boolean hasPrompt;
  private final ImageFiles files;
  private final RowWorker worker;
  private volatile boolean givenUp;

  /**
   * @param image path, bytes, or null
   * @param hasPrompt whether each row has a prompt, so that null is a failure
   */
  RowJob(
      @Nullable Object image,
      @Nullable String prompt,
      boolean hasPrompt,
      ImageFiles files,
      RowWorker worker) {
    this.image = image;
    this.prompt = prompt;
    this.hasPrompt = hasPrompt;
    this.files = files;
    this.worker = worker;
  }

  /** Nobody waits for it any more. */
  void giveUp() {
    givenUp = true;
  }

  @Override
  public RowOutcome call() throws Exception {
    long begun = System.nanoTime();
    Seen seen = new Seen(() -> !givenUp);
    try {
      seen.requireWanted();
      Object[] values = worker.answer(read(), seen);
      return new RowOutcome(values, seen, millisSince(begun), null);
    } catch (Exception e) {
      RowFailure failure = RowFailure.of(e);
      if (failure == null) {
        throw e;
      }
      return new RowOutcome(null, seen, millisSince(begun), failure);
    }
  }

  private ImageFile read() throws Exception {
    if (image == null || (hasPrompt && prompt == null)) {
      throw new RowFailure.Thrown(
          ErrorCode.NO_INPUT,
          image == null ? "the row has no image" : "the row has no prompt",
          null);
    }
    if (image instanceof String uri) {
      return new ImageFile(files.read(uri), uri, prompt, true, files.limits());
    }
    return new ImageFile((byte[]) image, "the row's image", prompt, false, files.limits());
  }

  private static double millisSince(long begun) {
    return (System.nanoTime() - begun) / NANOS_PER_MILLI;
  }
}
