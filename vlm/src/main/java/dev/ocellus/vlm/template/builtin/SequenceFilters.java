package dev.ocellus.vlm.template.builtin;

import dev.ocellus.vlm.template.runtime.Access;
import dev.ocellus.vlm.template.runtime.Arguments;
import dev.ocellus.vlm.template.runtime.Comparison;
import dev.ocellus.vlm.template.runtime.Dict;
import dev.ocellus.vlm.template.runtime.DictView;
import dev.ocellus.vlm.template.runtime.Evaluation;
import dev.ocellus.vlm.template.runtime.EvaluationError;
import dev.ocellus.vlm.template.runtime.None;
import dev.ocellus.vlm.template.runtime.Operators;
import dev.ocellus.vlm.template.runtime.PythonGenerator;
import dev.ocellus.vlm.template.runtime.PythonNumbers;
import dev.ocellus.vlm.template.runtime.Range;
import dev.ocellus.vlm.template.runtime.Sequence;
import dev.ocellus.vlm.template.runtime.Undefined;
import dev.ocellus.vlm.template.runtime.Values;
import dev.ocellus.vlm.template.text.TracedText;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/** Filters that order, pick and group items. */
final class SequenceFilters {
  private SequenceFilters() {}

  static Object apply(Evaluation in, String name, Object value, Arguments args) {
    return switch (name) {
      case "first" -> {
        Filters.none(name, args);
        Iterator<Object> it = Values.iterate(value);
        yield it.hasNext() ? it.next() : Undefined.of("No first item, sequence was empty.");
      }
      case "last" -> {
        Filters.none(name, args);
        yield last(in, value);
      }
      case "random" -> {
        Filters.none(name, args);
        yield random(in, value);
      }
      case "reverse" -> {
        Filters.none(name, args);
        yield reverse(in, value);
      }
      case "sort" -> sort(in, value, args.bind(name, 0, "reverse", "case_sensitive", "attribute"));
      case "dictsort" -> dictSort(in, value, args.bind(name, 0, "case_sensitive", "by", "reverse"));
      case "unique" -> unique(in, value, args.bind(name, 0, "case_sensitive", "attribute"));
      case "min", "max" ->
          extreme(in, value, name, args.bind(name, 0, "case_sensitive", "attribute"));
      case "sum" -> sum(in, value, args.bind(name, 0, "attribute", "start"));
      case "batch" -> batch(in, value, args.bind(name, 1, "linecount", "fill_with"));
      case "slice" -> slice(in, value, args.bind(name, 1, "slices", "fill_with"));
      default -> groupBy(in, value, args.bind(name, 1, "attribute", "default", "case_sensitive"));
    };
  }

  private static boolean reversible(Object o) {
    return o instanceof Sequence
        || o instanceof TracedText
        || o instanceof Dict
        || o instanceof DictView
        || o instanceof Range
        || o instanceof Undefined;
  }

  private static Object last(Evaluation in, Object value) {
    if (!reversible(value)) {
      throw EvaluationError.type("'" + Values.typeName(value) + "' object is not reversible");
    }
    Object last = null;
    if (value instanceof Sequence s) {
      last = s.size() == 0 ? null : s.get(s.size() - 1);
    } else {
      for (Iterator<Object> it = Values.iterate(value); it.hasNext(); ) {
        in.steps(1);
        last = it.next();
      }
    }
    return last == null ? Undefined.of("No last item, sequence was empty.") : last;
  }

  private static Object random(Evaluation in, Object value) {
    if (value instanceof Dict || !Values.hasLength(value)) {
      throw EvaluationError.type("'" + Values.typeName(value) + "' object is not a sequence");
    }
    List<Object> items = Values.toList(in, value);
    return items.isEmpty()
        ? Undefined.of("No random item, sequence was empty.")
        : items.get(ThreadLocalRandom.current().nextInt(items.size()));
  }

