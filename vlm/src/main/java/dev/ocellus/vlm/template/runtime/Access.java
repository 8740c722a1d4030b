package dev.ocellus.vlm.template.runtime;

import dev.ocellus.vlm.template.text.TextBuilder;
import dev.ocellus.vlm.template.text.TracedText;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Attributes, items and slices, in the order in which the reference's sandbox tries them. */
public final class Access {
  private Access() {}

  /** {@code owner.name}: the type's own attributes first, then items. */
  public static Object attribute(Evaluation in, Object owner, TracedText name) {
    Object own = ownAttribute(in, owner, name.text());
    if (own != null) {
      return own;
    }
    if (owner instanceof Dict d) {
      Object value = d.get(name);
      if (value != null) {
        return value;
      }
    }
    return Undefined.attribute(owner, name.text());
  }

  /** {@code owner[index]}: items first, then, for a string, the type's own attributes. */
  public static Object item(Evaluation in, Object owner, Object index) {
    in.countText(owner);
    Object value = itemOrNull(owner, index);
    if (value == null && index instanceof TracedText name) {
      value = ownAttribute(in, owner, name.text());
    }
    return value == null ? Undefined.element(owner, index) : value;
  }

  private static @Nullable Object itemOrNull(Object owner, Object index) {
    if (owner instanceof Undefined u) {
      throw u.fail();
    }
    if (owner instanceof Dict d) {
      try {
        return d.get(index);
      } catch (EvaluationError unhashable) {
        return null;
      }
    }
    if (!(index instanceof Long || index instanceof Boolean)) {
      return null;
    }
    long i = PythonNumbers.toLong(index, "index");
    if (owner instanceof Sequence s) {
      int at = resolve(i, s.size());
      return at < 0 ? null : s.get(at);
    }
    if (owner instanceof TracedText t) {
      int at = resolve(i, t.codePoints());
      if (at < 0) {
        return null;
      }
      int from = TextOps.offset(t, at);
      return t.slice(from, t.text().offsetByCodePoints(from, 1));
    }
    if (owner instanceof Range r) {
      int at = resolve(i, r.size());
      return at < 0 ? null : (Object) r.get(at);
    }
    return null;
  }

  private static int resolve(long i, int size) {
    long at = i < 0 ? i + size : i;
    return at >= 0 && at < size ? (int) at : -1;
  }

  private static @Nullable Object ownAttribute(Evaluation in, Object owner, String name) {
    if (owner instanceof Undefined u) {
      throw u.fail();
    }
    if (name.startsWith("__")) {
      return name.equals("__class__") ? Undefined.unsafe(owner, name) : null;
    }
    if (owner instanceof Namespace ns) {
      return ns.attributes().get(TracedText.trusted(name));
    }
    if (owner instanceof Callable callable) {
      return callable.attribute(name);
    }
    if (owner instanceof Sequence s
        && s.isGroup()
        && (name.equals("grouper") || name.equals("list"))) {
      return s.get(name.equals("grouper") ? 0 : 1);
    }
    if (owner instanceof Cycler c && name.equals("current")) {
      return c.current();
    }
    if (PythonNumbers.isNumber(owner)) {
      Object part = numberAttribute(owner, name);
      if (part != null) {
        return part;
      }
    }
    if (in.builtins().barsMethod(owner, name)) {
      return Undefined.unsafe(owner, name);
    }
    return in.builtins().hasMethod(owner, name) ? new BoundMethod(owner, name) : null;
  }

  private static @Nullable Object numberAttribute(Object number, String name) {
    boolean integer = PythonNumbers.isInt(number);
    return switch (name) {
      case "real" -> integer ? PythonNumbers.narrow(PythonNumbers.big(number)) : number;
      case "imag" -> integer ? (Object) 0L : (Object) 0.0;
      case "numerator" -> integer ? PythonNumbers.narrow(PythonNumbers.big(number)) : null;
      case "denominator" -> integer ? 1L : null;
      default -> null;
    };
  }

