package dev.ocellus.vlm.template;

import org.jspecify.annotations.Nullable;

/** Expressions that fetch a part of a value. */
final class Lookups {
  private Lookups() {}

  static final class Attribute extends Expr {
    private final Expr owner;
    private final Text name;

    Attribute(int position, Expr owner, String name) {
      super(position, owner);
      this.owner = owner;
      this.name = Text.trusted(name);
    }

    @Override
    Object evaluate(Evaluation in, Scope scope) {
      Object value = owner.eval(in, scope);
      in.at(position());
      return Access.attribute(value, name);
    }
  }

  static final class Item extends Expr {
    private final Expr owner;
    private final Expr index;

    Item(int position, Expr owner, Expr index) {
      super(position, owner, index);
      this.owner = owner;
      this.index = index;
    }

    Expr index() {
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

  static final class Slice extends Expr {
    private final Expr owner;
    private final @Nullable Expr start;
    private final @Nullable Expr stop;
    private final @Nullable Expr step;

    Slice(
        int position, Expr owner, @Nullable Expr start, @Nullable Expr stop, @Nullable Expr step) {
      super(position, owner);
      this.owner = owner;
      this.start = start;
      this.stop = stop;
      this.step = step;
      for (Expr bound : new @Nullable Expr[] {start, stop, step}) {
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