  private static Object reverse(Evaluation in, Object value) {
    if (value instanceof TracedText t) {
      return Access.slice(in, t, null, null, -1L);
    }
    if (!Values.isIterable(value)) {
      throw EvaluationError.argument("argument must be iterable");
    }
    List<Object> items = Values.toList(in, value);
    Collections.reverse(items);
    if (!reversible(value)) {
      return Sequence.list(items);
    }
    return new PythonGenerator(reversedType(value), items.iterator(), value);
  }

  private static String reversedType(Object o) {
    if (o instanceof Sequence s) {
      return s.isTuple() ? "reversed" : "list_reverseiterator";
    }
    return o instanceof Range ? "range_iterator" : "dict_reversekeyiterator";
  }

  /** Stable both ways, as Python's is. */
  private static void sortBy(
      Evaluation in, List<Object> items, List<Object> keys, boolean reverse) {
    List<Integer> order = new ArrayList<>(items.size());
    for (int i = 0; i < items.size(); i++) {
      order.add(i);
    }
    Comparator<Object> natural = Comparison.order(in);
    try {
      order.sort((a, b) -> {
        int c = natural.compare(keys.get(a), keys.get(b));
        return reverse ? -c : c;
      });
    } catch (IllegalArgumentException e) {
      throw EvaluationError.type("the values have no consistent order");
    }
    List<Object> sorted = new ArrayList<>(items.size());
    for (int i : order) {
      sorted.add(items.get(i));
    }
    for (int i = 0; i < sorted.size(); i++) {
      items.set(i, sorted.get(i));
    }
  }

  private static Object sort(Evaluation in, Object value, @Nullable Object[] args) {
    List<Object> items = Values.toList(in, value);
    List<AttributePath> paths = AttributePath.several(args[2]);
    boolean caseSensitive = Filters.flag(args[1]);
    List<Object> keys = new ArrayList<>(items.size());
    for (Object item : items) {
      List<Object> key = new ArrayList<>(paths.size());
      for (AttributePath path : paths) {
        key.add(path.key(in, item, null, caseSensitive));
      }
      keys.add(Sequence.list(key));
    }
    sortBy(in, items, keys, Filters.flag(args[0]));
    return Sequence.list(items);
  }

  private static Object dictSort(Evaluation in, Object value, @Nullable Object[] args) {
    String by = TextMethods.text(Filters.or(args[1], TracedText.trusted("key"))).text();
    if (!by.equals("key") && !by.equals("value")) {
      throw EvaluationError.argument("You can only sort by either \"key\" or \"value\"");
    }
    if (value instanceof Undefined u) {
      throw u.fail();
    }
    if (!(value instanceof Dict d)) {
      throw new EvaluationError(
          "AttributeError", "'" + Values.typeName(value) + "' object has no attribute 'items'");
    }
    boolean caseSensitive = Filters.flag(args[0]);
    List<Object> items = new ArrayList<>();
    List<Object> keys = new ArrayList<>();
    for (Dict.Entry e : d.entries()) {
      items.add(Sequence.tuple(e.key(), e.value()));
      Object key = by.equals("key") ? e.key() : e.value();
      keys.add(!caseSensitive && key instanceof TracedText t ? LetterCase.lower(in, t) : key);
    }
    in.chargeItems(items.size() * 2L);
    sortBy(in, items, keys, Filters.flag(args[2]));
    return Sequence.list(items);
  }

  private static Object unique(Evaluation in, Object value, @Nullable Object[] args) {
    AttributePath path = AttributePath.of(args[1]);
    boolean caseSensitive = Filters.flag(args[0]);
    Set<Object> seen = new HashSet<>();
    Iterator<Object> source = Values.iterate(value);
    return new PythonGenerator(
        new MappingFilters.Lazy(source) {
          @Override
          @Nullable Object step(Object item) {
            in.chargeItems(1);
            return seen.add(Dict.key(path.key(in, item, null, caseSensitive))) ? item : null;
          }
        },
        value);
  }

