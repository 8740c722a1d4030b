package dev.ocellus.vlm.template.builtin;

import dev.ocellus.vlm.template.runtime.Access;
import dev.ocellus.vlm.template.runtime.Arguments;
import dev.ocellus.vlm.template.runtime.Dict;
import dev.ocellus.vlm.template.runtime.DictView;
import dev.ocellus.vlm.template.runtime.Evaluation;
import dev.ocellus.vlm.template.runtime.EvaluationError;
import dev.ocellus.vlm.template.runtime.Markup;
import dev.ocellus.vlm.template.runtime.None;
import dev.ocellus.vlm.template.runtime.Printing;
import dev.ocellus.vlm.template.runtime.PythonGenerator;
import dev.ocellus.vlm.template.runtime.Sequence;
import dev.ocellus.vlm.template.runtime.Undefined;
import dev.ocellus.vlm.template.runtime.Values;
import dev.ocellus.vlm.template.text.TracedText;
import java.util.Iterator;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The filters of Jinja2 by name. */
final class Filters {
  private static final Set<String> NAMES =
      Set.of(
          "abs",
          "attr",
          "batch",
          "capitalize",
          "center",
          "count",
          "d",
          "default",
          "dictsort",
          "e",
          "escape",
          "first",
          "float",
          "forceescape",
          "format",
          "groupby",
          "indent",
          "int",
          "items",
          "join",
          "last",
          "length",
          "list",
          "lower",
          "map",
          "max",
          "min",
          "random",
          "reject",
          "rejectattr",
          "replace",
          "reverse",
          "round",
          "safe",
          "select",
          "selectattr",
          "slice",
          "sort",
          "string",
          "sum",
          "title",
          "tojson",
          "trim",
          "truncate",
          "unique",
          "upper",
          "wordcount");

  private Filters() {}

  static boolean exists(String name) {
    return NAMES.contains(name);
  }

  static Object apply(Evaluation in, String name, Object value, Arguments args) {
    in.countText(value);
    return switch (name) {
      case "default", "d" -> {
        @Nullable Object[] d = args.bind(name, 0, "default_value", "boolean");
        boolean any = d[1] != null && Values.truthy(d[1]);
        boolean missing = value instanceof Undefined || (any && !Values.truthy(value));
        yield missing ? or(d[0], TracedText.EMPTY) : value;
      }
      case "tojson" -> JsonWriter.filter(in, value, args);
      case "length", "count" -> {
        none(name, args);
        yield Values.length(value);
      }
      case "string" -> {
        none(name, args);
        yield Printing.softStr(in, value);
      }
      case "safe" -> {
        none(name, args);
        yield Printing.softStr(in, value).asMarkup(true);
      }
      case "e", "escape" -> {
        none(name, args);
        yield Markup.escape(in, value);
      }
      case "forceescape" -> {
        none(name, args);
        yield Markup.escape(in, Printing.str(in, value));
      }
      case "int", "float", "abs", "round" -> NumberFilters.apply(in, name, value, args);
      case "attr" -> {
        Object attribute = args.bind(name, 1, "name")[0];
        yield attr(in, value, TextMethods.text(or(attribute, None.NONE)));
      }
      case "items" -> {
        none(name, args);
        yield items(value);
      }
      case "list" -> {
        none(name, args);
        yield Sequence.list(Values.toList(in, value));
      }
      case "first",
          "last",
          "random",
          "reverse",
          "sort",
          "dictsort",
          "unique",
          "min",
          "max",
          "sum",
          "batch",
          "slice",
          "groupby" ->
          SequenceFilters.apply(in, name, value, args);
      case "map", "select", "reject", "selectattr", "rejectattr" ->
          MappingFilters.apply(in, name, value, args);
      default -> {
        if (!exists(name)) {
          throw EvaluationError.runtime("No filter named '" + name + "' found.");
        }
        yield TextFilters.apply(in, name, value, args);
      }
    };
  }

  static Object or(@Nullable Object value, Object absent) {
    return value == null ? absent : value;
  }

  static void none(String name, Arguments args) {
    if (!args.isEmpty()) {
      args.bind(name, 0);
    }
  }

  static boolean flag(@Nullable Object o) {
    return o != null && Values.truthy(o);
  }

  /** Attributes only, no items. */
  private static Object attr(Evaluation in, Object value, TracedText name) {
    if (value instanceof Dict
        && !Methods.exists(value, name.text())
        && !Methods.isForbidden(value, name.text())) {
      return Undefined.attribute(value, name.text());
    }
    return Access.attribute(in, value, name);
  }

  private static Object items(Object value) {
    if (value instanceof Undefined) {
      return new PythonGenerator(Values.iterate(value), value);
    }
    if (value instanceof Dict d) {
      return new PythonGenerator(new DictView(d, DictView.Kind.ITEMS).iterator(), d);
    }
    // The reference makes a generator, which complains when it is walked.
    return new PythonGenerator(
        new FailingIterator("Can only get item pairs from a mapping."), None.NONE);
  }

  private record FailingIterator(String message) implements Iterator<Object> {
    @Override
    public boolean hasNext() {
      throw EvaluationError.type(message);
    }

    @Override
    public Object next() {
      throw EvaluationError.type(message);
    }
  }
}
