package dev.ocellus.vlm.template.syntax;

import dev.ocellus.vlm.template.runtime.Evaluation;
import dev.ocellus.vlm.template.runtime.Scope;
import dev.ocellus.vlm.template.text.TextBuilder;
import java.util.List;

/** A statement of the template, which writes what it renders. */
abstract class Statement {
  /** How a statement ended. */
  enum Flow {
    NEXT,
    BREAK,
    CONTINUE
  }

  private final int position;

  Statement(int position) {
    this.position = position;
  }

  final int position() {
    return position;
  }

  final Flow exec(Evaluation in, Scope scope, TextBuilder out) {
    in.enter(position);
    Flow flow = execute(in, scope, out);
    in.leave();
    return flow;
  }

  abstract Flow execute(Evaluation in, Scope scope, TextBuilder out);

  static Flow execAll(List<Statement> body, Evaluation in, Scope scope, TextBuilder out) {
    for (int i = 0; i < body.size(); i++) {
      Flow flow = body.get(i).exec(in, scope, out);
      if (flow != Flow.NEXT) {
        return flow;
      }
    }
    return Flow.NEXT;
  }
}