  private static Object extreme(Evaluation in, Object value, String name, @Nullable Object[] args) {
    AttributePath path = AttributePath.of(args[1]);
    boolean caseSensitive = Filters.flag(args[0]);
    boolean max = name.equals("max");
    Object best = null;
    Object bestKey = null;
    for (Iterator<Object> it = Values.iterate(value); it.hasNext(); ) {
      Object item = it.next();
      in.steps(1);
      Object key = path.key(in, item, null, caseSensitive);
      if (best == null || bestKey == null || Comparison.holds(in, max ? ">" : "<", key, bestKey)) {
        best = item;
        bestKey = key;
      }
    }
    return best == null ? Undefined.of("No aggregated item, sequence was empty.") : best;
  }

  private static Object sum(Evaluation in, Object value, @Nullable Object[] args) {
    Object total = Filters.or(args[1], 0L);
    if (total instanceof TracedText) {
      throw EvaluationError.type("sum() can't sum strings [use ''.join(seq) instead]");
    }
    AttributePath path = AttributePath.of(args[0]);
    for (Iterator<Object> it = Values.iterate(value); it.hasNext(); ) {
      in.steps(1);
      total = Operators.binary(in, '+', total, path.get(in, it.next(), null));
    }
    return total;
  }

  private static Object batch(Evaluation in, Object value, @Nullable Object[] args) {
    long size = PythonNumbers.toLong(Filters.or(args[0], 0L), "linecount");
    Object fill = args[1] == null ? None.NONE : args[1];
    List<Object> rows = new ArrayList<>();
    List<Object> row = new ArrayList<>();
    for (Object item : Values.toList(in, value)) {
      if (row.size() == size) {
        rows.add(Sequence.list(row));
        row = new ArrayList<>();
      }
      row.add(item);
    }
    if (!row.isEmpty()) {
      if (fill != None.NONE && row.size() < size) {
        in.chargeItems(size - row.size());
        row.addAll(Collections.nCopies((int) size - row.size(), fill));
      }
      rows.add(Sequence.list(row));
    }
    return new PythonGenerator(rows.iterator(), value);
  }

  private static Object slice(Evaluation in, Object value, @Nullable Object[] args) {
    List<Object> items = Values.toList(in, value);
    long slices = PythonNumbers.toLong(Filters.or(args[0], 0L), "slices");
    if (slices == 0) {
      throw new EvaluationError("ZeroDivisionError", "integer division or modulo by zero");
    }
    in.chargeItems(Math.max(0, slices));
    int perSlice = (int) Math.floorDiv(items.size(), slices);
    long extra = Math.floorMod(items.size(), slices);
    List<Object> out = new ArrayList<>();
    int at = 0;
    for (long i = 0; i < slices; i++) {
      int end = at + perSlice + (i < extra ? 1 : 0);
      List<Object> part = new ArrayList<>(items.subList(at, end));
      if (args[1] != null && args[1] != None.NONE && i >= extra) {
        part.add(args[1]);
      }
      out.add(Sequence.list(part));
      at = end;
    }
    return new PythonGenerator(out.iterator(), value);
  }

  private static Object groupBy(Evaluation in, Object value, @Nullable Object[] args) {
    AttributePath path = AttributePath.of(args[0]);
    Object defaultValue = args[1] == None.NONE ? null : args[1];
    boolean caseSensitive = Filters.flag(args[2]);
    List<Object> items = Values.toList(in, value);
    List<Object> keys = new ArrayList<>();
    for (Object item : items) {
      keys.add(path.key(in, item, defaultValue, caseSensitive));
    }
    sortBy(in, items, keys, false);
    List<Object> groups = new ArrayList<>();
    for (int from = 0; from < items.size(); ) {
      Object key = path.key(in, items.get(from), defaultValue, caseSensitive);
      int to = from + 1;
      while (to < items.size()
          && Comparison.equal(in, key, path.key(in, items.get(to), defaultValue, caseSensitive))) {
        to++;
      }
      Object shown = path.get(in, items.get(from), defaultValue);
      groups.add(Sequence.group(shown, Sequence.list(List.copyOf(items.subList(from, to)))));
      from = to;
    }
    return Sequence.list(groups);
  }
}
