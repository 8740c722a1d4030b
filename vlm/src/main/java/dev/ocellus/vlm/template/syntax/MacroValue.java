package dev.ocellus.vlm.template.syntax;

import dev.ocellus.vlm.template.runtime.Arguments;
import dev.ocellus.vlm.template.runtime.Callable;
import dev.ocellus.vlm.template.runtime.Dict;
import dev.ocellus.vlm.template.runtime.Evaluation;
import dev.ocellus.vlm.template.runtime.EvaluationError;
import dev.ocellus.vlm.template.runtime.Printing;
import dev.ocellus.vlm.template.runtime.Scope;
import dev.ocellus.vlm.template.runtime.Sequence;
import dev.ocellus.vlm.template.runtime.Undefined;
import dev.ocellus.vlm.template.text.TextBuilder;
import dev.ocellus.vlm.template.text.TracedText;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A macro with the names around its definition: calling it renders its body to a string. */
record MacroValue(Macros.Definition definition, Scope closure) implements Callable {
  @Override
  public Object call(Evaluation in, Arguments args) {
    in.enter(definition.position());
    Scope scope = new Scope(closure);
    Map<String, Object> named = new LinkedHashMap<>(args.named());
    bindParameters(in, scope, args, named);
    if (definition.usesCaller() && !definition.parameters().contains("caller")) {
      Object caller = named.remove("caller");
      scope.set("caller", caller == null ? Undefined.of("No caller defined") : caller);
    }
    bindRest(scope, args, named);
    TextBuilder out = in.text();
    Statement.execAll(definition.body(), in, scope, out);
    in.leave();
    return in.built(out).asMarkup(in.autoescape());
  }

  private void bindParameters(
      Evaluation in, Scope scope, Arguments args, Map<String, Object> named) {
    List<String> parameters = definition.parameters();
    List<@Nullable Object> given = new ArrayList<>();
    for (int i = 0; i < parameters.size(); i++) {
      given.add(i < args.count() ? args.get(i) : named.remove(parameters.get(i)));
    }
    int firstDefault = parameters.size() - definition.defaults().size();
    for (int i = 0; i < parameters.size(); i++) {
      Object value = given.get(i);
      String name = parameters.get(i);
      if (value == null && i >= firstDefault) {
        value = definition.defaults().get(i - firstDefault).eval(in, scope);
      }
      scope.set(
          name, value == null ? Undefined.of("parameter '" + name + "' was not provided") : value);
    }
  }

  private void bindRest(Scope scope, Arguments args, Map<String, Object> named) {
    if (definition.usesKwargs()) {
      Dict rest = new Dict();
      named.forEach(rest::put);
      scope.set("kwargs", rest);
    } else if (!named.isEmpty()) {
      throw EvaluationError.type(
          "macro '"
              + definition.name()
              + "' takes no keyword argument '"
              + named.keySet().iterator().next()
              + "'");
    }
    int n = definition.parameters().size();
    if (definition.usesVarargs()) {
      scope.set("varargs", Sequence.tuple(List.copyOf(args.from(n).positional())));
    } else if (args.count() > n) {
      throw EvaluationError.type(
          "macro '" + definition.name() + "' takes not more than " + n + " argument(s)");
    }
  }

  @Override
  public @Nullable Object attribute(String name) {
    return switch (name) {
      case "name" -> TracedText.trusted(definition.name());
      case "arguments" -> {
        List<Object> names = new ArrayList<>();
        definition.parameters().forEach(p -> names.add(TracedText.trusted(p)));
        yield Sequence.tuple(names);
      }
      case "catch_kwargs" -> definition.usesKwargs();
      case "catch_varargs" -> definition.usesVarargs();
      case "caller" -> definition.usesCaller();
      default -> null;
    };
  }

  @Override
  public String typeName() {
    return "Macro";
  }

  @Override
  public String toString() {
    String name = definition.name();
    return "<Macro " + (name.isEmpty() ? "anonymous" : Printing.quote(name)) + ">";
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return this == other;
  }

  @Override
  public int hashCode() {
    return System.identityHashCode(this);
  }
}
