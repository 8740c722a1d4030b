package dev.ocellus.search;

/** Told how work on an index goes on, on the thread that does it. */
@FunctionalInterface
public interface ProgressListener {
  /** Never stops it. */
  ProgressListener NONE = (done, total) -> true;

  /**
   * Something was done.
   *
   * @param done images that are done
   * @param total all of them; -1 while the folder is looked through
   * @return whether to go on; what is done is kept otherwise
   */
  boolean goOn(int done, int total);
}
