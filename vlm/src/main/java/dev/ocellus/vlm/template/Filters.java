package dev.ocellus.vlm.template;

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
          "filesizeformat",
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
          "pprint",
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
          "striptags",
          "sum",
          "title",
          "tojson",
          "trim",
          "truncate",
          "unique",
          "upper",
          "urlencode",
          "wordcount",
          "wordwrap",
          "xmlattr");

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
        yield missing ? or(d[0], Text.EMPTY) : value;
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
        yield Html.escape(in, value);
      }
      case "forceescape" -> {
        none(name, args);
        yield Html.escape(in, Printing.str(in, value));
      }
      case "int", "float", "abs", "round", "filesizeformat" ->
          NumberFilters.apply(in, name, value, args);
      case "attr" -> {
        Object attribute = args.bind(name, 1, "name")[0];
        yield attr(value, TextMethods.text(or(attribute, None.NONE)));
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
          throw Fail.runtime("No filter named '" + name + "' found.");
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
  private static Object attr(Object value, Text name) {
    if (value instanceof Dict
        && !Methods.exists(value, name.text())
        && !Methods.isForbidden(value, name.text())) {
      return Undefined.attribute(value, name.text());
    }
    return Access.attribute(value, name);
  }

  private static Object items(Object value) {
    if (value instanceof Undefined) {
      return new Generator(Values.iterate(value), value);
    }
    if (value instanceof Dict d) {
      return new Generator(new DictView(d, DictView.Kind.ITEMS).iterator(), d);
    }
    // The reference makes a generator, which complains when it is walked.
    return new Generator(new FailingIterator("Can only get item pairs from a mapping."), None.NONE);
  }

  private record FailingIterator(String message) implements Iterator<Object> {
    @Override
    public boolean hasNext() {
      throw Fail.type(message);
    }

    @Override
    public Object next() {
      throw Fail.type(message);
    }
  }
}
