package dev.ocellus.vlm.template.syntax;

import dev.ocellus.vlm.template.runtime.Builtins;
import dev.ocellus.vlm.template.runtime.EvaluationError;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Statements: what stands between {@code {%} and {@code %}}, and the text between tags. */
final class Parser extends ExpressionParser {
  /** Deepest nesting of blocks. */
  private static final int MAX_BLOCKS = 60;

  private static final Set<String> NOT_SUPPORTED =
      Set.of("include", "import", "from", "extends", "block");

  private int blocks;
  private boolean inLoop;
  private Set<String> namesRead = new HashSet<>();

  Parser(TokenStream tokens, Builtins builtins) {
    super(tokens, builtins);
  }

  @Override
  void nameRead(String name) {
    namesRead.add(name);
  }

  List<Statement> template() {
    List<Statement> body = statements();
    if (tokens.current().type() != Token.Type.END) {
      throw unknownTag(tokens.current());
    }
    refuseUnknown();
    return body;
  }

  /** Up to the end or to a tag that is no statement, which becomes the current token. */
  private List<Statement> statements(String... ends) {
    if (++blocks > MAX_BLOCKS) {
      throw EvaluationError.limit("blocks nest deeper than " + MAX_BLOCKS + " levels");
    }
    List<Statement> body = new ArrayList<>();
    while (true) {
      Token token = tokens.next();
      switch (token.type()) {
        case DATA -> body.add(new Statements.Data(token.position(), token.text()));
        case VARIABLE_BEGIN -> {
          Expression value = tuple(true, true, "", false);
          if (tokens.current().type() != Token.Type.VARIABLE_END) {
            throw tokens.unexpected("end of print statement");
          }
          tokens.next();
          body.add(new Statements.Print(token.position(), value));
        }
        case BLOCK_BEGIN -> {
          for (String end : ends) {
            if (tokens.isName(end)) {
              blocks--;
              return body;
            }
          }
          body.add(statement());
          tokens.expect(Token.Type.BLOCK_END, "end of statement block");
        }
        default -> {
          if (ends.length > 0) {
            throw tokens.fail(
                "Unexpected end of template: looking for " + String.join(" or ", ends));
          }
          blocks--;
          return body;
        }
      }
    }
  }

  /** The body of a block: up to one of {@code ends}, which becomes the current token. */
  private List<Statement> body(String... ends) {
    openBody();
    boolean outer = optional;
    optional = false;
    List<Statement> body = statements(ends);
    optional = outer;
    return body;
  }

  private void openBody() {
    tokens.skipOperator(":");
    tokens.expect(Token.Type.BLOCK_END, "end of statement block");
  }

  /** Likewise, and moves behind the end. */
  private List<Statement> closedBody(String end) {
    List<Statement> body = body(end);
    tokens.next();
    return body;
  }

  private SyntaxError unknownTag(Token token) {
    return tokens.fail("Encountered unknown tag '" + token.describe() + "'.", token.position());
  }

  private Statement statement() {
    Token token = tokens.expect(Token.Type.NAME, "a tag name");
    int position = token.position();
    return switch (token.text()) {
      case "if" -> ifStatement(position);
      case "for" -> forStatement(position);
      case "set" -> setStatement(position);
      case "macro" -> macro(position);
      case "call" -> callBlock(position);
      case "filter" -> {
        Calls.FilterCall filter = filterChain(null);
        yield new Statements.FilterBlock(position, filter, closedBody("endfilter"));
      }
      case "with" -> with(position);
      case "autoescape" -> {
        Expression on = expression();
        yield new Statements.AutoEscape(position, on, closedBody("endautoescape"));
      }
      case "generation" -> {
        boolean loop = inLoop;
        inLoop = false;
        List<Statement> body = closedBody("endgeneration");
        inLoop = loop;
        yield new Statements.Block(position, body);
      }
      case "print" -> print(position);
      case "break", "continue" -> {
        if (!inLoop) {
          throw tokens.fail("'" + token.text() + "' outside of a loop", position);
        }
        yield new Statements.Jump(
            position,
            token.text().equals("break") ? Statement.Flow.BREAK : Statement.Flow.CONTINUE);
      }
      default -> {
        if (NOT_SUPPORTED.contains(token.text())) {
          throw tokens.fail(
              "'" + token.text() + "' is not supported: a chat template is a single file",
              position);
        }
        throw unknownTag(token);
      }
    };
  }

  private Statement ifStatement(int position) {
    boolean outer = optional;
    optional = true;
    List<Expression> tests = new ArrayList<>();
    List<List<Statement>> bodies = new ArrayList<>();
    String tag = "if";
    while (!tag.equals("endif")) {
      boolean last = tag.equals("else");
      if (!last) {
        tests.add(tuple(true, false, "", false));
      }
      openBody();
      bodies.add(last ? statements("endif") : statements("elif", "else", "endif"));
      tag = tokens.next().text();
    }
    optional = outer;
    return new Statements.If(position, tests, bodies);
  }

  private Statement forStatement(int position) {
    Expression target = target("in");
    refuseLoop(target, position);
    tokens.expectName("in");
    Expression items = tuple(true, false, "recursive", false);
    Expression test = tokens.skipName("if") ? expression() : null;
    boolean recursive = tokens.skipName("recursive");
    boolean outer = inLoop;
    inLoop = true;
    List<Statement> body = body("endfor", "else");
    inLoop = outer;
    List<Statement> elseBody = List.of();
    if (tokens.next().text().equals("else")) {
      elseBody = closedBody("endfor");
    }
    return new ForLoop(position, target, items, test, recursive, body, elseBody);
  }

