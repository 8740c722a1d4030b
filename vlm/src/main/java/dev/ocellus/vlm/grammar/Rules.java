package dev.ocellus.vlm.grammar;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/**
 * The rules of a grammar, checked: all that are mentioned exist, none begins with itself, and each
 * can come to an end.
 */
final class Rules {
  /** More bytes than any text has: what cannot end. */
  static final long NEVER = Long.MAX_VALUE / 4;

  private final Map<String, GrammarExpr> rules;
  private final String root;
  private final Map<String, Boolean> nullable = new HashMap<>();
  private final Map<String, Long> bytes = new HashMap<>();

  /** Makes the error of a reference: from the reference and what is wrong with it. */
  private final BiFunction<GrammarExpr.Reference, String, GrammarException> error;

  private Rules(
      Map<String, GrammarExpr> rules,
      String root,
      BiFunction<GrammarExpr.Reference, String, GrammarException> error) {
    this.rules = rules;
    this.root = root;
    this.error = error;
  }

  /**
   * @param root the rule that a whole text must match
   * @throws GrammarException if the rules are no usable grammar
   */
  static Rules check(
      Map<String, GrammarExpr> rules,
      String root,
      BiFunction<GrammarExpr.Reference, String, GrammarException> error) {
    Rules checked = new Rules(new LinkedHashMap<>(rules), root, error);
    if (!rules.containsKey(root)) {
      throw new GrammarException(
          "expected a rule named '%s', which the text must match; found %s"
              .formatted(root, rules.keySet().stream().limit(10).toList()));
    }
    Map<String, Set<String>> users = checked.users();
    checked.solve(
        users,
        (name, rule) -> {
          boolean now = checked.nullable(rule);
          return now && !Boolean.TRUE.equals(checked.nullable.put(name, true));
        });
    checked.requireNoLeftRecursion();
    checked.solve(
        users,
        (name, rule) -> {
          long now = checked.bytes(rule);
          Long before = checked.bytes.put(name, now);
          return now < (before == null ? NEVER : before);
        });
    checked.requireEnds();
    return checked;
  }

  Map<String, GrammarExpr> all() {
    return rules;
  }

  String root() {
    return root;
  }

  /** Rules by those that they mention; refuses what does not exist. */
  private Map<String, Set<String>> users() {
    Map<String, Set<String>> users = new HashMap<>();
    rules.forEach((name, rule) -> {
      for (GrammarExpr.Reference reference : GrammarExpr.references(rule)) {
        if (!rules.containsKey(reference.rule())) {
          throw error.apply(reference, "there is no rule '" + reference.rule() + "'");
        }
        users.computeIfAbsent(reference.rule(), k -> new LinkedHashSet<>()).add(name);
      }
    });
    return users;
  }

  private interface Update {
    /** Computes a rule anew; whether that changed it. */
    boolean run(String name, GrammarExpr rule);
  }

  /** Computes until nothing changes. */
  private void solve(Map<String, Set<String>> users, Update update) {
    Set<String> todo = new LinkedHashSet<>(rules.keySet());
    while (!todo.isEmpty()) {
      String name = todo.iterator().next();
      todo.remove(name);
      GrammarExpr rule = rules.get(name);
      if (rule != null && update.run(name, rule)) {
        todo.addAll(users.getOrDefault(name, Set.of()));
      }
    }
  }

  /** Whether an expression matches the empty text. */
  boolean nullable(GrammarExpr expr) {
    return switch (expr) {
      case GrammarExpr.Chars chars -> false;
      case GrammarExpr.Token token -> false;
      case GrammarExpr.Tokens tokens -> false;
      case GrammarExpr.Sequence(List<GrammarExpr> items) -> items.stream().allMatch(this::nullable);
      case GrammarExpr.Choice(List<GrammarExpr> options) ->
          options.stream().anyMatch(this::nullable);
      case GrammarExpr.Repeat repeat -> repeat.min() == 0 || nullable(repeat.body());
      case GrammarExpr.Reference reference -> nullable.getOrDefault(reference.rule(), false);
    };
  }

