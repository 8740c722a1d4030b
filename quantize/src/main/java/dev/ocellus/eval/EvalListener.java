package dev.ocellus.eval;

/** Is told what an evaluation is doing. Called on the evaluating thread. */
@FunctionalInterface
public interface EvalListener {
  /** Listens to nothing. */
  EvalListener NONE = (step, share) -> {};

  /**
   * @param step what is being done, in a few words
   * @param share of the whole that is done, from 0 to 1; -1 where that is not known
   */
  void report(String step, double share);
}
