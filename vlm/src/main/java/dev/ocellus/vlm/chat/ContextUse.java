package dev.ocellus.vlm.chat;

import java.util.List;

/**
 * What stands in the context that the sessions of a model share ({@link
 * dev.ocellus.vlm.options.SessionOptions#parallel}).
 *
 * @param sequences each of those that answer; none before the first session, or where every session
 *     has a context of its own
 * @param keptPrefixes beginnings of conversations that are kept for whoever begins so again
 * @param keptTokens tokens of them, image embeddings included; those that several have in common
 *     count for each
 */
public record ContextUse(List<Sequence> sequences, int keptPrefixes, int keptTokens) {
  /** Nothing is shared. */
  public static final ContextUse NONE = new ContextUse(List.of(), 0, 0);

  public ContextUse {
    sequences = List.copyOf(sequences);
  }

  /**
   * A sequence.
   *
   * @param answering whether an answer is being generated in it
   * @param tokens tokens that stand in it, image embeddings included
   * @param promptTokens tokens of its last prompt
   * @param cachedTokens those of them that did not have to be computed
   */
  public record Sequence(boolean answering, int tokens, int promptTokens, int cachedTokens) {}
}
