package dev.ocellus.vlm.template.syntax;

import dev.ocellus.vlm.template.runtime.Evaluation;
import dev.ocellus.vlm.template.runtime.EvaluationError;
import dev.ocellus.vlm.template.runtime.Markup;
import dev.ocellus.vlm.template.runtime.Printing;
import dev.ocellus.vlm.template.runtime.Scope;
import dev.ocellus.vlm.template.runtime.Values;
import dev.ocellus.vlm.template.text.Origin;
import dev.ocellus.vlm.template.text.TextBuilder;
import dev.ocellus.vlm.template.text.TracedText;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Text, printing, conditions, assignments and the blocks around them. */
final class Statements {
  private Statements() {}

  static final class Data extends Statement {
    private final String text;

    Data(int position, String text) {
      super(position);
      this.text = text;
    }

    @Override
    Flow execute(Evaluation in, Scope scope, TextBuilder out) {
      out.append(text, Origin.TEMPLATE);
      return Flow.NEXT;
    }
  }

  static final class Print extends Statement {
    private final Expression value;

    Print(int position, Expression value) {
      super(position);
      this.value = value;
    }

    @Override
    Flow execute(Evaluation in, Scope scope, TextBuilder out) {
      print(in, out, value.eval(in, scope));
      return Flow.NEXT;
    }
  }

  static void print(Evaluation in, TextBuilder out, Object value) {
    out.append(in.autoescape() ? Markup.escape(in, value) : Printing.softStr(in, value));
  }

  /** What a block gives to print must be a string already. */
  static void printString(Evaluation in, TextBuilder out, Object value) {
    if (!(value instanceof TracedText)) {
      throw EvaluationError.type("expected str instance, " + Values.typeName(value) + " found");
    }
    print(in, out, value);
  }

  static final class If extends Statement {
    private final List<Expression> tests;
    private final List<List<Statement>> bodies;

    /** The body beyond the last test is that of {@code else}. */
    If(int position, List<Expression> tests, List<List<Statement>> bodies) {
      super(position);
      this.tests = tests;
      this.bodies = bodies;
    }

    @Override
    Flow execute(Evaluation in, Scope scope, TextBuilder out) {
      int i = 0;
      while (i < tests.size() && !Values.truthy(tests.get(i).eval(in, scope))) {
        i++;
      }
      return i < bodies.size() ? execAll(bodies.get(i), in, scope, out) : Flow.NEXT;
    }
  }

  static void assign(Evaluation in, Scope scope, Expression target, Object value) {
    if (target instanceof Literals.Name name) {
      scope.set(name.name(), value);
    } else if (target instanceof Literals.NamespaceTarget ns) {
      ns.assign(scope, value);
    } else if (target instanceof Literals.Items tuple) {
      unpack(in, scope, tuple.items(), value);
    }
  }

  private static void unpack(Evaluation in, Scope scope, List<Expression> targets, Object value) {
    if (!Values.isIterable(value)) {
      throw EvaluationError.type(
          "cannot unpack non-iterable " + Values.typeName(value) + " object");
    }
    List<Object> values = new ArrayList<>(targets.size());
    int n = targets.size();
    for (Iterator<Object> it = Values.iterate(value); it.hasNext(); ) {
      if (values.size() == n) {
        throw EvaluationError.value("too many values to unpack (expected " + n + ")");
      }
      values.add(it.next());
    }
    if (values.size() < n) {
      throw EvaluationError.value(
          "not enough values to unpack (expected " + n + ", got " + values.size() + ")");
    }
    for (int i = 0; i < n; i++) {
      assign(in, scope, targets.get(i), values.get(i));
    }
  }

  static final class Set extends Statement {
    private final Expression target;
    private final Expression value;

    Set(int position, Expression target, Expression value) {
      super(position);
      this.target = target;
      this.value = value;
    }

    @Override
    Flow execute(Evaluation in, Scope scope, TextBuilder out) {
      Object v = value.eval(in, scope);
      in.at(position());
      assign(in, scope, target, v);
      return Flow.NEXT;
    }
  }

  /** {@code {% set x | filter %}…{% endset %}}. */
  static final class SetBlock extends Statement {
    private final Expression target;
    private final Calls.@Nullable FilterCall filter;
    private final List<Statement> body;

    SetBlock(
        int position, Expression target, Calls.@Nullable FilterCall filter, List<Statement> body) {
      super(position);
      this.target = target;
      this.filter = filter;
      this.body = body;
    }

    @Override
    Flow execute(Evaluation in, Scope scope, TextBuilder out) {
      Scope inner = new Scope(scope);
      TextBuilder captured = in.text();
      Flow flow = execAll(body, in, inner, captured);
      if (flow != Flow.NEXT) {
        return flow;
      }
      TracedText text = in.built(captured).asMarkup(in.autoescape());
      Object value = filter == null ? text : filter.filter(in, inner, text);
      in.at(position());
      assign(in, scope, target, value);
      return Flow.NEXT;
    }
  }

  static final class FilterBlock extends Statement {
    private final Calls.FilterCall filter;
    private final List<Statement> body;

    FilterBlock(int position, Calls.FilterCall filter, List<Statement> body) {
      super(position);
      this.filter = filter;
      this.body = body;
    }

    @Override
    Flow execute(Evaluation in, Scope scope, TextBuilder out) {
      Scope inner = new Scope(scope);
      TextBuilder captured = in.text();
      Flow flow = execAll(body, in, inner, captured);
      if (flow == Flow.NEXT) {
        TracedText text = in.built(captured).asMarkup(in.autoescape());
        printString(in, out, filter.filter(in, inner, text));
      }
      return flow;
    }
  }

  static final class With extends Statement {
    private final List<Expression> targets;
    private final List<Expression> values;
    private final List<Statement> body;

    With(int position, List<Expression> targets, List<Expression> values, List<Statement> body) {
      super(position);
      this.targets = targets;
      this.values = values;
      this.body = body;
    }

    @Override
    Flow execute(Evaluation in, Scope scope, TextBuilder out) {
      Scope inner = new Scope(scope);
      for (int i = 0; i < targets.size(); i++) {
        assign(in, inner, targets.get(i), values.get(i).eval(in, scope));
      }
      return execAll(body, in, inner, out);
    }
  }

  static final class AutoEscape extends Statement {
    private final Expression on;
    private final List<Statement> body;

    AutoEscape(int position, Expression on, List<Statement> body) {
      super(position);
      this.on = on;
      this.body = body;
    }

    @Override
    Flow execute(Evaluation in, Scope scope, TextBuilder out) {
      boolean before = in.autoescape();
      in.autoescape(Values.truthy(on.eval(in, scope)));
      Flow flow = execAll(body, in, new Scope(scope), out);
      in.autoescape(before);
      return flow;
    }
  }

  /** {@code generation}: marks what training would learn; renders its body. */
  static final class Block extends Statement {
    private final List<Statement> body;

    Block(int position, List<Statement> body) {
      super(position);
      this.body = body;
    }

    @Override
    Flow execute(Evaluation in, Scope scope, TextBuilder out) {
      return execAll(body, in, new Scope(scope), out);
    }
  }

  /** {@code break} and {@code continue}. */
  static final class Jump extends Statement {
    private final Flow flow;

    Jump(int position, Flow flow) {
      super(position);
      this.flow = flow;
    }

    @Override
    Flow execute(Evaluation in, Scope scope, TextBuilder out) {
      return flow;
    }
  }
}
