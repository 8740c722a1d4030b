package dev.ocellus.vlm.template;

import java.math.BigInteger;
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

  /** Uses of filters and tests that do not exist, except in branches that may never be taken. */
  private final List<TemplateSyntaxException> unknown = new ArrayList<>();

  /** Whether what is parsed may never be evaluated. */
  boolean optional;

  private int nesting;

  ExpressionParser(TokenStream tokens) {
    this.tokens = tokens;
  }

  /** Told of each name that is read; the parser of macros wants to know. */
  void nameRead(String name) {}

  private void unknown(TemplateSyntaxException use) {
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

  final Expr expression() {
    return expression(true);
  }

  private Expr expression(boolean conditional) {
    if (++nesting > MAX_NESTING) {
      throw Fail.limit("expressions nest deeper than " + MAX_NESTING + " levels");
    }
    Expr e = conditional ? conditional() : or();
    nesting--;
    return e;
  }

  private Expr conditional() {
    int known = unknown.size();
    Expr e = or();
    while (tokens.isName("if")) {
      int position = tokens.next().position();
      Expr test = or();
      Expr otherwise = tokens.skipName("else") ? expression() : null;
      e = new Operations.Conditional(position, test, e, otherwise);
      unknown.subList(known, unknown.size()).clear();
    }
    return e;
  }

  private Expr or() {
    Expr left = and();
    while (tokens.isName("or")) {
      int position = tokens.next().position();
      left = new Operations.Logical(position, false, left, and());
    }
    return left;
  }

  private Expr and() {
    Expr left = not();
    while (tokens.isName("and")) {
      int position = tokens.next().position();
      left = new Operations.Logical(position, true, left, not());
    }
    return left;
  }

  private Expr not() {
    List<Integer> positions = new ArrayList<>(0);
    while (tokens.isName("not")) {
      positions.add(tokens.next().position());
    }
    Expr e = comparison();
    for (int position : positions.reversed()) {
      e = new Operations.Unary(position, '!', e);
    }
    return e;
  }

  private Expr comparison() {
    Expr first = sum();
    List<String> operators = new ArrayList<>(1);
    List<Expr> operands = new ArrayList<>(1);
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

  private Expr sum() {
    Expr left = concat();
    while (tokens.isOperator("+") || tokens.isOperator("-")) {
      Token op = tokens.next();
      left = new Operations.Binary(op.position(), op.text().charAt(0), left, concat());
    }
    return left;
  }

  private Expr concat() {
    Expr first = product();
    if (!tokens.isOperator("~")) {
      return first;
    }
    int position = tokens.current().position();
    List<Expr> parts = new ArrayList<>();
    parts.add(first);
    while (tokens.skipOperator("~")) {
      parts.add(product());
    }
    return new Operations.Concat(position, parts);
  }

  private Expr product() {
    Expr left = power();
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

  private Expr power() {
    Expr left = unary(true);
    while (tokens.isOperator("**")) {
      int position = tokens.next().position();
      left = new Operations.Binary(position, 'p', left, unary(true));
    }
    return left;
  }

  private Expr unary(boolean withFilters) {
    Expr e;
    if (tokens.isOperator("-") || tokens.isOperator("+")) {
      if (++nesting > MAX_NESTING) {
        throw Fail.limit("signs nest deeper than " + MAX_NESTING + " levels");
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
  final Expr primary(boolean target) {
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
        yield new Literals.Constant(position, Text.trusted(text.toString()));
      }
      case INTEGER -> {
        tokens.next();
        yield new Literals.Constant(position, integer(token));
      }
      case FLOAT -> {
        tokens.next();
        yield new Literals.Constant(position, Double.valueOf(token.text()));
      }
      default -> {
        if (token.isOperator("(")) {
          tokens.next();
          Expr e = tuple(true, true, "", true);
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

  private Expr name(Token token, boolean target) {
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

  private static Object integer(Token token) {
    String digits = token.text();
    int radix =
        digits.length() < 2
            ? 10
            : switch (digits.charAt(1)) {
              case 'x', 'X' -> 16;
              case 'o', 'O' -> 8;
              case 'b', 'B' -> 2;
              default -> 10;
            };
    if (digits.length() > 4300) {
      throw Fail.limit("an integer of more than 4300 digits");
    }
    return Numbers.bounded(new BigInteger(radix == 10 ? digits : digits.substring(2), radix));
  }

  /**
   * Expressions with commas between them: a tuple, unless there is just one without a comma.
   *
   * @param end a name that ends the tuple, besides the usual ends
   * @param inParentheses whether nothing at all means the empty tuple
   */
  final Expr tuple(boolean values, boolean conditional, String end, boolean inParentheses) {
    int position = tokens.current().position();
    List<Expr> items = new ArrayList<>(1);
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

  private Expr list() {
    int position = tokens.expectOperator("[").position();
    List<Expr> items = new ArrayList<>();
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

  private Expr mapping() {
    int position = tokens.expectOperator("{").position();
    List<Expr> keys = new ArrayList<>();
    List<Expr> values = new ArrayList<>();
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

  private Expr postfix(Expr e) {
    while (true) {
      if (tokens.isOperator(".") || tokens.isOperator("[")) {
        e = lookup(e);
      } else if (tokens.isOperator("(")) {
        e = new Calls.Call(tokens.current().position(), e, arguments());
      } else {
        return e;
      }
    }
  }

  private Expr lookup(Expr owner) {
    Token open = tokens.next();
    if (open.isOperator(".")) {
      Token name = tokens.next();
      if (name.type() == Token.Type.NAME) {
        return new Lookups.Attribute(open.position(), owner, name.text());
      }
      if (name.type() == Token.Type.INTEGER) {
        Expr index = new Literals.Constant(name.position(), integer(name));
        return new Lookups.Item(open.position(), owner, index);
      }
      throw tokens.fail("expected name or number", name.position());
    }
    Expr e = subscript(owner, open.position());
    if (tokens.isOperator(",")) {
      List<Expr> parts = new ArrayList<>();
      if (!(e instanceof Lookups.Item first)) {
        throw tokens.fail("a slice cannot be part of a tuple");
      }
      parts.add(first.index());
      while (tokens.skipOperator(",")) {
        parts.add(expression());
      }
      Expr index = new Literals.Items(open.position(), parts, true);
      e = new Lookups.Item(open.position(), owner, index);
    }
    tokens.expectOperator("]");
    return e;
  }

  private Expr subscript(Expr owner, int position) {
    if (tokens.isOperator("]")) {
      return new Lookups.Item(position, owner, new Literals.Items(position, List.of(), true));
    }
    Expr start = tokens.isOperator(":") ? null : expression();
    if (start != null && !tokens.isOperator(":")) {
      return new Lookups.Item(position, owner, start);
    }
    tokens.expectOperator(":");
    Expr stop = sliceBound();
    Expr step = tokens.skipOperator(":") ? sliceBound() : null;
    return new Lookups.Slice(position, owner, start, stop, step);
  }

  private @Nullable Expr sliceBound() {
    boolean absent = tokens.isOperator(":") || tokens.isOperator("]") || tokens.isOperator(",");
    return absent ? null : expression();
  }

  private Expr filters(Expr e) {
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
  final Calls.FilterCall filter(@Nullable Expr operand) {
    int position = tokens.current().position();
    String name = dottedName("a filter name");
    if (!Filters.exists(name)) {
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

  private Expr test(Expr operand) {
    int position = tokens.next().position();
    boolean negated = tokens.skipName("not");
    String name = dottedName("a test name");
    if (!Tests.exists(name)) {
      unknown(tokens.fail("No test named '" + name + "'.", position));
    }
    Calls.ArgumentList args = Calls.ArgumentList.NONE;
    if (tokens.isOperator("(")) {
      args = arguments();
    } else if (startsArgument()) {
      if (tokens.isName("is")) {
        throw tokens.fail("You cannot chain multiple tests with is");
      }
      Expr argument = postfix(primary(false));
      args = new Calls.ArgumentList(List.of(argument), Map.of(), null, null);
    }
    Expr e = new Calls.TestCall(position, operand, name, args);
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
