package dev.ocellus.vlm.template.syntax;

import dev.ocellus.vlm.template.runtime.Dict;
import dev.ocellus.vlm.template.runtime.Evaluation;
import dev.ocellus.vlm.template.runtime.EvaluationError;
import dev.ocellus.vlm.template.runtime.Namespace;
import dev.ocellus.vlm.template.runtime.Scope;
import dev.ocellus.vlm.template.runtime.Sequence;
import dev.ocellus.vlm.template.runtime.Undefined;
import java.util.ArrayList;
import java.util.List;

/** Constants, names, lists, tuples and dicts. */
final class Literals {
  private Literals() {}

  static final class Constant extends Expression {
    private final Object value;

    Constant(int position, Object value) {
      super(position);
      this.value = value;
    }

    @Override
    Object evaluate(Evaluation in, Scope scope) {
      return value;
    }
  }

  static final class Name extends Expression {
    private final String name;

    Name(int position, String name) {
      super(position);
      this.name = name;
    }

    String name() {
      return name;
    }

    @Override
    Object evaluate(Evaluation in, Scope scope) {
      Object value = scope.get(name);
      return value == null ? Undefined.name(name) : value;
    }
  }

  /** {@code ns.name} as the target of an assignment. */
  static final class NamespaceTarget extends Expression {
    private final String name;
    private final String attribute;

    NamespaceTarget(int position, String name, String attribute) {
      super(position);
      this.name = name;
      this.attribute = attribute;
    }

    void assign(Scope scope, Object value) {
      if (!(scope.get(name) instanceof Namespace ns)) {
        throw EvaluationError.runtime("cannot assign attribute on non-namespace object");
      }
      ns.attributes().put(attribute, value);
    }

    @Override
    Object evaluate(Evaluation in, Scope scope) {
      throw new IllegalStateException("a target is not evaluated");
    }
  }

  static final class Items extends Expression {
    private final List<Expression> items;
    private final boolean tuple;

    Items(int position, List<Expression> items, boolean tuple) {
      super(position, items.toArray(new Expression[0]));
      this.items = items;
      this.tuple = tuple;
    }

    List<Expression> items() {
      return items;
    }

    boolean isTuple() {
      return tuple;
    }

    @Override
    Object evaluate(Evaluation in, Scope scope) {
      List<Object> values = new ArrayList<>(items.size());
      for (Expression item : items) {
        values.add(item.eval(in, scope));
      }
      in.chargeItems(values.size());
      return tuple ? Sequence.tuple(values) : Sequence.list(values);
    }
  }

  static final class Mapping extends Expression {
    private final List<Expression> keys;
    private final List<Expression> values;

    Mapping(int position, List<Expression> keys, List<Expression> values) {
      super(position, keys.toArray(new Expression[0]));
      above(values);
      this.keys = keys;
      this.values = values;
    }

    @Override
    Object evaluate(Evaluation in, Scope scope) {
      Dict dict = new Dict();
      for (int i = 0; i < keys.size(); i++) {
        Object key = keys.get(i).eval(in, scope);
        dict.put(key, values.get(i).eval(in, scope));
      }
      in.chargeItems(keys.size() * 2L);
      return dict;
    }
  }
}