  /** {@code owner[start:stop:step]}; absent bounds are null. */
  public static Object slice(
      Evaluation in,
      Object owner,
      @Nullable Object start,
      @Nullable Object stop,
      @Nullable Object step) {
    if (owner instanceof Undefined u) {
      throw u.fail();
    }
    long by = bound(step, 1);
    if (owner instanceof Sequence s) {
      int[] at = indices(in, s.size(), start, stop, by);
      List<Object> items = new ArrayList<>(at.length);
      for (int i : at) {
        items.add(s.get(i));
      }
      return s.isTuple() ? Sequence.tuple(items) : Sequence.list(items);
    }
    if (owner instanceof TracedText t) {
      return sliceText(in, t, start, stop, by);
    }
    if (owner instanceof Range r) {
      int size = r.size();
      long from = clamp(start, size, by, by < 0 ? size - 1 : 0);
      long to = clamp(stop, size, by, by < 0 ? -1 : size);
      return new Range(r.start() + from * r.step(), r.start() + to * r.step(), r.step() * by);
    }
    if (owner instanceof Dict) {
      throw new EvaluationError("KeyError", "a dict cannot be sliced");
    }
    throw EvaluationError.type("'" + Values.typeName(owner) + "' object is not subscriptable");
  }

  private static TracedText sliceText(
      Evaluation in, TracedText t, @Nullable Object start, @Nullable Object stop, long by) {
    int size = t.codePoints();
    if (by == 1) {
      int from = (int) clamp(start, size, by, 0);
      int to = (int) clamp(stop, size, by, size);
      in.charge(Math.max(0, to - from));
      return from >= to ? t.slice(0, 0) : t.slice(TextOps.offset(t, from), TextOps.offset(t, to));
    }
    int[] at = indices(in, size, start, stop, by);
    boolean narrow = size == t.length();
    int[] offsets = narrow ? new int[0] : TextOps.offsets(t);
    TextBuilder out = in.text();
    for (int i : at) {
      int from = narrow ? i : offsets[i];
      out.append(t, from, narrow ? i + 1 : offsets[i + 1]);
    }
    return in.built(out).asMarkup(t.isMarkup());
  }

  private static int[] indices(
      Evaluation in, int size, @Nullable Object start, @Nullable Object stop, long by) {
    long from = clamp(start, size, by, by < 0 ? size - 1 : 0);
    long to = clamp(stop, size, by, by < 0 ? -1 : size);
    long span = by < 0 ? from - to : to - from;
    // A step beyond the size takes one item; limiting it keeps the arithmetic within range.
    long stride = Math.min(by == Long.MIN_VALUE ? Long.MAX_VALUE : Math.abs(by), size + 1L);
    int count = span <= 0 ? 0 : (int) ((span + stride - 1) / stride);
    in.chargeItems(count);
    int[] out = new int[count];
    for (int i = 0; i < count; i++) {
      out[i] = (int) (from + (by < 0 ? -i : i) * stride);
    }
    return out;
  }

  private static long bound(@Nullable Object o, long absent) {
    if (o == null || o == None.NONE) {
      return absent;
    }
    if (!PythonNumbers.isInt(o)) {
      if (o instanceof Undefined u) {
        throw u.fail();
      }
      throw EvaluationError.type(
          "slice indices must be integers or None or have an __index__ method");
    }
    long value = PythonNumbers.toLong(o, "slice index");
    if (absent == 1 && value == 0) {
      throw EvaluationError.value("slice step cannot be zero");
    }
    return value;
  }

  private static long clamp(@Nullable Object o, int size, long by, long absent) {
    if (o == null || o == None.NONE) {
      return absent;
    }
    long at = bound(o, -2);
    if (at < 0) {
      at = at < -size ? (by < 0 ? -1 : 0) : at + size;
    }
    return at >= size ? (by < 0 ? size - 1 : size) : at;
  }
}
