package dev.ocellus.vlm.template.syntax;

import java.util.List;

/** The tokens of a template, read one by one. */
final class TokenStream {
  private final Source source;
  private final List<Token> tokens;
  private int at;

  TokenStream(Source source) {
    this.source = source;
    this.tokens = new Lexer(source).tokens();
  }

  Token current() {
    return tokens.get(at);
  }

  Token following() {
    return tokens.get(Math.min(at + 1, tokens.size() - 1));
  }

  Token next() {
    Token token = current();
    if (at < tokens.size() - 1) {
      at++;
    }
    return token;
  }

  boolean isName(String name) {
    return current().isName(name);
  }

  boolean isOperator(String operator) {
    return current().isOperator(operator);
  }

  boolean skipName(String name) {
    boolean found = isName(name);
    if (found) {
      next();
    }
    return found;
  }

  boolean skipOperator(String operator) {
    boolean found = isOperator(operator);
    if (found) {
      next();
    }
    return found;
  }

  Token expectOperator(String operator) {
    if (!isOperator(operator)) {
      throw unexpected("'" + operator + "'");
    }
    return next();
  }

  void expectName(String name) {
    if (!skipName(name)) {
      throw unexpected("'" + name + "'");
    }
  }

  Token expect(Token.Type type, String described) {
    if (current().type() != type) {
      throw unexpected(described);
    }
    return next();
  }

  SyntaxError unexpected(String wanted) {
    return fail("expected " + wanted + ", found '" + current().describe() + "'");
  }

  SyntaxError fail(String detail) {
    return source.syntax(detail, current().position());
  }

  SyntaxError fail(String detail, int position) {
    return source.syntax(detail, position);
  }
}