  private void refuseLoop(Expression target, int position) {
    if (target instanceof Literals.Items items) {
      for (Expression item : items.items()) {
        refuseLoop(item, position);
      }
    } else if (target instanceof Literals.NamespaceTarget) {
      throw tokens.fail("a loop cannot assign to attributes", position);
    } else if (target instanceof Literals.Name name && name.name().equals("loop")) {
      throw tokens.fail("Can't assign to special loop variable in for-loop target", position);
    }
  }

  private Expression target(String end) {
    int position = tokens.current().position();
    Expression target = tuple(false, false, end, false);
    checkTarget(target, position);
    return target;
  }

  private void checkTarget(Expression target, int position) {
    if (target instanceof Literals.Items items && items.isTuple()) {
      for (Expression item : items.items()) {
        checkTarget(item, position);
      }
    } else if (!(target instanceof Literals.Name || target instanceof Literals.NamespaceTarget)) {
      throw tokens.fail("can only assign to names", position);
    }
  }

  private Statement setStatement(int position) {
    Expression target = target("");
    if (tokens.skipOperator("=")) {
      return new Statements.Set(position, target, tuple(true, true, "", false));
    }
    Calls.FilterCall filter = null;
    while (tokens.skipOperator("|")) {
      filter = filter(filter);
    }
    return new Statements.SetBlock(position, target, filter, closedBody("endset"));
  }

  private Calls.FilterCall filterChain(Calls.@Nullable FilterCall first) {
    Calls.FilterCall filter = filter(first);
    while (tokens.skipOperator("|")) {
      filter = filter(filter);
    }
    return filter;
  }

  private Statement with(int position) {
    List<Expression> targets = new ArrayList<>();
    List<Expression> values = new ArrayList<>();
    while (tokens.current().type() != Token.Type.BLOCK_END) {
      if (!targets.isEmpty()) {
        tokens.expectOperator(",");
      }
      targets.add(target(""));
      tokens.expectOperator("=");
      values.add(expression());
    }
    return new Statements.With(position, targets, values, closedBody("endwith"));
  }

  private Statement print(int position) {
    List<Statement> parts = new ArrayList<>();
    while (tokens.current().type() != Token.Type.BLOCK_END) {
      if (!parts.isEmpty()) {
        tokens.expectOperator(",");
      }
      parts.add(new Statements.Print(position, expression()));
    }
    return new Statements.Block(position, parts);
  }

  private Statement macro(int position) {
    String name = tokens.expect(Token.Type.NAME, "a macro name").text();
    if (!tokens.isOperator("(")) {
      throw tokens.unexpected("'('");
    }
    return new Macros.Define(position, definition(position, name, "endmacro"));
  }

  private Statement callBlock(int position) {
    // The signature comes before the call, the body after it.
    Signature signature = tokens.isOperator("(") ? signature() : new Signature();
    if (!(expression() instanceof Calls.Call call)) {
      throw tokens.fail("expected call", position);
    }
    return new Macros.CallBlock(position, call, definition(position, "", signature, "endcall"));
  }

  private static final class Signature {
    final List<String> parameters = new ArrayList<>();
    final List<Expression> defaults = new ArrayList<>();
  }

  private Signature signature() {
    Signature signature = new Signature();
    tokens.expectOperator("(");
    while (!tokens.isOperator(")")) {
      if (!signature.parameters.isEmpty()) {
        tokens.expectOperator(",");
      }
      Token name = tokens.expect(Token.Type.NAME, "a parameter name");
      if (signature.parameters.contains(name.text())) {
        throw tokens.fail("duplicate parameter '" + name.text() + "'", name.position());
      }
      signature.parameters.add(name.text());
      if (tokens.skipOperator("=")) {
        signature.defaults.add(expression());
      } else if (!signature.defaults.isEmpty()) {
        throw tokens.fail("non-default argument follows default argument", name.position());
      }
    }
    tokens.next();
    return signature;
  }

  private Macros.Definition definition(int position, String name, String end) {
    return definition(position, name, signature(), end);
  }

  private Macros.Definition definition(int position, String name, Signature signature, String end) {
    Set<String> outerNames = namesRead;
    boolean outerLoop = inLoop;
    namesRead = new HashSet<>();
    inLoop = false;
    List<Statement> body = closedBody(end);
    List<String> parameters = signature.parameters;
    int caller = parameters.indexOf("caller");
    int firstDefault = parameters.size() - signature.defaults.size();
    if (caller >= 0 && caller < firstDefault && namesRead.contains("caller")) {
      throw tokens.fail("the special \"caller\" parameter needs a default", position);
    }
    Macros.Definition definition =
        new Macros.Definition(
            position,
            name,
            parameters,
            signature.defaults,
            body,
            namesRead.contains("caller"),
            namesRead.contains("kwargs") && !parameters.contains("kwargs"),
            namesRead.contains("varargs") && !parameters.contains("varargs"));
    outerNames.addAll(namesRead);
    namesRead = outerNames;
    inLoop = outerLoop;
    return definition;
  }
}
