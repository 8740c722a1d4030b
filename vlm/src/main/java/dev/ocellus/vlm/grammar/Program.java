package dev.ocellus.vlm.grammar;

import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A grammar as nodes. Each node does one thing and names the node that comes next; node {@link
 * #RETURN} ends a rule. Immutable.
 */
final class Program {
  /** The node at which a rule, or the body of a repetition, has been matched. */
  static final int RETURN = 0;

  private static final int MAX_NODES = 4_000_000;

  /** Repeating what may be empty leaves as many ways to read it as there are repetitions. */
  private static final int MAX_EMPTY_REPEATS = 1000;

  /** What a node does. */
  sealed interface Step {
    /** Whether it matches a token that stands for itself. */
    default boolean matches(int token) {
      return false;
    }

    /** Ends a rule. */
    record Return() implements Step {}

    /** Matches a character. */
    record Match(CharSet set) implements Step {}

    /** Matches a token. */
    record MatchToken(int id, boolean negated) implements Step {
      @Override
      public boolean matches(int token) {
        return (token == id) != negated;
      }
    }

    /** Matches one token of several. */
    record MatchTokens(BitSet ids) implements Step {
      @Override
      public boolean matches(int token) {
        return ids.get(token);
      }
    }

    /** Enters a rule. */
    record Call(int rule) implements Step {}

    /** Goes to one of several nodes. */
    record Choose(int[] options) implements Step {}

    /** Enters a body some times; {@code bytes} is the least that it matches. */
    record Loop(int body, int min, int max, long bytes) implements Step {}
  }

  private Step[] steps = new Step[64];
  private int[] next = new int[64];
  private long[] cost = new long[64];
  private int size;

  private final Rules rules;
  private final Map<String, Integer> numbers = new HashMap<>();
  private final int[] starts;

  private Program(Rules rules) {
    this.rules = rules;
    rules.all().keySet().forEach(name -> numbers.put(name, numbers.size()));
    this.starts = new int[numbers.size()];
    add(new Step.Return(), RETURN, 0);
    rules.all().forEach((name, rule) -> starts[number(name)] = compile(rule, RETURN));
  }

  static Program of(Rules rules) {
    return new Program(rules);
  }

  private int number(String rule) {
    return numbers.getOrDefault(rule, 0);
  }

  /** Where a text begins. */
  int start() {
    return starts[number(rules.root())];
  }

  int start(int rule) {
    return starts[rule];
  }

  Step step(int node) {
    return steps[node];
  }

  int next(int node) {
    return next[node];
  }

  /** The fewest bytes from a node to the end of its rule. */
  long cost(int node) {
    return cost[node];
  }

  /** The fewest bytes to the end of the rule after {@code count} rounds of a loop. */
  long cost(int node, int count) {
    return steps[node] instanceof Step.Loop loop
        ? Rules.add(Rules.times(loop.bytes, Math.max(0, loop.min - count)), cost[next[node]])
        : cost[node];
  }

  private int add(Step step, int following, long bytes) {
    if (size == steps.length) {
      if (size >= MAX_NODES) {
        throw new GrammarException("too large: it has more than " + MAX_NODES + " parts");
      }
      steps = Arrays.copyOf(steps, 2 * size);
      next = Arrays.copyOf(next, 2 * size);
      cost = Arrays.copyOf(cost, 2 * size);
    }
    steps[size] = step;
    next[size] = following;
    cost[size] = bytes;
    return size++;
  }

  /** Makes the nodes of an expression that goes on at a node; gives the first of them. */
  private int compile(GrammarExpr expr, int following) {
    long rest = cost[following];
    return switch (expr) {
      case GrammarExpr.Chars(CharSet set) ->
          add(new Step.Match(set), following, Rules.add(set.shortestBytes(), rest));
      case GrammarExpr.Token(int id, boolean negated) ->
          add(new Step.MatchToken(id, negated), following, Rules.add(1, rest));
      case GrammarExpr.Tokens(BitSet ids) ->
          add(new Step.MatchTokens(ids), following, Rules.add(rules.bytes(expr), rest));
      case GrammarExpr.Reference reference ->
          add(
              new Step.Call(number(reference.rule())),
              following,
              Rules.add(rules.bytes(reference), rest));
      case GrammarExpr.Sequence(List<GrammarExpr> items) -> {
        int first = following;
        for (GrammarExpr item : items.reversed()) {
          first = compile(item, first);
        }
        yield first;
      }
      case GrammarExpr.Choice(List<GrammarExpr> options) -> {
        int[] starts = options.stream().mapToInt(option -> compile(option, following)).toArray();
        yield choose(starts, following);
      }
      case GrammarExpr.Repeat repeat -> compileRepeat(repeat, following);
    };
  }

  private int choose(int[] options, int following) {
    long min = Arrays.stream(options).mapToLong(this::cost).min().orElse(Rules.NEVER);
    return add(new Step.Choose(options), following, min);
  }

  private int compileRepeat(GrammarExpr.Repeat repeat, int following) {
    if (repeat.max() == 0) {
      return following;
    }
    if (repeat.min() == 1 && repeat.max() == 1) {
      return compile(repeat.body(), following);
    }
    if (repeat.min() == 0 && repeat.max() == 1) {
      return choose(new int[] {compile(repeat.body(), following), following}, following);
    }
    boolean mayBeEmpty = rules.nullable(repeat.body());
    if (mayBeEmpty && repeat.max() != GrammarExpr.UNLIMITED && repeat.max() > MAX_EMPTY_REPEATS) {
      throw new GrammarException(
          "something that may be empty is repeated up to %d times; expected at most %d times"
              .formatted(repeat.max(), MAX_EMPTY_REPEATS));
    }
    int min = mayBeEmpty ? 0 : repeat.min();
    long bytes = rules.bytes(repeat.body());
    int body = compile(repeat.body(), RETURN);
    int loop = add(new Step.Loop(body, min, repeat.max(), bytes), following, 0);
    cost[loop] = cost(loop, 0);
    return loop;
  }
}
