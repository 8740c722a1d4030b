package dev.ocellus.vlm.template.syntax;

import dev.ocellus.vlm.template.runtime.Builtins;
import dev.ocellus.vlm.template.runtime.Evaluation;
import dev.ocellus.vlm.template.runtime.EvaluationError;
import dev.ocellus.vlm.template.runtime.Scope;
import dev.ocellus.vlm.template.text.TextBuilder;
import java.util.List;

/** The tree of a template. Immutable; its nodes evaluate themselves. */
public final class CompiledTemplate {
  private final Source source;
  private final List<Statement> body;

  private CompiledTemplate(Source source, List<Statement> body) {
    this.source = source;
    this.body = body;
  }

  /**
   * Parses a template.
   *
   * @throws SyntaxError when it is not valid or nests too deep
   */
  public static CompiledTemplate parse(String template, Builtins builtins) {
    Source source = new Source(template);
    TokenStream tokens = new TokenStream(source);
    try {
      return new CompiledTemplate(source, List.copyOf(new Parser(tokens, builtins).template()));
    } catch (EvaluationError e) {
      throw source.error(e.kind(), e.detail(), tokens.current().position());
    } catch (StackOverflowError e) {
      throw source.error(
          EvaluationError.LIMIT,
          "the template nests too deep for the stack of this thread",
          tokens.current().position());
    }
  }

  /** Renders into {@code out}; {@code scope} holds the template's variables. */
  public void run(Evaluation in, Scope scope, TextBuilder out) {
    Statement.execAll(body, in, scope, out);
  }

  /** The line of an offset, from 1. */
  public int line(int position) {
    return source.line(position);
  }

  /** The column of an offset in its line, from 1. */
  public int column(int position) {
    return source.column(position);
  }
}
