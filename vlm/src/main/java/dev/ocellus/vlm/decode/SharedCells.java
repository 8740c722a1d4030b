package dev.ocellus.vlm.decode;

import dev.ocellus.llama.LlamaContext;
import java.util.function.Supplier;

/** The cells of a context's keys and values, each of which may belong to several sequences. */
interface SharedCells {
  /**
   * Lets a sequence that holds nothing hold what another one has before a position.
   *
   * @param to holds nothing
   */
  void share(int from, int to, int position);

  /**
   * Forgets everything of a sequence from a position on.
   *
   * @return false if the model's memory cannot forget a part, and then nothing is forgotten
   */
  boolean removeFrom(int sequence, int position);

  /** Whether all is still there that a token at a position of a sequence attends to. */
  boolean hasPositionsBefore(int sequence, int position);

  /** Does several of these while nobody else uses the cells, so that it waits for them once. */
  <T> T together(Supplier<T> work);

  /** Those of libllama. */
  static SharedCells of(LlamaContext context) {
    return new SharedCells() {
      @Override
      public void share(int from, int to, int position) {
        context.share(from, to, position);
      }

      @Override
      public boolean removeFrom(int sequence, int position) {
        return context.removeFrom(sequence, position);
      }

      @Override
      public boolean hasPositionsBefore(int sequence, int position) {
        return context.hasPositionsBefore(sequence, position);
      }

      @Override
      public <T> T together(Supplier<T> work) {
        return context.together(work);
      }
    };
  }
}
