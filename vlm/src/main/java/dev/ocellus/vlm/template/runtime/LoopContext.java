package dev.ocellus.vlm.template.runtime;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The {@code loop} of a for loop. Looks one item ahead only when asked to, as the reference does.
 */
public final class LoopContext implements Callable {
  /** Runs the body of a recursive loop over other items. */
  public interface Recursion {
    Object render(Evaluation in, Object items, int depth0);
  }

  private final Evaluation in;
  private final Object iterable;
  private final int depth0;
  private final @Nullable Recursion recursion;
  private Iterator<Object> iterator;
  private int index0 = -1;
  private int length = -1;
  private @Nullable Object before;
  private @Nullable Object current;
  private @Nullable Object after;
  private @Nullable Object lastChanged;

  public LoopContext(
      Evaluation in,
      Object iterable,
      Iterator<Object> iterator,
      int depth0,
      @Nullable Recursion recursion) {
    this.in = in;
    this.iterable = iterable;
    this.iterator = iterator;
    this.depth0 = depth0;
    this.recursion = recursion;
  }

  /** The next item, or null at the end. */
  public @Nullable Object next() {
    Object item = after != null ? after : iterator.hasNext() ? iterator.next() : null;
    after = null;
    if (item != null) {
      index0++;
      before = current;
      current = item;
    }
    return item;
  }

  private @Nullable Object peek() {
    if (after == null && iterator.hasNext()) {
      after = iterator.next();
    }
    return after;
  }

  int length() {
    if (length < 0) {
      if (Values.hasLength(iterable)) {
        length = (int) Values.length(iterable);
      } else {
        List<Object> rest = new ArrayList<>();
        while (iterator.hasNext()) {
          in.chargeItems(1);
          rest.add(iterator.next());
        }
        iterator = rest.iterator();
        length = rest.size() + index0 + 1 + (after == null ? 0 : 1);
      }
    }
    return length;
  }

  @Override
  public @Nullable Object attribute(String name) {
    return switch (name) {
      case "index" -> index0 + 1L;
      case "index0" -> (long) index0;
      case "revindex" -> (long) length() - index0;
      case "revindex0" -> (long) length() - index0 - 1;
      case "first" -> index0 == 0;
      case "last" -> peek() == null;
      case "length" -> (long) length();
      case "depth" -> depth0 + 1L;
      case "depth0" -> (long) depth0;
      case "previtem" ->
          index0 == 0 || before == null ? Undefined.of("there is no previous item") : before;
      case "nextitem" -> {
        Object next = peek();
        yield next == null ? Undefined.of("there is no next item") : next;
      }
      case "cycle", "changed" -> new BoundMethod(this, name);
      default -> null;
    };
  }

  public Object method(String name, Arguments args) {
    if (name.equals("cycle")) {
      if (args.count() == 0) {
        throw EvaluationError.type("no items for cycling given");
      }
      return args.get(index0 % args.count());
    }
    Sequence values = Sequence.tuple(List.copyOf(args.positional()));
    boolean changed = lastChanged == null || !Comparison.equal(in, lastChanged, values);
    lastChanged = values;
    return changed;
  }

  @Override
  public Object call(Evaluation evaluation, Arguments args) {
    if (recursion == null) {
      throw EvaluationError.type(
          "The loop must have the 'recursive' marker to be called recursively.");
    }
    args.expect("loop", 1, 1);
    return recursion.render(evaluation, args.get(0), depth0 + 1);
  }

  @Override
  public String typeName() {
    return "LoopContext";
  }

  @Override
  public String toString() {
    return "<LoopContext " + (index0 + 1) + "/" + length() + ">";
  }
}
