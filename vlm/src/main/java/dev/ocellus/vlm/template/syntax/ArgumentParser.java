package dev.ocellus.vlm.template.syntax;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The arguments of a call, in parentheses. */
final class ArgumentParser {
  private final ExpressionParser parser;
  private final TokenStream tokens;
  private final List<Expression> positional = new ArrayList<>();
  private final Map<String, Expression> named = new LinkedHashMap<>();
  private @Nullable Expression spread;
  private @Nullable Expression namedSpread;

  ArgumentParser(ExpressionParser parser) {
    this.parser = parser;
    this.tokens = parser.tokens;
  }

  Calls.ArgumentList parse() {
    int position = tokens.expectOperator("(").position();
    boolean first = true;
    while (!tokens.isOperator(")")) {
      if (!first) {
        tokens.expectOperator(",");
        if (tokens.isOperator(")")) {
          break;
        }
      }
      first = false;
      if (!argument()) {
        throw tokens.fail("invalid syntax for function call expression", position);
      }
    }
    tokens.expectOperator(")");
    return new Calls.ArgumentList(positional, named, spread, namedSpread);
  }

  /** False when the argument may not stand here. */
  private boolean argument() {
    if (tokens.skipOperator("*")) {
      boolean allowed = spread == null && namedSpread == null;
      spread = parser.expression();
      return allowed;
    }
    if (tokens.skipOperator("**")) {
      boolean allowed = namedSpread == null;
      namedSpread = parser.expression();
      return allowed;
    }
    if (tokens.current().type() == Token.Type.NAME && tokens.following().isOperator("=")) {
      String name = tokens.next().text();
      tokens.next();
      return named.put(name, parser.expression()) == null && namedSpread == null;
    }
    positional.add(parser.expression());
    return spread == null && namedSpread == null && named.isEmpty();
  }
}
