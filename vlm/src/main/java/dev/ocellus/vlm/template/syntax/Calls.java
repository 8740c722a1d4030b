package dev.ocellus.vlm.template.syntax;

import dev.ocellus.vlm.template.runtime.Arguments;
import dev.ocellus.vlm.template.runtime.Callable;
import dev.ocellus.vlm.template.runtime.Dict;
import dev.ocellus.vlm.template.runtime.Evaluation;
import dev.ocellus.vlm.template.runtime.EvaluationError;
import dev.ocellus.vlm.template.runtime.Scope;
import dev.ocellus.vlm.template.runtime.Undefined;
import dev.ocellus.vlm.template.runtime.Values;
import dev.ocellus.vlm.template.text.TracedText;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Expressions with arguments: calls, filters and tests. */
final class Calls {
  private Calls() {}

  /** The arguments as written, {@code *} and {@code **} included. */
  record ArgumentList(
      List<Expression> positional,
      Map<String, Expression> named,
      @Nullable Expression spread,
      @Nullable Expression namedSpread) {
    static final ArgumentList NONE = new ArgumentList(List.of(), Map.of(), null, null);

    List<Expression> all() {
      List<Expression> all = new ArrayList<>(positional);
      all.addAll(named.values());
      if (spread != null) {
        all.add(spread);
      }
      if (namedSpread != null) {
        all.add(namedSpread);
      }
      return all;
    }

    Arguments eval(Evaluation in, Scope scope) {
      if (positional.isEmpty() && named.isEmpty() && spread == null && namedSpread == null) {
        return Arguments.NONE;
      }
      List<Object> values = new ArrayList<>(positional.size());
      for (Expression e : positional) {
        values.add(e.eval(in, scope));
      }
      if (spread != null) {
        values.addAll(Values.toList(in, spread.eval(in, scope)));
      }
      if (named.isEmpty() && namedSpread == null) {
        return new Arguments(values, Map.of());
      }
      Map<String, Object> byName = new LinkedHashMap<>();
      for (Map.Entry<String, Expression> e : named.entrySet()) {
        byName.put(e.getKey(), e.getValue().eval(in, scope));
      }
      if (namedSpread != null) {
        spreadNamed(byName, namedSpread.eval(in, scope));
      }
      return new Arguments(values, byName);
    }

    private static void spreadNamed(Map<String, Object> byName, Object value) {
      if (!(value instanceof Dict d)) {
        throw EvaluationError.type(
            "argument after ** must be a mapping, not " + Values.typeName(value));
      }
      for (Iterator<Dict.Entry> it = d.entries().iterator(); it.hasNext(); ) {
        Dict.Entry e = it.next();
        if (!(e.key() instanceof TracedText name)) {
          throw EvaluationError.type("keywords must be strings");
        }
        if (byName.put(name.text(), e.value()) != null) {
          throw EvaluationError.type("got multiple values for keyword argument '" + name + "'");
        }
      }
    }
  }

  static final class Call extends Expression {
    private final Expression function;
    private final ArgumentList arguments;

    Call(int position, Expression function, ArgumentList arguments) {
      super(position, function);
      above(arguments.all());
      this.function = function;
      this.arguments = arguments;
    }

    @Override
    Object evaluate(Evaluation in, Scope scope) {
      return call(in, scope, null);
    }

    /** With the body of a {@code call} block as {@code caller}. */
    Object call(Evaluation in, Scope scope, @Nullable MacroValue caller) {
      Object target = function.eval(in, scope);
      Arguments args = arguments.eval(in, scope);
      in.at(position());
      if (target instanceof Callable callable) {
        return callable.call(in, caller == null ? args : args.with("caller", caller));
      }
      if (target instanceof Undefined u) {
        throw u.fail();
      }
      throw EvaluationError.type("'" + Values.typeName(target) + "' object is not callable");
    }
  }

  static final class FilterCall extends Expression {
    private final @Nullable Expression operand;
    private final String name;
    private final ArgumentList arguments;

    /** Without an operand, the filter of a {@code filter} or {@code set} block. */
    FilterCall(int position, @Nullable Expression operand, String name, ArgumentList arguments) {
      super(position);
      if (operand != null) {
        above(operand);
      }
      above(arguments.all());
      this.operand = operand;
      this.name = name;
      this.arguments = arguments;
    }

    @Override
    Object evaluate(Evaluation in, Scope scope) {
      return filter(in, scope, null);
    }

    /** With the text of a block as what the innermost filter works on. */
    Object filter(Evaluation in, Scope scope, @Nullable TracedText block) {
      Object value = TracedText.EMPTY;
      if (operand instanceof FilterCall inner) {
        in.enter(inner.position());
        value = inner.filter(in, scope, block);
        in.leave();
      } else if (operand != null) {
        value = operand.eval(in, scope);
      } else if (block != null) {
        value = block;
      }
      Arguments args = arguments.eval(in, scope);
      in.at(position());
      return in.builtins().filter(in, name, value, args);
    }
  }

  static final class TestCall extends Expression {
    private final Expression operand;
    private final String name;
    private final ArgumentList arguments;

    TestCall(int position, Expression operand, String name, ArgumentList arguments) {
      super(position, operand);
      above(arguments.all());
      this.operand = operand;
      this.name = name;
      this.arguments = arguments;
    }

    @Override
    Object evaluate(Evaluation in, Scope scope) {
      Object value = operand.eval(in, scope);
      Arguments args = arguments.eval(in, scope);
      in.at(position());
      return in.builtins().test(in, name, value, args);
    }
  }
}
