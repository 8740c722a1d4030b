package dev.ocellus.vlm.template.builtin;

import dev.ocellus.vlm.template.runtime.Arguments;
import dev.ocellus.vlm.template.runtime.Evaluation;
import dev.ocellus.vlm.template.runtime.EvaluationError;
import dev.ocellus.vlm.template.runtime.None;
import dev.ocellus.vlm.template.runtime.Printing;
import dev.ocellus.vlm.template.runtime.PythonGenerator;
import dev.ocellus.vlm.template.runtime.Values;
import java.util.Collections;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;

/** Filters that apply a filter or a test to each item, when the item is asked for. */
final class MappingFilters {
  private MappingFilters() {}

  /** Items made one by one from those of a source. */
  abstract static class Lazy implements Iterator<Object> {
    private final Iterator<Object> source;
    private @Nullable Object next;

    Lazy(Iterator<Object> source) {
      this.source = source;
    }

    /** What becomes of an item; null drops it. */
    abstract @Nullable Object step(Object item);

    @Override
    public boolean hasNext() {
      while (next == null && source.hasNext()) {
        next = step(source.next());
      }
      return next != null;
    }

    @Override
    public Object next() {
      if (!hasNext() || next == null) {
        throw new NoSuchElementException();
      }
      Object out = next;
      next = null;
      return out;
    }
  }

  static Object apply(Evaluation in, String name, Object value, Arguments args) {
    if (!Values.truthy(value)) {
      return new PythonGenerator(Collections.emptyIterator(), None.NONE);
    }
    return new PythonGenerator(new Deferred(in, name, value, args), value);
  }

  /** Looks at its arguments only when the first item is asked for, as a Python generator does. */
  private static final class Deferred implements Iterator<Object> {
    private final Evaluation in;
    private final String name;
    private final Object value;
    private final Arguments args;
    private @Nullable Iterator<Object> items;

    Deferred(Evaluation in, String name, Object value, Arguments args) {
      this.in = in;
      this.name = name;
      this.value = value;
      this.args = args;
    }

    private Iterator<Object> items() {
      Iterator<Object> known = items;
      if (known == null) {
        boolean map = name.equals("map");
        known = map ? map(in, value, args) : select(in, name, value, args);
        items = known;
      }
      return known;
    }

    @Override
    public boolean hasNext() {
      return items().hasNext();
    }

    @Override
    public Object next() {
      return items().next();
    }
  }

  private static Iterator<Object> map(Evaluation in, Object value, Arguments args) {
    if (args.count() == 0 && args.named().containsKey("attribute")) {
      return mapAttribute(in, value, args);
    }
    if (args.count() == 0) {
      throw EvaluationError.argument("map requires a filter argument");
    }
    String filter = TextMethods.text(args.get(0)).text();
    Arguments rest = args.from(1);
    return new Lazy(Values.iterate(value)) {
      @Override
      Object step(Object item) {
        in.steps(1);
        return Filters.apply(in, filter, item, rest);
      }
    };
  }

  private static Iterator<Object> mapAttribute(Evaluation in, Object value, Arguments args) {
    Map<String, Object> named = new LinkedHashMap<>(args.named());
    AttributePath path = AttributePath.of(named.remove("attribute"));
    Object given = named.remove("default");
    Object defaultValue = given == None.NONE ? null : given;
    if (!named.isEmpty()) {
      throw EvaluationError.argument(
          "Unexpected keyword argument " + Printing.quote(named.keySet().iterator().next()));
    }
    return new Lazy(Values.iterate(value)) {
      @Override
      Object step(Object item) {
        in.steps(1);
        return path.get(in, item, defaultValue);
      }
    };
  }

  private static Iterator<Object> select(Evaluation in, String name, Object value, Arguments args) {
    boolean wanted = name.startsWith("select");
    boolean byAttribute = name.endsWith("attr");
    if (byAttribute && args.count() == 0) {
      throw EvaluationError.argument("Missing parameter for attribute name");
    }
    AttributePath path = AttributePath.of(byAttribute ? args.get(0) : null);
    int skip = byAttribute ? 1 : 0;
    String test = args.count() > skip ? TextMethods.text(args.get(skip)).text() : "";
    Arguments rest = args.from(skip + 1);
    return new Lazy(Values.iterate(value)) {
      @Override
      @Nullable Object step(Object item) {
        in.steps(1);
        Object subject = path.get(in, item, null);
        boolean holds =
            test.isEmpty() ? Values.truthy(subject) : Tests.holds(in, test, subject, rest);
        return holds == wanted ? item : null;
      }
    };
  }
}
