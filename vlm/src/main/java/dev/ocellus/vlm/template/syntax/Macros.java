package dev.ocellus.vlm.template.syntax;

import dev.ocellus.vlm.template.runtime.Evaluation;
import dev.ocellus.vlm.template.runtime.Scope;
import dev.ocellus.vlm.template.text.TextBuilder;
import java.util.List;

/** Statements that define macros and call them with a body. */
final class Macros {
  private Macros() {}

  /**
   * A macro's parameters and body.
   *
   * @param defaults for the last parameters
   * @param usesCaller whether the body asks for {@code caller}, and so on for the other two
   */
  record Definition(
      int position,
      String name,
      List<String> parameters,
      List<Expression> defaults,
      List<Statement> body,
      boolean usesCaller,
      boolean usesKwargs,
      boolean usesVarargs) {}

  static final class Define extends Statement {
    private final Definition definition;

    Define(int position, Definition definition) {
      super(position);
      this.definition = definition;
    }

    @Override
    Flow execute(Evaluation in, Scope scope, TextBuilder out) {
      scope.set(definition.name(), new MacroValue(definition, scope));
      return Flow.NEXT;
    }
  }

  /** {@code {% call(x) f() %}…{% endcall %}}. */
  static final class CallBlock extends Statement {
    private final Calls.Call call;
    private final Definition body;

    CallBlock(int position, Calls.Call call, Definition body) {
      super(position);
      this.call = call;
      this.body = body;
    }

    @Override
    Flow execute(Evaluation in, Scope scope, TextBuilder out) {
      Statements.printString(in, out, call.call(in, scope, new MacroValue(body, scope)));
      return Flow.NEXT;
    }
  }
}
