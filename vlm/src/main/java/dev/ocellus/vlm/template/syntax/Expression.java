package dev.ocellus.vlm.template.syntax;

import dev.ocellus.vlm.template.runtime.Evaluation;
import dev.ocellus.vlm.template.runtime.EvaluationError;
import dev.ocellus.vlm.template.runtime.Scope;
import java.util.List;

/** An expression of the template, which evaluates itself. */
abstract class Expression {
  /** Deepest tree: bounds the stack that evaluating one needs. */
  static final int MAX_HEIGHT = 200;

  private final int position;
  private int height = 1;

  Expression(int position, Expression... children) {
    this.position = position;
    for (Expression child : children) {
      above(child);
    }
  }

  /** Counts a child's height. */
  final void above(Expression child) {
    height = Math.max(height, child.height + 1);
    if (height > MAX_HEIGHT) {
      throw EvaluationError.limit("an expression nests deeper than " + MAX_HEIGHT + " levels");
    }
  }

  /** Counts children's heights. No lambdas on the way to the first prompt: they start slowly. */
  final void above(List<Expression> children) {
    for (Expression child : children) {
      above(child);
    }
  }

  /** Offset in the source. */
  final int position() {
    return position;
  }

  final Object eval(Evaluation in, Scope scope) {
    in.enter(position);
    Object value = evaluate(in, scope);
    in.leave();
    return value;
  }

  /** The value; {@link #eval} counts and should be called instead. */
  abstract Object evaluate(Evaluation in, Scope scope);
}
