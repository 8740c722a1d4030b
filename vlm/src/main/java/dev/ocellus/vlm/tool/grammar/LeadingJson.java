package dev.ocellus.vlm.tool.grammar;

import dev.ocellus.vlm.grammar.CharSet;
import dev.ocellus.vlm.grammar.GrammarExpr;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Answers that may begin with a call without a marker, as Llama 3 writes it: a JSON object that
 * tells the name or the type of a call first. Any other text is free, also other JSON.
 */
final class LeadingJson {
  private static final CharSet WHITE = CharSet.ofChars(" \t\r\n");
  private static final GrammarExpr SPACE =
      new GrammarExpr.Repeat(new GrammarExpr.Chars(WHITE), 0, GrammarExpr.UNLIMITED);

  /** Stands for white space in {@link #BEGINNINGS}. */
  private static final char GAP = '_';

  private static final List<String> BEGINNINGS =
      List.of("{_\"name\"_:_\"", "{_\"type\"_:_\"function\"");

  private final Map<String, GrammarExpr> rules;
  private final FreeText text;

  private LeadingJson(Map<String, GrammarExpr> rules, FreeText text) {
    this.rules = rules;
    this.text = text;
  }

  /**
   * @param text the text that follows, of which the rules are there
   * @param call a call from the brace on; null if none may come
   */
  static GrammarExpr of(Map<String, GrammarExpr> rules, FreeText text, @Nullable GrammarExpr call) {
    List<GrammarExpr> options = new ArrayList<>();
    options.add(new LeadingJson(rules, text).other(BEGINNINGS));
    if (call != null) {
      options.add(call);
    }
    return GrammarExpr.sequence(SPACE, GrammarExpr.choice(options));
  }

  /** Text that goes on otherwise than any beginning, or ends before. */
  private GrammarExpr other(List<String> beginnings) {
    boolean gap = beginnings.stream().anyMatch(b -> b.charAt(0) == GAP);
    Map<Character, List<String>> byFirst = new LinkedHashMap<>();
    CharSet expected = gap ? WHITE : CharSet.NONE;
    for (String beginning : beginnings) {
      String rest = gap && beginning.charAt(0) == GAP ? beginning.substring(1) : beginning;
      char first = rest.charAt(0);
      expected = expected.union(CharSet.of(first, first));
      byFirst.computeIfAbsent(first, k -> new ArrayList<>()).add(rest.substring(1));
    }
    List<GrammarExpr> options = new ArrayList<>();
    options.add(GrammarExpr.EMPTY);
    options.add(text.startingWithout(expected));
    byFirst.forEach((first, rests) -> {
      if (rests.stream().noneMatch(String::isEmpty)) {
        options.add(
            GrammarExpr.sequence(new GrammarExpr.Chars(CharSet.of(first, first)), other(rests)));
      }
    });
    String name = "no call " + rules.size();
    rules.put(name, new GrammarExpr.Choice(options));
    return gap ? GrammarExpr.sequence(SPACE, GrammarExpr.ref(name)) : GrammarExpr.ref(name);
  }
}
