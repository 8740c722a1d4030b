package dev.ocellus.vlm.template.builtin;

import dev.ocellus.vlm.template.runtime.Arguments;
import dev.ocellus.vlm.template.runtime.Comparison;
import dev.ocellus.vlm.template.runtime.Cycler;
import dev.ocellus.vlm.template.runtime.Dict;
import dev.ocellus.vlm.template.runtime.DictView;
import dev.ocellus.vlm.template.runtime.Evaluation;
import dev.ocellus.vlm.template.runtime.EvaluationError;
import dev.ocellus.vlm.template.runtime.LoopContext;
import dev.ocellus.vlm.template.runtime.None;
import dev.ocellus.vlm.template.runtime.Printing;
import dev.ocellus.vlm.template.runtime.PythonNumbers;
import dev.ocellus.vlm.template.runtime.Range;
import dev.ocellus.vlm.template.runtime.Sequence;
import dev.ocellus.vlm.template.runtime.Values;
import dev.ocellus.vlm.template.text.TracedText;
import java.util.Iterator;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The methods of the built-in types, by name. Those that would change a list or dict are barred.
 */
final class Methods {
  private static final Set<String> LIST = Set.of("count", "index", "copy");
  private static final Set<String> LIST_FORBIDDEN =
      Set.of("append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove");
  private static final Set<String> DICT =
      Set.of("get", "keys", "values", "items", "copy", "fromkeys");
  private static final Set<String> DICT_FORBIDDEN =
      Set.of("clear", "pop", "popitem", "setdefault", "update");

  private Methods() {}

  static boolean exists(Object owner, String name) {
    if (owner instanceof TracedText) {
      return TextMethods.exists(name);
    }
    if (owner instanceof Dict) {
      return DICT.contains(name);
    }
    if (owner instanceof Sequence s) {
      return LIST.contains(name) && !(s.isTuple() && name.equals("copy"));
    }
    if (owner instanceof Range) {
      return name.equals("count") || name.equals("index");
    }
    if (owner instanceof Cycler) {
      return name.equals("next") || name.equals("reset");
    }
    if (owner instanceof Double) {
      return name.equals("is_integer");
    }
    return PythonNumbers.isInt(owner) && (name.equals("bit_length") || name.equals("is_integer"));
  }

  static boolean isForbidden(Object owner, String name) {
    if (owner instanceof Dict) {
      return DICT_FORBIDDEN.contains(name);
    }
    return owner instanceof Sequence s && !s.isTuple() && LIST_FORBIDDEN.contains(name);
  }

  static Object call(Evaluation in, Object owner, String name, Arguments args) {
    if (owner instanceof TracedText t) {
      return TextMethods.call(in, t, name, args);
    }
    if (owner instanceof Dict d) {
      return dict(in, d, name, args);
    }
    if (owner instanceof Sequence || owner instanceof Range) {
      return sequence(in, owner, name, args);
    }
    if (owner instanceof LoopContext loop) {
      return loop.method(name, args);
    }
    if (owner instanceof Cycler c) {
      args.expect(name, 0, 0);
      return name.equals("next") ? c.next() : c.reset();
    }
    args.expect(name, 0, 0);
    if (name.equals("bit_length")) {
      return (long) PythonNumbers.big(owner).abs().bitLength();
    }
    return !(owner instanceof Double d) || (d == Math.rint(d) && !Double.isInfinite(d));
  }

  private static Object dict(Evaluation in, Dict d, String name, Arguments args) {
    return switch (name) {
      case "get" -> {
        args.expect("get", 1, 2);
        Object value = d.get(args.get(0));
        Object defaultValue = args.getOrNull(1);
        yield value != null ? value : defaultValue == null ? None.NONE : defaultValue;
      }
      case "keys" -> {
        args.expect(name, 0, 0);
        yield new DictView(d, DictView.Kind.KEYS);
      }
      case "values" -> {
        args.expect(name, 0, 0);
        yield new DictView(d, DictView.Kind.VALUES);
      }
      case "items" -> {
        args.expect(name, 0, 0);
        yield new DictView(d, DictView.Kind.ITEMS);
      }
      case "copy" -> {
        args.expect(name, 0, 0);
        yield d;
      }
      default -> fromKeys(in, args);
    };
  }

  private static Object fromKeys(Evaluation in, Arguments args) {
    args.expect("fromkeys", 1, 2);
    @Nullable Object value = args.getOrNull(1);
    Dict out = new Dict();
    for (Iterator<Object> it = Values.iterate(args.get(0)); it.hasNext(); ) {
      in.chargeItems(1);
      out.put(it.next(), value == null ? None.NONE : value);
    }
    return out;
  }

  private static Object sequence(Evaluation in, Object owner, String name, Arguments args) {
    if (name.equals("copy")) {
      args.expect(name, 0, 0);
      return owner;
    }
    args.expect(name, 1, name.equals("index") ? 3 : 1);
    Object wanted = args.get(0);
    long size = Values.length(owner);
    long from = name.equals("index") ? position(args.getOrNull(1), 0, size) : 0;
    long to = name.equals("index") ? position(args.getOrNull(2), size, size) : size;
    long count = 0;
    long i = 0;
    for (Iterator<Object> it = Values.iterate(owner); it.hasNext() && i < to; i++) {
      in.steps(1);
      if (Comparison.equal(in, it.next(), wanted) && i >= from) {
        if (name.equals("index")) {
          return i;
        }
        count++;
      }
    }
    if (name.equals("index")) {
      throw EvaluationError.value(
          Printing.shortRepr(wanted) + " is not in " + Values.typeName(owner));
    }
    return count;
  }

  private static long position(@Nullable Object o, long absent, long size) {
    if (o == null) {
      return absent;
    }
    long at = PythonNumbers.toLong(o, "slice index");
    return at < 0 ? Math.max(0, at + size) : at;
  }
}
