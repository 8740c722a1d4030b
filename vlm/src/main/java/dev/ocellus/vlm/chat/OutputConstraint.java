package dev.ocellus.vlm.chat;

import java.util.List;

/** What an answer must keep to. */
public sealed interface OutputConstraint {
  /** Nothing. */
  OutputConstraint NONE = new None();

  /** Nothing. */
  record None() implements OutputConstraint {}

  /**
   * A grammar in llama.cpp's notation GBNF.
   *
   * @param gbnf its text
   * @param trigger when it begins to bind; {@link Trigger#ALWAYS} from the first token on
   */
  record Gbnf(String gbnf, Trigger trigger) implements OutputConstraint {
    /** A grammar for the whole answer. */
    public Gbnf(String gbnf) {
      this(gbnf, Trigger.ALWAYS);
    }
  }

  /** JSON that a schema allows. */
  record JsonSchema(String schema) implements OutputConstraint {}

  /**
   * What makes a grammar begin to bind: it then has to match from the trigger on, which is a part
   * of what it matches. Without any of these it binds from the first token on.
   *
   * @param words texts
   * @param patterns regular expressions, found anywhere in the answer so far. The grammar matches
   *     from the first group that matched something, else from the whole match
   * @param tokens texts of control tokens
   */
  record Trigger(List<String> words, List<String> patterns, List<String> tokens) {
    /** No trigger: from the first token on. */
    public static final Trigger ALWAYS = new Trigger(List.of(), List.of(), List.of());

    public Trigger {
      words = List.copyOf(words);
      patterns = List.copyOf(patterns);
      tokens = List.copyOf(tokens);
    }

    public boolean isLazy() {
      return !words.isEmpty() || !patterns.isEmpty() || !tokens.isEmpty();
    }
  }
}
