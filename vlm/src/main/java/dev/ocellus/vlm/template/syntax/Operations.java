package dev.ocellus.vlm.template.syntax;

import dev.ocellus.vlm.template.runtime.Comparison;
import dev.ocellus.vlm.template.runtime.Evaluation;
import dev.ocellus.vlm.template.runtime.Markup;
import dev.ocellus.vlm.template.runtime.Operators;
import dev.ocellus.vlm.template.runtime.Printing;
import dev.ocellus.vlm.template.runtime.Scope;
import dev.ocellus.vlm.template.runtime.Undefined;
import dev.ocellus.vlm.template.runtime.Values;
import dev.ocellus.vlm.template.text.TextBuilder;
import dev.ocellus.vlm.template.text.TracedText;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Expressions with operators. */
final class Operations {
  private Operations() {}

  static final class Binary extends Expression {
    private final char operator;
    private final Expression left;
    private final Expression right;

    /** The operator's sign; {@code f} stands for {@code //} and {@code p} for {@code **}. */
    Binary(int position, char operator, Expression left, Expression right) {
      super(position, left, right);
      this.operator = operator;
      this.left = left;
      this.right = right;
    }

    @Override
    Object evaluate(Evaluation in, Scope scope) {
      Object a = left.eval(in, scope);
      Object b = right.eval(in, scope);
      in.at(position());
      return Operators.binary(in, operator, a, b);
    }
  }

  static final class Unary extends Expression {
    private final char operator;
    private final Expression operand;

    /** {@code -}, {@code +} or {@code !} for not. */
    Unary(int position, char operator, Expression operand) {
      super(position, operand);
      this.operator = operator;
      this.operand = operand;
    }

    @Override
    Object evaluate(Evaluation in, Scope scope) {
      Object value = operand.eval(in, scope);
      in.at(position());
      return switch (operator) {
        case '-' -> Operators.negate(value);
        case '+' -> Operators.positive(value);
        default -> !Values.truthy(value);
      };
    }
  }

  /** {@code and} and {@code or}: give one of their operands. */
  static final class Logical extends Expression {
    private final boolean and;
    private final Expression left;
    private final Expression right;

    Logical(int position, boolean and, Expression left, Expression right) {
      super(position, left, right);
      this.and = and;
      this.left = left;
      this.right = right;
    }

    @Override
    Object evaluate(Evaluation in, Scope scope) {
      Object value = left.eval(in, scope);
      return Values.truthy(value) == and ? right.eval(in, scope) : value;
    }
  }

  /** A chain of comparisons: {@code a < b in c} holds when each link does. */
  static final class Compare extends Expression {
    private final Expression first;
    private final List<String> operators;
    private final List<Expression> operands;

    Compare(int position, Expression first, List<String> operators, List<Expression> operands) {
      super(position, operands.toArray(new Expression[0]));
      above(first);
      this.first = first;
      this.operators = operators;
      this.operands = operands;
    }

    @Override
    Object evaluate(Evaluation in, Scope scope) {
      Object left = first.eval(in, scope);
      for (int i = 0; i < operators.size(); i++) {
        Object right = operands.get(i).eval(in, scope);
        in.at(position());
        if (!holds(in, operators.get(i), left, right)) {
          return false;
        }
        left = right;
      }
      return true;
    }

    private static boolean holds(Evaluation in, String operator, Object a, Object b) {
      return switch (operator) {
        case "in" -> Comparison.contains(in, b, a);
        case "not in" -> !Comparison.contains(in, b, a);
        default -> Comparison.holds(in, operator, a, b);
      };
    }
  }

  /** {@code a ~ b}: everything printed and joined. */
  static final class Concat extends Expression {
    private final List<Expression> parts;

    Concat(int position, List<Expression> parts) {
      super(position, parts.toArray(new Expression[0]));
      this.parts = parts;
    }

    @Override
    Object evaluate(Evaluation in, Scope scope) {
      TracedText[] texts = new TracedText[parts.size()];
      boolean markup = false;
      for (int i = 0; i < texts.length; i++) {
        texts[i] = Printing.softStr(in, parts.get(i).eval(in, scope));
        markup |= texts[i].isMarkup();
      }
      boolean escape = in.autoescape() && markup;
      TextBuilder out = in.text();
      for (TracedText t : texts) {
        out.append(escape ? Markup.escape(in, t) : t);
      }
      return in.built(out).asMarkup(escape);
    }
  }

  /** {@code a if test else b}. */
  static final class Conditional extends Expression {
    private final Expression test;
    private final Expression then;
    private final @Nullable Expression elseValue;

    Conditional(int position, Expression test, Expression then, @Nullable Expression elseValue) {
      super(position, test, then);
      if (elseValue != null) {
        above(elseValue);
      }
      this.test = test;
      this.then = then;
      this.elseValue = elseValue;
    }

    @Override
    Object evaluate(Evaluation in, Scope scope) {
      if (Values.truthy(test.eval(in, scope))) {
        return then.eval(in, scope);
      }
      if (elseValue != null) {
        return elseValue.eval(in, scope);
      }
      return Undefined.of(
          "the inline if-expression evaluated to false and no else section was defined.");
    }
  }
}
