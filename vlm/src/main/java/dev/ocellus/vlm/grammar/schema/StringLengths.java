package dev.ocellus.vlm.grammar.schema;

import dev.ocellus.vlm.grammar.GrammarExpr;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** How many characters the strings of a pattern have. */
final class StringLengths {
  private StringLengths() {}

  /** Whether the lengths of an expression's strings reach into bounds; false is certain. */
  static boolean overlap(GrammarExpr expr, int lower, int upper) {
    return min(expr) <= upper && max(expr) >= lower;
  }

  /**
   * The strings of an expression with a length between bounds. Null where that would take more than
   * to count single characters: where several parts vary in length, or one that is not a repeated
   * character.
   */
  static @Nullable GrammarExpr limit(GrammarExpr expr, int lower, int upper) {
    if (min(expr) >= lower && max(expr) <= upper) {
      return expr;
    }
    if (expr instanceof GrammarExpr.Repeat(GrammarExpr.Chars body, int from, int to)) {
      int low = Math.max(from, lower);
      int high = Math.min(to, upper);
      return low > high ? null : new GrammarExpr.Repeat(body, low, high);
    }
    if (!(expr instanceof GrammarExpr.Sequence(List<GrammarExpr> items))) {
      return null;
    }
    int varying = -1;
    int fixed = 0;
    for (int i = 0; i < items.size(); i++) {
      long min = min(items.get(i));
      if (min == max(items.get(i))) {
        fixed = (int) Math.min(GrammarExpr.UNLIMITED, fixed + min);
      } else if (varying >= 0) {
        return null;
      } else {
        varying = i;
      }
    }
    if (varying < 0 || fixed > upper) {
      return null;
    }
    int high = upper == GrammarExpr.UNLIMITED ? upper : upper - fixed;
    GrammarExpr part = limit(items.get(varying), Math.max(0, lower - fixed), high);
    List<GrammarExpr> limited = new ArrayList<>(items);
    if (part != null) {
      limited.set(varying, part);
    }
    return part == null ? null : new GrammarExpr.Sequence(limited);
  }

  private static long min(GrammarExpr expr) {
    return Math.min(
        GrammarExpr.UNLIMITED,
        switch (expr) {
          case GrammarExpr.Chars chars -> 1;
          case GrammarExpr.Sequence(List<GrammarExpr> items) ->
              items.stream().mapToLong(StringLengths::min).sum();
          case GrammarExpr.Choice(List<GrammarExpr> options) ->
              options.stream().mapToLong(StringLengths::min).min().orElse(0);
          case GrammarExpr.Repeat(GrammarExpr body, int from, int to) -> min(body) * from;
          case GrammarExpr.Token token -> 0;
          case GrammarExpr.Tokens tokens -> 0;
          case GrammarExpr.Reference reference -> 0;
        });
  }

  private static long max(GrammarExpr expr) {
    return Math.min(
        GrammarExpr.UNLIMITED,
        switch (expr) {
          case GrammarExpr.Chars chars -> 1;
          case GrammarExpr.Sequence(List<GrammarExpr> items) ->
              items.stream().mapToLong(StringLengths::max).sum();
          case GrammarExpr.Choice(List<GrammarExpr> options) ->
              options.stream().mapToLong(StringLengths::max).max().orElse(0);
          case GrammarExpr.Repeat(GrammarExpr body, int from, int to) -> max(body) * to;
          case GrammarExpr.Token token -> 0;
          case GrammarExpr.Tokens tokens -> 0;
          case GrammarExpr.Reference reference -> GrammarExpr.UNLIMITED;
        });
  }
}
