package dev.ocellus.vlm.grammar.schema;

import dev.ocellus.vlm.grammar.GrammarExpr;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Items with commas between them that come in one order, each once or, if it is optional, not at
 * all; behind them any number of others. How many come in all lies between bounds.
 */
final class OrderedItems {
  /** Items times counts: beyond, so many are not told apart. */
  private static final int MAX_STATES = 50_000;

  /** One item. */
  record Item(GrammarExpr expr, boolean required) {}

  private final List<Item> items;
  private final @Nullable GrammarExpr others;
  private final int min;
  private final int max;
  private final GrammarExpr none;
  private final GrammarExpr unpromised;
  private final UnaryOperator<GrammarExpr> rule;

  /** From here on, counts make no difference. */
  private final int enough;

  /**
   * @param others may come behind the items any number of times; those after the first may repeat
   *     it, so that they do not count for {@code min}. Null if none come
   * @param none stands where the bounds cannot be kept
   * @param unpromised stands where they could, but only by more than one of the others
   * @param rule gives an expression a name, so that it can be used more than once
   */
  OrderedItems(
      List<Item> items,
      @Nullable GrammarExpr others,
      int min,
      int max,
      GrammarExpr none,
      GrammarExpr unpromised,
      UnaryOperator<GrammarExpr> rule) {
    this.items = items;
    this.others = others;
    this.min = min;
    this.max = max;
    this.none = none;
    this.unpromised = unpromised;
    this.rule = rule;
    boolean bounded = others == null ? max < items.size() : max != GrammarExpr.UNLIMITED;
    long required = items.stream().filter(Item::required).count();
    this.enough =
        bounded ? max : Math.max(1, min <= required ? 0 : Math.min(min, items.size() + 2));
  }

  /** Whether there are few enough of them. */
  boolean isSmall() {
    return (long) (items.size() + 1) * (Math.min(enough, items.size()) + 1L) <= MAX_STATES;
  }

  /** The items, with commas between them and nothing around. */
  GrammarExpr expr() {
    int counts = Math.min(enough, items.size());
    List<GrammarExpr> after = new ArrayList<>();
    for (int count = 0; count <= counts; count++) {
      GrammarExpr end = end(count);
      after.add(end.equals(GrammarExpr.EMPTY) || end == none ? end : rule.apply(end));
    }
    for (int i = items.size() - 1; i >= 0; i--) {
      List<GrammarExpr> here = new ArrayList<>();
      for (int count = 0; count <= Math.min(i, counts); count++) {
        GrammarExpr taken = null;
        if (count < max) {
          GrammarExpr item = items.get(i).expr();
          taken =
              GrammarExpr.sequence(
                  count == 0 ? item : withComma(item), after.get(Math.min(count + 1, counts)));
        }
        here.add(rule.apply(oneOf(taken, items.get(i).required() ? null : after.get(count))));
      }
      after = here;
    }
    return after.getFirst();
  }

  private GrammarExpr oneOf(@Nullable GrammarExpr taken, @Nullable GrammarExpr skipped) {
    if (taken == null || skipped == null) {
      return taken == null ? skipped == null ? none : skipped : taken;
    }
    return new GrammarExpr.Choice(List.of(taken, skipped));
  }

  /** What follows when all items have been passed, some of which came. */
  private GrammarExpr end(int count) {
    GrammarExpr more = others;
    int missing = Math.max(0, (count == enough ? 0 : min) - count);
    if (more == null || max <= count) {
      return missing > 0 ? none : GrammarExpr.EMPTY;
    }
    if (missing > 1) {
      return unpromised;
    }
    int room = max == GrammarExpr.UNLIMITED ? max : max - count;
    if (count > 0) {
      return new GrammarExpr.Repeat(withComma(more), missing, room);
    }
    int rest = room == GrammarExpr.UNLIMITED ? room : room - 1;
    GrammarExpr some = GrammarExpr.sequence(more, new GrammarExpr.Repeat(withComma(more), 0, rest));
    return missing > 0 ? some : GrammarExpr.optional(some);
  }

  private static GrammarExpr withComma(GrammarExpr item) {
    return GrammarExpr.sequence(GrammarExpr.literal(","), JsonText.SPACE, item);
  }
}
