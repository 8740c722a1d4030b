package dev.ocellus.vlm.grammar;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The rules of a grammar without useless symbols: without alternatives from which no finite text
 * follows, and without rules that nothing mentions any more (Hopcroft and Ullman, Introduction to
 * Automata Theory, section 4.4). What is left matches the same texts.
 */
public final class UsefulRules {
  private final Map<String, GrammarExpr> rules;
  private final Set<String> productive = new HashSet<>();

  /**
   * @param rules by name, which mention only each other
   */
  public UsefulRules(Map<String, GrammarExpr> rules) {
    this.rules = new LinkedHashMap<>(rules);
    Map<String, List<String>> users = new HashMap<>();
    rules.forEach((name, rule) ->
        GrammarExpr.references(rule)
            .forEach(r -> users.computeIfAbsent(r.rule(), k -> new ArrayList<>()).add(name)));
    Deque<String> todo = new ArrayDeque<>(rules.keySet());
    for (String name = todo.poll(); name != null; name = todo.poll()) {
      if (!productive.contains(name) && isProductive(rule(name))) {
        productive.add(name);
        todo.addAll(users.getOrDefault(name, List.of()));
      }
    }
  }

  private GrammarExpr rule(String name) {
    GrammarExpr rule = rules.get(name);
    if (rule == null) {
      throw new GrammarException("there is no rule '" + name + "'");
    }
    return rule;
  }

  /** Whether an expression matches any finite text. */
  public boolean isProductive(GrammarExpr expr) {
    return switch (expr) {
      case GrammarExpr.Chars(CharSet set) -> !set.isEmpty();
      case GrammarExpr.Token token -> true;
      case GrammarExpr.Tokens tokens -> !tokens.ids().isEmpty();
      case GrammarExpr.Sequence(List<GrammarExpr> items) ->
          items.stream().allMatch(this::isProductive);
      case GrammarExpr.Choice(List<GrammarExpr> options) ->
          options.stream().anyMatch(this::isProductive);
      case GrammarExpr.Repeat(GrammarExpr body, int min, int max) -> min == 0 || isProductive(body);
      case GrammarExpr.Reference reference -> productive.contains(reference.rule());
    };
  }

  /** An expression that matches some text, without what matches none. */
  public GrammarExpr pruned(GrammarExpr expr) {
    return switch (expr) {
      case GrammarExpr.Sequence(List<GrammarExpr> items) ->
          new GrammarExpr.Sequence(items.stream().map(this::pruned).toList());
      case GrammarExpr.Choice(List<GrammarExpr> options) ->
          GrammarExpr.choice(
              options.stream().filter(this::isProductive).map(this::pruned).toList());
      case GrammarExpr.Repeat(GrammarExpr body, int min, int max) ->
          isProductive(body)
              ? new GrammarExpr.Repeat(pruned(body), min, max)
              : GrammarExpr.EMPTY; // not even once, which min then allows
      default -> expr;
    };
  }

  /** The rules that a pruned expression needs. */
  public Map<String, GrammarExpr> neededBy(GrammarExpr pruned) {
    Map<String, GrammarExpr> needed = new LinkedHashMap<>();
    Deque<GrammarExpr> todo = new ArrayDeque<>(List.of(pruned));
    for (GrammarExpr next = todo.poll(); next != null; next = todo.poll()) {
      for (GrammarExpr.Reference reference : GrammarExpr.references(next)) {
        if (!needed.containsKey(reference.rule())) {
          GrammarExpr rule = pruned(rule(reference.rule()));
          needed.put(reference.rule(), rule);
          todo.add(rule);
        }
      }
    }
    return needed;
  }

  /**
   * Why an expression matches no finite text.
   *
   * @return a choice of nothing or an empty set inside of it, or a reference to a rule that cannot
   *     do without itself
   */
  public GrammarExpr obstacle(GrammarExpr unproductive) {
    Set<String> path = new HashSet<>();
    GrammarExpr now = unproductive;
    while (true) {
      switch (now) {
        case GrammarExpr.Sequence(List<GrammarExpr> items) -> now = firstUnproductive(items);
        case GrammarExpr.Choice(List<GrammarExpr> options) when !options.isEmpty() ->
            now = options.getFirst();
        case GrammarExpr.Repeat repeat -> now = repeat.body();
        case GrammarExpr.Reference reference when path.add(reference.rule()) ->
            now = rule(reference.rule());
        default -> {
          return now;
        }
      }
    }
  }

  private GrammarExpr firstUnproductive(List<GrammarExpr> items) {
    return items.stream().filter(item -> !isProductive(item)).findFirst().orElseThrow();
  }
}
