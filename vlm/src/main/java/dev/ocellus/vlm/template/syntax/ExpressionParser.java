package dev.ocellus.vlm.template.syntax;

import dev.ocellus.vlm.template.runtime.Builtins;
import dev.ocellus.vlm.template.runtime.EvaluationError;
import dev.ocellus.vlm.template.runtime.None;
import dev.ocellus.vlm.template.text.TracedText;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Expressions, from the loosest binding to the tightest. */
class ExpressionParser {
  /** Deepest nesting of parentheses and the like: bounds the stack that parsing needs. */
  private static final int MAX_NESTING = 100;

  private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");

  final TokenStream tokens;
  private final Builtins builtins;

  /** Uses of filters and tests that do not exist, except in branches that may never be taken. */
  private final List<SyntaxError> unknown = new ArrayList<>();

  /** Whether what is parsed may never be evaluated. */
  boolean optional;

  private int nesting;

  ExpressionParser(TokenStream tokens, Builtins builtins) {
    this.tokens = tokens;
    this.builtins = builtins;
  }

  /** Told of each name that is read; the parser of macros wants to know. */
  void nameRead(String name) {}

  private void unknown(SyntaxError use) {
    if (!optional) {
      unknown.add(use);
    }
  }

  /** Fails if a filter or test that will surely be needed does not exist. */
  final void refuseUnknown() {
    if (!unknown.isEmpty()) {
      throw unknown.getFirst();
    }
  }

  final Expression expression() {
    return expression(true);
  }

  private Expression expression(boolean conditional) {
    if (++nesting > MAX_NESTING) {
      throw EvaluationError.limit("expressions nest deeper than " + MAX_NESTING + " levels");
    }
    Expression e = conditional ? conditional() : or();
    nesting--;
    return e;
  }

  private Expression conditional() {
    int known = unknown.size();
    Expression e = or();
    while (tokens.isName("if")) {
      int position = tokens.next().position();
      Expression test = or();
      Expression elseValue = tokens.skipName("else") ? expression() : null;
      e = new Operations.Conditional(position, test, e, elseValue);
      unknown.subList(known, unknown.size()).clear();
    }
    return e;
  }

  private Expression or() {
    Expression left = and();
    while (tokens.isName("or")) {
      int position = tokens.next().position();
      left = new Operations.Logical(position, false, left, and());
    }
    return left;
  }

  private Expression and() {
    Expression left = not();
    while (tokens.isName("and")) {
      int position = tokens.next().position();
      left = new Operations.Logical(position, true, left, not());
    }
    return left;
  }

  private Expression not() {
    List<Integer> positions = new ArrayList<>(0);
    while (tokens.isName("not")) {
      positions.add(tokens.next().position());
    }
    Expression e = comparison();
    for (int position : positions.reversed()) {
      e = new Operations.Unary(position, '!', e);
    }
    return e;
  }

  private Expression comparison() {
    Expression first = sum();
    List<String> operators = new ArrayList<>(1);
    List<Expression> operands = new ArrayList<>(1);
    int position = tokens.current().position();
    while (true) {
      Token token = tokens.current();
      if (token.type() == Token.Type.OPERATOR && COMPARISONS.contains(token.text())) {
        operators.add(tokens.next().text());
      } else if (token.isName("in")) {
        tokens.next();
        operators.add("in");
      } else if (token.isName("not") && tokens.following().isName("in")) {
        tokens.next();
        tokens.next();
        operators.add("not in");
      } else {
        break;
      }
      operands.add(sum());
    }
    return operators.isEmpty()
        ? first
        : new Operations.Compare(position, first, operators, operands);
  }

  private Expression sum() {
    Expression left = concat();
    while (tokens.isOperator("+") || tokens.isOperator("-")) {
      Token op = tokens.next();
      left = new Operations.Binary(op.position(), op.text().charAt(0), left, concat());
    }
    return left;
  }

