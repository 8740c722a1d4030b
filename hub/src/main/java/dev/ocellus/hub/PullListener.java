package dev.ocellus.hub;

/** Hears how a pull goes on. Calls come one after the other, from threads of the pull. */
@FunctionalInterface
public interface PullListener {
  /** Hears nothing. */
  PullListener NONE = (file, done, total) -> true;

  /**
   * Some of a file is there.
   *
   * @param file its name in the repository
   * @param done bytes so far, those of an earlier pull included
   * @param total bytes of the file
   * @return false to stop; what was fetched is kept for the next pull
   */
  boolean progress(String file, long done, long total);

  /** Something that a user should know: that the hub did not answer, that a part came again. */
  default void note(String text) {}
}
