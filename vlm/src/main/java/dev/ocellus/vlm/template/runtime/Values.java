package dev.ocellus.vlm.template.runtime;

import dev.ocellus.vlm.template.text.TracedText;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;

/**
 * What a template's values are and how Python treats them. A value is one of {@link None}, Boolean,
 * Long, BigInteger (beyond 64 bits only), Double, {@link TracedText}, {@link Sequence}, {@link
 * Dict}, {@link DictView}, {@link Range}, {@link PythonGenerator}, {@link Namespace}, {@link
 * Undefined}, {@link LoopContext} or another {@link Callable}.
 */
public final class Values {
  /** Deepest nesting of lists and dicts; Python gives up at about a thousand. */
  static final int MAX_NESTING = 250;

  private Values() {}

  static int depth(Object o) {
    if (o instanceof Sequence s) {
      return s.depth();
    }
    if (o instanceof Dict d) {
      return d.depth();
    }
    if (o instanceof DictView v) {
      return v.dict().depth();
    }
    return o instanceof PythonGenerator g ? g.depth() : 0;
  }

  /** How many parts a walk over the value meets, long strings counting by their length. */
  static long weight(Object o) {
    if (o instanceof TracedText t) {
      return 1L + t.length() / 64;
    }
    if (o instanceof Sequence s) {
      return s.weight();
    }
    if (o instanceof Dict d) {
      return d.weight();
    }
    return o instanceof DictView v ? v.dict().weight() : 1;
  }

  /** Saturates: shared parts can make a small value astronomically heavy. */
  static long addWeight(long total, Object o) {
    return Math.min(total + weight(o), 1L << 40);
  }

  static int deeper(int depth) {
    if (depth >= MAX_NESTING) {
      throw EvaluationError.limit("values nest deeper than " + MAX_NESTING + " levels");
    }
    return depth + 1;
  }

  /** The template value of a Java value: strings become input. */
  public static Object fromJava(@Nullable Object o) {
    return fromJava(o, 0);
  }

  private static Object fromJava(@Nullable Object o, int level) {
    if (o == null) {
      return None.NONE;
    }
    if (o instanceof String s) {
      return TracedText.input(s);
    }
    if (o instanceof TracedText
        || o instanceof Boolean
        || o instanceof Long
        || o instanceof Double) {
      return o;
    }
    if (o instanceof Integer || o instanceof Short || o instanceof Byte) {
      return ((Number) o).longValue();
    }
    if (o instanceof Float f) {
      return (double) f;
    }
    if (o instanceof BigInteger b) {
      return PythonNumbers.bounded(b);
    }
    deeper(level);
    if (o instanceof Collection<?> c) {
      List<Object> items = new ArrayList<>(c.size());
      for (Object item : c) {
        items.add(fromJava(item, level + 1));
      }
      return Sequence.list(items);
    }
    if (o instanceof Map<?, ?> m) {
      Dict dict = new Dict(m.size());
      for (Map.Entry<?, ?> e : m.entrySet()) {
        dict.put(fromJava(e.getKey(), level + 1), fromJava(e.getValue(), level + 1));
      }
      return dict;
    }
    throw new IllegalArgumentException(
        "a template context holds strings, numbers, booleans, null, lists and maps, but not "
            + o.getClass().getName());
  }

  public static boolean truthy(Object o) {
    if (o instanceof Boolean b) {
      return b;
    }
    if (o instanceof TracedText t) {
      return !t.isEmpty();
    }
    if (o instanceof Long l) {
      return l != 0;
    }
    if (o instanceof Double d) {
      return d != 0;
    }
    if (o == None.NONE || o instanceof Undefined) {
      return false;
    }
    int size = sizeOrMinusOne(o);
    return size != 0;
  }

  /** Python's name for the type, as it stands in error messages. */
  public static String typeName(Object o) {
    if (o instanceof TracedText t) {
      return t.isMarkup() ? "Markup" : "str";
    }
    if (o instanceof Boolean) {
      return "bool";
    }
    if (o instanceof Long || o instanceof BigInteger) {
      return "int";
    }
    if (o instanceof Double) {
      return "float";
    }
    if (o == None.NONE) {
      return "NoneType";
    }
    if (o instanceof Sequence s) {
      return s.isTuple() ? "tuple" : "list";
    }
    if (o instanceof Dict) {
      return "dict";
    }
    if (o instanceof DictView v) {
      return v.kind().typeName;
    }
    if (o instanceof Range) {
      return "range";
    }
    if (o instanceof PythonGenerator g) {
      return g.typeName();
    }
    if (o instanceof Undefined) {
      return "Undefined";
    }
    if (o instanceof Namespace) {
      return "Namespace";
    }
    return o instanceof Callable c ? c.typeName() : "object";
  }

  private static int sizeOrMinusOne(Object o) {
    if (o instanceof TracedText t) {
      return t.codePoints();
    }
    if (o instanceof Sequence s) {
      return s.size();
    }
    if (o instanceof Dict d) {
      return d.size();
    }
    if (o instanceof DictView v) {
      return v.dict().size();
    }
    if (o instanceof Range r) {
      return r.size();
    }
    if (o instanceof Undefined) {
      return 0;
    }
    return o instanceof LoopContext loop ? loop.length() : -1;
  }

  public static boolean hasLength(Object o) {
    return sizeOrMinusOne(o) >= 0;
  }

  /** Python's {@code len}. */
  public static long length(Object o) {
    int size = sizeOrMinusOne(o);
    if (size < 0) {
      throw EvaluationError.type("object of type '" + typeName(o) + "' has no len()");
    }
    return size;
  }

  public static boolean isIterable(Object o) {
    return sizeOrMinusOne(o) >= 0 || o instanceof PythonGenerator;
  }

  /** Python's {@code iter}. */
  public static Iterator<Object> iterate(Object o) {
    if (o instanceof Sequence s) {
      return s.items().iterator();
    }
    if (o instanceof TracedText t) {
      return characters(t);
    }
    if (o instanceof Dict d) {
      return new DictView(d, DictView.Kind.KEYS).iterator();
    }
    if (o instanceof DictView v) {
      return v.iterator();
    }
    if (o instanceof Range r) {
      return r.iterator();
    }
    if (o instanceof PythonGenerator g) {
      return g.iterator();
    }
    if (o instanceof Undefined) {
      return Collections.emptyIterator();
    }
    throw EvaluationError.type("'" + typeName(o) + "' object is not iterable");
  }

  private static Iterator<Object> characters(TracedText t) {
    return new Iterator<>() {
      private int i;

      @Override
      public boolean hasNext() {
        return i < t.length();
      }

      @Override
      public Object next() {
        if (i >= t.length()) {
          throw new NoSuchElementException();
        }
        int end = t.text().offsetByCodePoints(i, 1);
        TracedText c = t.slice(i, end).plain();
        i = end;
        return c;
      }
    };
  }

  /** Python's {@code list}, counted against the limits. */
  public static List<Object> toList(Evaluation in, Object o) {
    if (o instanceof Sequence s) {
      in.chargeItems(s.size());
      return new ArrayList<>(s.items());
    }
    Iterator<Object> it = iterate(o);
    List<Object> items = new ArrayList<>();
    while (it.hasNext()) {
      in.chargeItems(1);
      items.add(it.next());
    }
    return items;
  }
}