  private Expression concat() {
    Expression first = product();
    if (!tokens.isOperator("~")) {
      return first;
    }
    int position = tokens.current().position();
    List<Expression> parts = new ArrayList<>();
    parts.add(first);
    while (tokens.skipOperator("~")) {
      parts.add(product());
    }
    return new Operations.Concat(position, parts);
  }

  private Expression product() {
    Expression left = power();
    while (true) {
      Token op = tokens.current();
      if (!(op.isOperator("*")
          || op.isOperator("/")
          || op.isOperator("//")
          || op.isOperator("%"))) {
        return left;
      }
      tokens.next();
      char sign = op.text().equals("//") ? 'f' : op.text().charAt(0);
      left = new Operations.Binary(op.position(), sign, left, power());
    }
  }

  private Expression power() {
    Expression left = unary(true);
    while (tokens.isOperator("**")) {
      int position = tokens.next().position();
      left = new Operations.Binary(position, 'p', left, unary(true));
    }
    return left;
  }

  private Expression unary(boolean withFilters) {
    Expression e;
    if (tokens.isOperator("-") || tokens.isOperator("+")) {
      if (++nesting > MAX_NESTING) {
        throw EvaluationError.limit("signs nest deeper than " + MAX_NESTING + " levels");
      }
      Token sign = tokens.next();
      e = new Operations.Unary(sign.position(), sign.text().charAt(0), unary(false));
      nesting--;
    } else {
      e = primary(false);
    }
    e = postfix(e);
    return withFilters ? filters(e) : e;
  }

  /** A name, literal or something in brackets; {@code target} allows {@code ns.name}. */
  final Expression primary(boolean target) {
    Token token = tokens.current();
    int position = token.position();
    return switch (token.type()) {
      case NAME -> {
        tokens.next();
        yield name(token, target);
      }
      case STRING -> {
        StringBuilder text = new StringBuilder();
        while (tokens.current().type() == Token.Type.STRING) {
          text.append(tokens.next().text());
        }
        yield new Literals.Constant(position, TracedText.trusted(text.toString()));
      }
      case INTEGER -> {
        tokens.next();
        yield new Literals.Constant(position, token.integer());
      }
      case FLOAT -> {
        tokens.next();
        yield new Literals.Constant(position, Double.valueOf(token.text()));
      }
      default -> {
        if (token.isOperator("(")) {
          tokens.next();
          Expression e = tuple(true, true, "", true);
          tokens.expectOperator(")");
          yield e;
        }
        if (token.isOperator("[")) {
          yield list();
        }
        if (token.isOperator("{")) {
          yield mapping();
        }
        throw tokens.fail("unexpected '" + token.describe() + "'");
      }
    };
  }

  private Expression name(Token token, boolean target) {
    int position = token.position();
    return switch (token.text()) {
      case "true", "True" -> new Literals.Constant(position, true);
      case "false", "False" -> new Literals.Constant(position, false);
      case "none", "None" -> new Literals.Constant(position, None.NONE);
      default -> {
        if (target && tokens.isOperator(".")) {
          tokens.next();
          String attribute = tokens.expect(Token.Type.NAME, "an attribute name").text();
          yield new Literals.NamespaceTarget(position, token.text(), attribute);
        }
        nameRead(token.text());
        yield new Literals.Name(position, token.text());
      }
    };
  }

  /**
   * Expressions with commas between them: a tuple, unless there is just one without a comma.
   *
   * @param end a name that ends the tuple, besides the usual ends
   * @param inParentheses whether nothing at all means the empty tuple
   */
  final Expression tuple(boolean values, boolean conditional, String end, boolean inParentheses) {
    int position = tokens.current().position();
    List<Expression> items = new ArrayList<>(1);
    boolean tuple = false;
    while (true) {
      if (!items.isEmpty()) {
        tokens.expectOperator(",");
      }
      if (tupleEnds(end)) {
        break;
      }
      items.add(values ? expression(conditional) : primary(true));
      if (!tokens.isOperator(",")) {
        break;
      }
      tuple = true;
    }
    if (!tuple) {
      if (!items.isEmpty()) {
        return items.get(0);
      }
      if (!inParentheses) {
        throw tokens.unexpected("an expression");
      }
    }
    return new Literals.Items(position, items, true);
  }

