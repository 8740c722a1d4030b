package dev.ocellus.vlm.template.syntax;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Attributes, items and slices: {@code .name}, {@code [index]}, {@code [from:to:step]}. */
final class SubscriptParser {
  private final ExpressionParser expressions;
  private final TokenStream tokens;

  SubscriptParser(ExpressionParser expressions) {
    this.expressions = expressions;
    this.tokens = expressions.tokens;
  }

  /** What follows {@code owner} at a dot or bracket. */
  Expression parse(Expression owner) {
    Token open = tokens.next();
    if (open.isOperator(".")) {
      Token name = tokens.next();
      if (name.type() == Token.Type.NAME) {
        return new Lookups.Attribute(open.position(), owner, name.text());
      }
      if (name.type() == Token.Type.INTEGER) {
        Expression index = new Literals.Constant(name.position(), name.integer());
        return new Lookups.Item(open.position(), owner, index);
      }
      throw tokens.fail("expected name or number", name.position());
    }
    Expression e = subscript(owner, open.position());
    if (tokens.isOperator(",")) {
      List<Expression> parts = new ArrayList<>();
      if (!(e instanceof Lookups.Item first)) {
        throw tokens.fail("a slice cannot be part of a tuple");
      }
      parts.add(first.index());
      while (tokens.skipOperator(",")) {
        parts.add(expressions.expression());
      }
      Expression index = new Literals.Items(open.position(), parts, true);
      e = new Lookups.Item(open.position(), owner, index);
    }
    tokens.expectOperator("]");
    return e;
  }

  private Expression subscript(Expression owner, int position) {
    if (tokens.isOperator("]")) {
      return new Lookups.Item(position, owner, new Literals.Items(position, List.of(), true));
    }
    Expression start = tokens.isOperator(":") ? null : expressions.expression();
    if (start != null && !tokens.isOperator(":")) {
      return new Lookups.Item(position, owner, start);
    }
    tokens.expectOperator(":");
    Expression stop = sliceBound();
    Expression step = tokens.skipOperator(":") ? sliceBound() : null;
    return new Lookups.Slice(position, owner, start, stop, step);
  }

  private @Nullable Expression sliceBound() {
    boolean absent = tokens.isOperator(":") || tokens.isOperator("]") || tokens.isOperator(",");
    return absent ? null : expressions.expression();
  }
}
