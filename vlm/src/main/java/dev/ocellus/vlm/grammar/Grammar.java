package dev.ocellus.vlm.grammar;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.Function;

/**
 * A grammar that a text must match as a whole. Immutable; usable for many texts and by many
 * threads.
 */
public final class Grammar {
  /** The rule that a text must match, unless another is named. */
  public static final String ROOT = "root";

  private final Program program;

  private Grammar(Program program) {
    this.program = program;
  }

  /**
   * Reads GBNF, llama.cpp's notation, without tokens by name.
   *
   * @throws GrammarException if it is not valid, with line and column: undefined rules, rules that
   *     begin with themselves, and rules that no text can match are refused too
   */
  public static Grammar parse(String gbnf) {
    return parse(gbnf, ROOT, text -> OptionalInt.empty());
  }

  /**
   * Reads GBNF, llama.cpp's notation.
   *
   * @param root the rule that a text must match
   * @param tokens from the text of a token, such as {@code <think>}, to its number, if there is one
   * @throws GrammarException as {@link #parse(String)}
   */
  public static Grammar parse(String gbnf, String root, Function<String, OptionalInt> tokens) {
    Map<String, GbnfParser.Rule> parsed = GbnfParser.parse(gbnf, tokens);
    Map<String, GrammarExpr> rules = new LinkedHashMap<>();
    parsed.forEach((name, rule) -> rules.put(name, rule.body()));
    return of(
        Rules.check(
            rules,
            root,
            (reference, message) -> {
              GbnfParser.Rule rule = parsed.get(reference.rule());
              int position =
                  reference.position() >= 0 || rule == null
                      ? reference.position()
                      : rule.position();
              return GbnfParser.error(gbnf, Math.max(0, position), message);
            }));
  }

  /**
   * A grammar of expressions, as a compiler of another notation makes them.
   *
   * @param rules by name; {@link #ROOT} is the one that a text must match
   * @throws GrammarException as {@link #parse(String)}, without line and column
   */
  public static Grammar of(Map<String, GrammarExpr> rules) {
    return of(Rules.check(rules, ROOT, (reference, message) -> new GrammarException(message)));
  }

  private static Grammar of(Rules rules) {
    return new Grammar(Program.of(rules));
  }

  Program program() {
    return program;
  }

  /** Reads a text piece by piece, without a vocabulary. */
  public GrammarMatcher matcher() {
    return new GrammarMatcher(program);
  }

  /** Whether a whole text matches. */
  public boolean matches(String text) {
    GrammarMatcher matcher = matcher();
    return matcher.accept(text) && matcher.isComplete();
  }
}
