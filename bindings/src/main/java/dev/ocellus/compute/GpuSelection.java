package dev.ocellus.compute;

/**
 * Which of the machine's GPUs this process uses, where several processes share a machine and each
 * is given one. Without a selection all are used.
 */
public final class GpuSelection {
  private static final int ALL = -1;

  private static volatile int selected = ALL;

  private GpuSelection() {}

  /**
   * Uses only one GPU from now on; to be called before the first model is loaded.
   *
   * @param index its place among the GPUs that ggml lists, from 0
   * @throws IllegalStateException if another one was selected before
   */
  public static synchronized void only(int index) {
    if (index < 0) {
      throw new IllegalArgumentException("GPU: expected 0 or more, found " + index);
    }
    if (selected != ALL && selected != index) {
      throw new IllegalStateException(
          "this process uses GPU %d already and cannot use GPU %d as well; give each process one"
              .formatted(selected, index));
    }
    selected = index;
  }

  /** The one that was selected; -1 for all. */
  public static int selected() {
    return selected;
  }

  /** For tests: uses all again. */
  static void clear() {
    selected = ALL;
  }
}
