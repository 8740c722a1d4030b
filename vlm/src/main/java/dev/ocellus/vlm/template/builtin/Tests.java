package dev.ocellus.vlm.template.builtin;

import dev.ocellus.vlm.template.runtime.Arguments;
import dev.ocellus.vlm.template.runtime.Callable;
import dev.ocellus.vlm.template.runtime.Comparison;
import dev.ocellus.vlm.template.runtime.Dict;
import dev.ocellus.vlm.template.runtime.DictView;
import dev.ocellus.vlm.template.runtime.Evaluation;
import dev.ocellus.vlm.template.runtime.EvaluationError;
import dev.ocellus.vlm.template.runtime.LoopContext;
import dev.ocellus.vlm.template.runtime.None;
import dev.ocellus.vlm.template.runtime.Operators;
import dev.ocellus.vlm.template.runtime.Printing;
import dev.ocellus.vlm.template.runtime.PythonNumbers;
import dev.ocellus.vlm.template.runtime.Sequence;
import dev.ocellus.vlm.template.runtime.Undefined;
import dev.ocellus.vlm.template.runtime.Values;
import dev.ocellus.vlm.template.text.TracedText;
import java.util.Set;

/** The tests of Jinja2, which follow {@code is}. */
final class Tests {
  private static final Set<String> NAMES =
      Set.of(
          "odd",
          "even",
          "divisibleby",
          "defined",
          "undefined",
          "filter",
          "test",
          "none",
          "boolean",
          "false",
          "true",
          "integer",
          "float",
          "lower",
          "upper",
          "string",
          "mapping",
          "number",
          "sequence",
          "iterable",
          "callable",
          "sameas",
          "escaped",
          "in",
          "==",
          "eq",
          "equalto",
          "!=",
          "ne",
          ">",
          "gt",
          "greaterthan",
          "ge",
          ">=",
          "<",
          "lt",
          "lessthan",
          "<=",
          "le");

  private Tests() {}

  static boolean exists(String name) {
    return NAMES.contains(name);
  }

  static boolean holds(Evaluation in, String name, Object value, Arguments args) {
    return switch (name) {
      case "divisibleby" -> {
        Object n = Filters.or(args.bind(name, 1, "num")[0], None.NONE);
        yield isRemainder(in, value, n, 0);
      }
      case "sameas" -> same(value, Filters.or(args.bind(name, 1, "other")[0], None.NONE));
      case "in" ->
          Comparison.contains(in, Filters.or(args.bind(name, 1, "seq")[0], None.NONE), value);
      case "==", "eq", "equalto" -> compare(in, "==", name, value, args);
      case "!=", "ne" -> compare(in, "!=", name, value, args);
      case ">", "gt", "greaterthan" -> compare(in, ">", name, value, args);
      case ">=", "ge" -> compare(in, ">=", name, value, args);
      case "<", "lt", "lessthan" -> compare(in, "<", name, value, args);
      case "<=", "le" -> compare(in, "<=", name, value, args);
      default -> {
        if (!exists(name)) {
          throw EvaluationError.runtime("No test named '" + name + "' found.");
        }
        Filters.none(name, args);
        yield is(in, name, value);
      }
    };
  }

  private static boolean compare(
      Evaluation in, String operator, String name, Object value, Arguments args) {
    args.expect(name, 1, 1);
    return Comparison.holds(in, operator, value, args.get(0));
  }

  private static boolean isRemainder(Evaluation in, Object value, Object by, long remainder) {
    return Comparison.equal(in, Operators.binary(in, '%', value, by), remainder);
  }

  /** Python's {@code is}: the constants and small numbers are one object each. */
  @SuppressWarnings("ReferenceEquality") // that is the question
  private static boolean same(Object a, Object b) {
    if (a instanceof Boolean || b instanceof Boolean || a instanceof Long) {
      return a.equals(b);
    }
    return a == b;
  }

  private static boolean is(Evaluation in, String name, Object o) {
    in.countText(o);
    return switch (name) {
      case "odd" -> isRemainder(in, o, 2L, 1);
      case "even" -> isRemainder(in, o, 2L, 0);
      case "defined" -> !(o instanceof Undefined);
      case "undefined" -> o instanceof Undefined;
      case "filter" -> named(o) && Filters.exists(((TracedText) o).text());
      case "test" -> named(o) && exists(((TracedText) o).text());
      case "none" -> o == None.NONE;
      case "boolean" -> o instanceof Boolean;
      case "false" -> Boolean.FALSE.equals(o);
      case "true" -> Boolean.TRUE.equals(o);
      case "integer" -> PythonNumbers.isInt(o) && !(o instanceof Boolean);
      case "float" -> o instanceof Double;
      case "lower" -> LetterCase.allCased(Printing.str(in, o).text(), false);
      case "upper" -> LetterCase.allCased(Printing.str(in, o).text(), true);
      case "string" -> o instanceof TracedText;
      case "mapping" -> o instanceof Dict;
      case "number" -> PythonNumbers.isNumber(o);
      case "sequence" ->
          Values.hasLength(o) && !(o instanceof DictView) && !(o instanceof LoopContext);
      case "iterable" -> Values.isIterable(o);
      case "callable" -> o instanceof Callable || o instanceof Undefined;
      default -> o instanceof TracedText t && t.isMarkup();
    };
  }

  private static boolean named(Object o) {
    if (o instanceof Dict || (o instanceof Sequence s && !s.isTuple())) {
      throw EvaluationError.type("unhashable type: '" + Values.typeName(o) + "'");
    }
    return o instanceof TracedText;
  }
}
