package dev.ocellus.vlm.template.syntax;

import dev.ocellus.vlm.template.runtime.Evaluation;
import dev.ocellus.vlm.template.runtime.LoopContext;
import dev.ocellus.vlm.template.runtime.None;
import dev.ocellus.vlm.template.runtime.PythonGenerator;
import dev.ocellus.vlm.template.runtime.Scope;
import dev.ocellus.vlm.template.runtime.Values;
import dev.ocellus.vlm.template.text.TextBuilder;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;

/** {@code for target in items if test recursive … else … endfor}. */
final class ForLoop extends Statement {
  private final Expression target;
  private final Expression items;
  private final @Nullable Expression test;
  private final boolean recursive;
  private final List<Statement> body;
  private final List<Statement> elseBody;

  ForLoop(
      int position,
      Expression target,
      Expression items,
      @Nullable Expression test,
      boolean recursive,
      List<Statement> body,
      List<Statement> elseBody) {
    super(position);
    this.target = target;
    this.items = items;
    this.test = test;
    this.recursive = recursive;
    this.body = body;
    this.elseBody = elseBody;
  }

  @Override
  Flow execute(Evaluation in, Scope scope, TextBuilder out) {
    Object values = items.eval(in, scope);
    in.at(position());
    return run(in, scope, out, values, 0, recursive ? new Recursion(scope) : null);
  }

  /** What {@code loop(items)} does in the body. */
  private final class Recursion implements LoopContext.Recursion {
    private final Scope scope;

    Recursion(Scope scope) {
      this.scope = scope;
    }

    @Override
    public Object render(Evaluation in, Object values, int depth0) {
      in.enter(position());
      TextBuilder out = in.text();
      run(in, scope, out, values, depth0, this);
      in.leave();
      return in.built(out).asMarkup(in.autoescape());
    }
  }

  private Flow run(
      Evaluation in,
      Scope scope,
      TextBuilder out,
      Object values,
      int depth0,
      LoopContext.@Nullable Recursion recursion) {
    Iterator<Object> iterator = Values.iterate(values);
    Object counted = values;
    Expression condition = test;
    if (condition != null) {
      iterator = new Filtered(in, scope, iterator, condition);
      counted = new PythonGenerator(iterator, None.NONE);
    }
    LoopContext loop = new LoopContext(in, counted, iterator, depth0, recursion);
    // As in the reference, else runs unless an iteration came to its end.
    boolean completed = false;
    for (Object item = loop.next(); item != null; item = loop.next()) {
      in.steps(1);
      Scope inner = new Scope(scope);
      inner.set("loop", loop);
      assign(in, inner, item);
      Flow flow = execAll(body, in, inner, out);
      completed |= flow == Flow.NEXT;
      if (flow == Flow.BREAK) {
        break;
      }
    }
    return completed ? Flow.NEXT : execAll(elseBody, in, new Scope(scope), out);
  }

  private void assign(Evaluation in, Scope inner, Object item) {
    in.at(position());
    Statements.assign(in, inner, target, item);
  }

  /** The items that pass the loop's own test, asked one by one as the body goes on. */
  private final class Filtered implements Iterator<Object> {
    private final Evaluation in;
    private final Scope scope;
    private final Iterator<Object> source;
    private final Expression condition;
    private @Nullable Object next;

    Filtered(Evaluation in, Scope scope, Iterator<Object> source, Expression condition) {
      this.in = in;
      this.scope = scope;
      this.source = source;
      this.condition = condition;
    }

    @Override
    public boolean hasNext() {
      while (next == null && source.hasNext()) {
        Object candidate = source.next();
        Scope inner = new Scope(scope);
        assign(in, inner, candidate);
        if (Values.truthy(condition.eval(in, inner))) {
          next = candidate;
        }
      }
      return next != null;
    }

    @Override
    public Object next() {
      if (!hasNext() || next == null) {
        throw new NoSuchElementException();
      }
      Object out = next;
      next = null;
      return out;
    }
  }
}
