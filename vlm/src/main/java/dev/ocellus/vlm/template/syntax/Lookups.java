package dev.ocellus.vlm.template.syntax;

import dev.ocellus.vlm.template.runtime.Access;
import dev.ocellus.vlm.template.runtime.Evaluation;
import dev.ocellus.vlm.template.runtime.Scope;
import dev.ocellus.vlm.template.text.TracedText;
import org.jspecify.annotations.Nullable;

/** Expressions that fetch a part of a value. */
final class Lookups {
  private Lookups() {}

  static final class Attribute extends Expression {
    private final Expression owner;
    private final TracedText name;

    Attribute(int position, Expression owner, String name) {
      super(position, owner);
      this.owner = owner;
      this.name = TracedText.trusted(name);
    }

    @Override
    Object evaluate(Evaluation in, Scope scope) {
      Object value = owner.eval(in, scope);
      in.at(position());
      return Access.attribute(in, value, name);
    }
  }

  static final class Item extends Expression {
    private final Expression owner;
    private final Expression index;

    Item(int position, Expression owner, Expression index) {
      super(position, owner, index);
      this.owner = owner;
      this.index = index;
    }

    Expression index() {
      return index;
    }

    @Override
    Object evaluate(Evaluation in, Scope scope) {
      Object value = owner.eval(in, scope);
      Object at = index.eval(in, scope);
      in.at(position());
      return Access.item(in, value, at);
    }
  }

  static final class Slice extends Expression {
    private final Expression owner;
    private final @Nullable Expression start;
    private final @Nullable Expression stop;
    private final @Nullable Expression step;

    Slice(
        int position,
        Expression owner,
        @Nullable Expression start,
        @Nullable Expression stop,
        @Nullable Expression step) {
      super(position, owner);
      this.owner = owner;
      this.start = start;
      this.stop = stop;
      this.step = step;
      for (Expression bound : new @Nullable Expression[] {start, stop, step}) {
        if (bound != null) {
          above(bound);
        }
      }
    }

    @Override
    Object evaluate(Evaluation in, Scope scope) {
      Object value = owner.eval(in, scope);
      Object from = start == null ? null : start.eval(in, scope);
      Object to = stop == null ? null : stop.eval(in, scope);
      Object by = step == null ? null : step.eval(in, scope);
      in.at(position());
      return Access.slice(in, value, from, to, by);
    }
  }
}