  private boolean tupleEnds(String end) {
    Token token = tokens.current();
    return token.type() == Token.Type.VARIABLE_END
        || token.type() == Token.Type.BLOCK_END
        || token.isOperator(")")
        || (!end.isEmpty() && token.isName(end));
  }

  private Expression list() {
    int position = tokens.expectOperator("[").position();
    List<Expression> items = new ArrayList<>();
    while (!tokens.isOperator("]")) {
      if (!items.isEmpty()) {
        tokens.expectOperator(",");
      }
      if (tokens.isOperator("]")) {
        break;
      }
      items.add(expression());
    }
    tokens.expectOperator("]");
    return new Literals.Items(position, items, false);
  }

  private Expression mapping() {
    int position = tokens.expectOperator("{").position();
    List<Expression> keys = new ArrayList<>();
    List<Expression> values = new ArrayList<>();
    while (!tokens.isOperator("}")) {
      if (!keys.isEmpty()) {
        tokens.expectOperator(",");
      }
      if (tokens.isOperator("}")) {
        break;
      }
      keys.add(expression());
      tokens.expectOperator(":");
      values.add(expression());
    }
    tokens.expectOperator("}");
    return new Literals.Mapping(position, keys, values);
  }

  private Expression postfix(Expression e) {
    while (true) {
      if (tokens.isOperator(".") || tokens.isOperator("[")) {
        e = new SubscriptParser(this).parse(e);
      } else if (tokens.isOperator("(")) {
        e = new Calls.Call(tokens.current().position(), e, arguments());
      } else {
        return e;
      }
    }
  }

  private Expression filters(Expression e) {
    while (true) {
      if (tokens.isOperator("|")) {
        tokens.next();
        e = filter(e);
      } else if (tokens.isName("is")) {
        e = test(e);
      } else if (tokens.isOperator("(")) {
        e = new Calls.Call(tokens.current().position(), e, arguments());
      } else {
        return e;
      }
    }
  }

  /** The filter whose name comes next, applied to {@code operand}. */
  final Calls.FilterCall filter(@Nullable Expression operand) {
    int position = tokens.current().position();
    String name = dottedName("a filter name");
    if (!builtins.hasFilter(name)) {
      unknown(tokens.fail("No filter named '" + name + "'.", position));
    }
    Calls.ArgumentList args = tokens.isOperator("(") ? arguments() : Calls.ArgumentList.NONE;
    return new Calls.FilterCall(position, operand, name, args);
  }

  private String dottedName(String described) {
    StringBuilder name = new StringBuilder(tokens.expect(Token.Type.NAME, described).text());
    while (tokens.skipOperator(".")) {
      name.append('.').append(tokens.expect(Token.Type.NAME, described).text());
    }
    return name.toString();
  }

  private Expression test(Expression operand) {
    int position = tokens.next().position();
    boolean negated = tokens.skipName("not");
    String name = dottedName("a test name");
    if (!builtins.hasTest(name)) {
      unknown(tokens.fail("No test named '" + name + "'.", position));
    }
    Calls.ArgumentList args = Calls.ArgumentList.NONE;
    if (tokens.isOperator("(")) {
      args = arguments();
    } else if (startsArgument()) {
      if (tokens.isName("is")) {
        throw tokens.fail("You cannot chain multiple tests with is");
      }
      Expression argument = postfix(primary(false));
      args = new Calls.ArgumentList(List.of(argument), Map.of(), null, null);
    }
    Expression e = new Calls.TestCall(position, operand, name, args);
    return negated ? new Operations.Unary(position, '!', e) : e;
  }

  private boolean startsArgument() {
    Token token = tokens.current();
    return switch (token.type()) {
      case NAME -> !token.isName("else") && !token.isName("or") && !token.isName("and");
      case STRING, INTEGER, FLOAT -> true;
      default -> token.isOperator("[") || token.isOperator("{");
    };
  }

  private Calls.ArgumentList arguments() {
    return new ArgumentParser(this).parse();
  }
}
