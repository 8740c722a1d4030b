package dev.ocellus.vlm.sampling.grammar;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** How many characters the strings of a pattern have. */
final class StringLengths {
  private StringLengths() {}

  /**
   * The strings of an expression with a length between bounds. Null where that would take more than
   * to count single characters: where several parts vary in length, or one that is not a repeated
   * character.
   */
  static @Nullable Expr limit(Expr expr, int least, int most) {
    if (min(expr) >= least && max(expr) <= most) {
      return expr;
    }
    if (expr instanceof Expr.Repeat(Expr.Chars body, int from, int to)) {
      int low = Math.max(from, least);
      int high = Math.min(to, most);
      return low > high ? null : new Expr.Repeat(body, low, high);
    }
    if (!(expr instanceof Expr.Sequence(List<Expr> items))) {
      return null;
    }
    int varying = -1;
    int fixed = 0;
    for (int i = 0; i < items.size(); i++) {
      long min = min(items.get(i));
      if (min == max(items.get(i))) {
        fixed = (int) Math.min(Expr.UNLIMITED, fixed + min);
      } else if (varying >= 0) {
        return null;
      } else {
        varying = i;
      }
    }
    if (varying < 0 || fixed > most) {
      return null;
    }
    int high = most == Expr.UNLIMITED ? most : most - fixed;
    Expr part = limit(items.get(varying), Math.max(0, least - fixed), high);
    List<Expr> limited = new ArrayList<>(items);
    if (part != null) {
      limited.set(varying, part);
    }
    return part == null ? null : new Expr.Sequence(limited);
  }

  private static long min(Expr expr) {
    return Math.min(
        Expr.UNLIMITED,
        switch (expr) {
          case Expr.Chars chars -> 1;
          case Expr.Sequence(List<Expr> items) ->
              items.stream().mapToLong(StringLengths::min).sum();
          case Expr.Choice(List<Expr> options) ->
              options.stream().mapToLong(StringLengths::min).min().orElse(0);
          case Expr.Repeat(Expr body, int from, int to) -> min(body) * from;
          case Expr.Token token -> 0;
          case Expr.Tokens tokens -> 0;
          case Expr.Reference reference -> 0;
        });
  }

  private static long max(Expr expr) {
    return Math.min(
        Expr.UNLIMITED,
        switch (expr) {
          case Expr.Chars chars -> 1;
          case Expr.Sequence(List<Expr> items) ->
              items.stream().mapToLong(StringLengths::max).sum();
          case Expr.Choice(List<Expr> options) ->
              options.stream().mapToLong(StringLengths::max).max().orElse(0);
          case Expr.Repeat(Expr body, int from, int to) -> max(body) * to;
          case Expr.Token token -> 0;
          case Expr.Tokens tokens -> 0;
          case Expr.Reference reference -> Expr.UNLIMITED;
        });
  }
}
