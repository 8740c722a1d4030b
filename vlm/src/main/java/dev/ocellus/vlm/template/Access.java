package dev.ocellus.vlm.template;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Attributes, items and slices, in the order in which the reference's sandbox tries them. */
final class Access {
  private Access() {}

  /** {@code owner.name}: the type's own attributes first, then items. */
  static Object attribute(Object owner, Text name) {
    Object own = ownAttribute(owner, name.text());
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
  static Object item(Evaluation in, Object owner, Object index) {
    in.countText(owner);
    Object value = itemOrNull(owner, index);
    if (value == null && index instanceof Text name) {
      value = ownAttribute(owner, name.text());
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
      } catch (Fail unhashable) {
        return null;
      }
    }
    if (!(index instanceof Long || index instanceof Boolean)) {
      return null;
    }
    long i = Numbers.toLong(index, "index");
    if (owner instanceof Sequence s) {
      int at = resolve(i, s.size());
      return at < 0 ? null : s.get(at);
    }
    if (owner instanceof Text t) {
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

  private static @Nullable Object ownAttribute(Object owner, String name) {
    if (owner instanceof Undefined u) {
      throw u.fail();
    }
    if (name.startsWith("__")) {
      return name.equals("__class__") ? Undefined.unsafe(owner, name) : null;
    }
    if (owner instanceof Namespace ns) {
      return ns.attributes().get(Text.trusted(name));
    }
    if (owner instanceof LoopContext loop) {
      return loop.attribute(name);
    }
    if (owner instanceof Sequence s
        && s.isGroup()
        && (name.equals("grouper") || name.equals("list"))) {
      return s.get(name.equals("grouper") ? 0 : 1);
    }
    if (owner instanceof Cycler c && name.equals("current")) {
      return c.current();
    }
    if (owner instanceof MacroValue m) {
      return m.attribute(name);
    }
    if (Numbers.isNumber(owner)) {
      Object part = numberAttribute(owner, name);
      if (part != null) {
        return part;
      }
    }
    if (Methods.isForbidden(owner, name)) {
      return Undefined.unsafe(owner, name);
    }
    return Methods.exists(owner, name) ? new BoundMethod(owner, name) : null;
  }

  private static @Nullable Object numberAttribute(Object number, String name) {
    boolean integer = Numbers.isInt(number);
    return switch (name) {
      case "real" -> integer ? Numbers.narrow(Numbers.big(number)) : number;
      case "imag" -> integer ? (Object) 0L : (Object) 0.0;
      case "numerator" -> integer ? Numbers.narrow(Numbers.big(number)) : null;
      case "denominator" -> integer ? 1L : null;
      default -> null;
    };
  }

  /** {@code owner[start:stop:step]}; absent bounds are null. */
  static Object slice(
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
    if (owner instanceof Text t) {
      return sliceText(in, t, start, stop, by);
    }
    if (owner instanceof Range r) {
      int size = r.size();
      long from = clamp(start, size, by, by < 0 ? size - 1 : 0);
      long to = clamp(stop, size, by, by < 0 ? -1 : size);
      return new Range(r.start() + from * r.step(), r.start() + to * r.step(), r.step() * by);
    }
    if (owner instanceof Dict) {
      throw new Fail("KeyError", "a dict cannot be sliced");
    }
    throw Fail.type("'" + Values.typeName(owner) + "' object is not subscriptable");
  }

  private static Text sliceText(
      Evaluation in, Text t, @Nullable Object start, @Nullable Object stop, long by) {
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
    if (!Numbers.isInt(o)) {
      if (o instanceof Undefined u) {
        throw u.fail();
      }
      throw Fail.type("slice indices must be integers or None or have an __index__ method");
    }
    long value = Numbers.toLong(o, "slice index");
    if (absent == 1 && value == 0) {
      throw Fail.value("slice step cannot be zero");
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
