package dev.ocellus.vlm.tool.grammar;

import dev.ocellus.vlm.grammar.CharSet;
import dev.ocellus.vlm.grammar.GrammarExpr;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Rules for text that is free but for markers: what follows a marker is said for each. One rule for
 * each beginning of a marker that the text may end with, as in the automaton of Aho and Corasick
 * (doi:10.1145/360825.360855), so that there is only one way to read it.
 */
final class FreeText {
  /** What the text is where it ends with no beginning of a marker. */
  private static final String NOWHERE = "";

  private final Map<String, GrammarExpr> rules;
  private final ControlTokens controlTokens;
  private final String name;
  private final Map<String, GrammarExpr> exits = new LinkedHashMap<>();
  private final Set<String> forbidden = new LinkedHashSet<>();
  private final Set<String> beginnings = new LinkedHashSet<>();
  private boolean mayEnd = true;

  /**
   * @param rules where rules are added
   * @param controlTokens those that may come; they count for markers as the text that they show
   * @param name beginning of the rules' names
   */
  FreeText(Map<String, GrammarExpr> rules, ControlTokens controlTokens, String name) {
    this.rules = rules;
    this.controlTokens = controlTokens;
    this.name = name;
    beginnings.add(NOWHERE);
  }

  /** What follows a marker; such an expression says how the text goes on, if it does. */
  FreeText on(String marker, GrammarExpr then) {
    exits.put(marker, then);
    addBeginnings(marker);
    return this;
  }

  /** A marker that may not come. */
  FreeText without(String marker) {
    forbidden.add(marker);
    addBeginnings(marker);
    return this;
  }

  /** The text does not end but with a marker. */
  FreeText toMarkerOnly() {
    mayEnd = false;
    return this;
  }

  private void addBeginnings(String marker) {
    for (int end = 0; end < marker.length(); end++) {
      if (end == 0 || !Character.isHighSurrogate(marker.charAt(end - 1))) {
        beginnings.add(marker.substring(0, end));
      }
    }
  }

  /** Where the text begins; {@link #rules()} has to add the rules. */
  GrammarExpr start() {
    return reference(NOWHERE);
  }

  private GrammarExpr reference(String beginning) {
    return GrammarExpr.ref(name + " after " + beginning);
  }

  /** Adds the rules. */
  GrammarExpr rules() {
    for (String beginning : beginnings) {
      List<GrammarExpr> options = options(beginning, CharSet.NONE);
      if (mayEnd) {
        options.add(GrammarExpr.EMPTY);
      }
      rules.put(name + " after " + beginning, new GrammarExpr.Choice(options));
    }
    return start();
  }

  /** How the text may begin with other characters than some. */
  GrammarExpr startingWithout(CharSet characters) {
    return new GrammarExpr.Choice(options(NOWHERE, characters));
  }

  /** How a text goes on that ends with the beginning of a marker. */
  private List<GrammarExpr> options(String beginning, CharSet excluded) {
    Map<String, CharSet> byTarget = new TreeMap<>();
    List<GrammarExpr> options = new ArrayList<>();
    CharSet others = excluded.complement();
    for (int c : characters()) {
      CharSet set = CharSet.of(c, c);
      others = others.minus(set);
      String text = beginning + Character.toString(c);
      String marker = markerAtEnd(text);
      if (excluded.contains(c) || forbidden.contains(marker)) {
        continue;
      }
      GrammarExpr then = exits.get(marker);
      if (then != null) {
        options.add(GrammarExpr.sequence(new GrammarExpr.Chars(set), then));
      } else {
        byTarget.merge(longestBeginning(text), set, CharSet::union);
      }
    }
    byTarget.merge(NOWHERE, others, CharSet::union);
    byTarget.forEach((target, set) ->
        options.add(GrammarExpr.sequence(new GrammarExpr.Chars(set), reference(target))));
    addTokens(beginning, options);
    return options;
  }

  private void addTokens(String beginning, List<GrammarExpr> to) {
    Map<String, BitSet> byTarget = new TreeMap<>();
    byTarget.put(beginning, (BitSet) controlTokens.silent().clone()); // adds no text
    controlTokens
        .shown()
        .forEach((id, shown) -> {
          String text = beginning + shown;
          String marker = markerAtEnd(text);
          GrammarExpr then = exits.get(marker);
          if (then != null) {
            to.add(GrammarExpr.sequence(new GrammarExpr.Token(id, false), then));
          } else if (!forbidden.contains(marker)) {
            byTarget.computeIfAbsent(longestBeginning(text), k -> new BitSet()).set(id);
          }
        });
    byTarget.forEach((target, ids) -> {
      if (!ids.isEmpty()) {
        to.add(GrammarExpr.sequence(new GrammarExpr.Tokens(ids), reference(target)));
      }
    });
  }

  private Set<Integer> characters() {
    Set<Integer> characters = new LinkedHashSet<>();
    exits.keySet().forEach(m -> m.codePoints().forEach(characters::add));
    forbidden.forEach(m -> m.codePoints().forEach(characters::add));
    return characters;
  }

  /** The marker that a text ends with; the empty text if there is none. */
  private String markerAtEnd(String text) {
    for (int from = 0; from < text.length(); from++) {
      String end = text.substring(from);
      if (exits.containsKey(end) || forbidden.contains(end)) {
        return end;
      }
    }
    return "";
  }

  private String longestBeginning(String text) {
    for (int from = 0; from < text.length(); from++) {
      if (beginnings.contains(text.substring(from))) {
        return text.substring(from);
      }
    }
    return NOWHERE;
  }

  /** Text without a marker and without control tokens. */
  static GrammarExpr without(Map<String, GrammarExpr> rules, String marker) {
    String name = "free of " + marker;
    var text = new FreeText(rules, ControlTokens.NONE, name).without(marker);
    return rules.containsKey(name + " after ") ? text.start() : text.rules();
  }
}
