package dev.ocellus.spark;

/** Answers a request about images. Called by several threads at once. */
interface RowWorker {
  /**
   * The fields of the result.
   *
   * @throws Exception one that {@link RowFailure} knows if this image has none, else any
   */
  Object[] answer(ImageFile image, Seen seen) throws Exception;
}