  /**
   * The fewest bytes that an expression matches, at most {@link #NEVER}. A token counts as one
   * byte.
   */
  long bytes(GrammarExpr expr) {
    return switch (expr) {
      case GrammarExpr.Chars(CharSet set) -> set.isEmpty() ? NEVER : set.shortestBytes();
      case GrammarExpr.Token token -> 1;
      case GrammarExpr.Tokens(BitSet ids) -> ids.isEmpty() ? NEVER : 1;
      case GrammarExpr.Sequence(List<GrammarExpr> items) ->
          items.stream().mapToLong(this::bytes).reduce(0, Rules::add);
      case GrammarExpr.Choice(List<GrammarExpr> options) ->
          options.stream().mapToLong(this::bytes).min().orElse(NEVER);
      case GrammarExpr.Repeat(GrammarExpr body, int min, int max) ->
          min == 0 ? 0 : times(bytes(body), min);
      case GrammarExpr.Reference reference -> bytes.getOrDefault(reference.rule(), NEVER);
    };
  }

  static long add(long a, long b) {
    return Math.min(NEVER, a + b);
  }

  static long times(long bytes, long count) {
    return count == 0 ? 0 : bytes > NEVER / count ? NEVER : bytes * count;
  }

  private void requireEnds() {
    for (String name : rules.keySet()) {
      if (neverEnds(name)) {
        String cause = causeOf(name);
        throw error.apply(
            new GrammarExpr.Reference(cause, -1),
            "the rule '" + cause + "' can never end: no text matches it");
      }
    }
  }

  private boolean neverEnds(String name) {
    return bytes.getOrDefault(name, NEVER) >= NEVER;
  }

  /** Follows what never ends to the rule that comes back to itself. */
  private String causeOf(String name) {
    Set<String> path = new LinkedHashSet<>();
    String now = name;
    while (path.add(now)) {
      now =
          GrammarExpr.references(rules.getOrDefault(now, GrammarExpr.EMPTY)).stream()
              .map(GrammarExpr.Reference::rule)
              .filter(this::neverEnds)
              .findFirst()
              .orElse(now);
    }
    return now;
  }

  /** Removes rules that begin with no other, then those that begin with removed ones only. */
  private void requireNoLeftRecursion() {
    Map<String, List<GrammarExpr.Reference>> starts = new LinkedHashMap<>();
    Map<String, List<String>> startedBy = new HashMap<>();
    Map<String, Integer> open = new HashMap<>();
    Deque<String> free = new ArrayDeque<>();
    rules.forEach((name, rule) -> {
      List<GrammarExpr.Reference> first = new ArrayList<>();
      addStarts(rule, first);
      starts.put(name, first);
      first.forEach(r -> startedBy.computeIfAbsent(r.rule(), k -> new ArrayList<>()).add(name));
      open.put(name, first.size());
      if (first.isEmpty()) {
        free.add(name);
      }
    });
    for (String name = free.poll(); name != null; name = free.poll()) {
      starts.remove(name);
      for (String user : startedBy.getOrDefault(name, List.of())) {
        if (open.merge(user, -1, Integer::sum) == 0) {
          free.add(user);
        }
      }
    }
    if (!starts.isEmpty()) {
      throw leftRecursion(starts);
    }
  }

  /** Every rule that is left begins with one that is left; so following them leads in a circle. */
  private GrammarException leftRecursion(Map<String, List<GrammarExpr.Reference>> starts) {
    List<String> path = new ArrayList<>();
    @Nullable String name = starts.keySet().iterator().next();
    GrammarExpr.Reference closing = new GrammarExpr.Reference(String.valueOf(name), -1);
    while (name != null && !path.contains(name)) {
      path.add(name);
      for (GrammarExpr.Reference reference : starts.getOrDefault(name, List.of())) {
        if (starts.containsKey(reference.rule())) {
          closing = reference;
        }
      }
      name = closing.rule();
    }
    List<String> circle = path.subList(path.indexOf(closing.rule()), path.size());
    return error.apply(
        closing,
        "left recursion: '%s' begins with itself (%s -> %s); put something in front of it, or use '*'"
            .formatted(closing.rule(), String.join(" -> ", circle), closing.rule()));
  }

  /** Adds the rules that an expression may begin with. */
  private void addStarts(GrammarExpr expr, List<GrammarExpr.Reference> to) {
    switch (expr) {
      case GrammarExpr.Chars chars -> {}
      case GrammarExpr.Token token -> {}
      case GrammarExpr.Tokens tokens -> {}
      case GrammarExpr.Reference reference -> to.add(reference);
      case GrammarExpr.Repeat repeat -> {
        if (repeat.max() > 0) {
          addStarts(repeat.body(), to);
        }
      }
      case GrammarExpr.Choice(List<GrammarExpr> options) ->
          options.forEach(option -> addStarts(option, to));
      case GrammarExpr.Sequence(List<GrammarExpr> items) -> {
        for (GrammarExpr item : items) {
          addStarts(item, to);
          if (!nullable(item)) {
            return;
          }
        }
      }
    }
  }
}
