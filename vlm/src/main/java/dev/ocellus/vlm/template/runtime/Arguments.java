package dev.ocellus.vlm.template.runtime;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The arguments of one call, positional and by name. */
public record Arguments(List<Object> positional, Map<String, Object> named) {
  public static final Arguments NONE = new Arguments(List.of(), Map.of());

  static Arguments of(Object... values) {
    return new Arguments(List.of(values), Map.of());
  }

  public boolean isEmpty() {
    return positional.isEmpty() && named.isEmpty();
  }

  /** Without the first {@code n} positional arguments. */
  public Arguments from(int n) {
    return new Arguments(
        positional.subList(Math.min(n, positional.size()), positional.size()), named);
  }

  public Arguments with(String name, Object value) {
    Map<String, Object> more = new LinkedHashMap<>(named);
    more.put(name, value);
    return new Arguments(positional, more);
  }

  /**
   * Lays the arguments out over parameter names; absent ones stay null.
   *
   * @param required how many of the parameters, from the left, must be given
   */
  public @Nullable Object[] bind(String function, int required, String... parameters) {
    if (positional.size() > parameters.length) {
      throw EvaluationError.type(
          function
              + "() takes at most "
              + parameters.length
              + " arguments ("
              + positional.size()
              + " given)");
    }
    @Nullable Object[] out = new @Nullable Object[parameters.length];
    for (int i = 0; i < positional.size(); i++) {
      out[i] = positional.get(i);
    }
    if (!named.isEmpty()) {
      bindNamed(function, out, parameters);
    }
    for (int i = 0; i < required; i++) {
      if (out[i] == null) {
        throw EvaluationError.type(
            function + "() missing required argument '" + parameters[i] + "'");
      }
    }
    return out;
  }

  private void bindNamed(String function, @Nullable Object[] out, String[] parameters) {
    for (Map.Entry<String, Object> e : named.entrySet()) {
      int i = 0;
      while (i < parameters.length && !parameters[i].equals(e.getKey())) {
        i++;
      }
      if (i == parameters.length) {
        throw EvaluationError.type(
            function + "() got an unexpected keyword argument '" + e.getKey() + "'");
      }
      if (out[i] != null) {
        throw EvaluationError.type(
            function + "() got multiple values for argument '" + e.getKey() + "'");
      }
      out[i] = e.getValue();
    }
  }

  /** Refuses named arguments and more or fewer positional ones. */
  public void expect(String function, int min, int max) {
    if (!named.isEmpty()) {
      throw EvaluationError.type(function + "() takes no keyword arguments");
    }
    int n = positional.size();
    if (n < min || n > max) {
      throw EvaluationError.type(
          function
              + " expected "
              + (n < min ? "at least " + min : "at most " + max)
              + " arguments, got "
              + n);
    }
  }

  public int count() {
    return positional.size();
  }

  public Object get(int i) {
    return positional.get(i);
  }

  public @Nullable Object getOrNull(int i) {
    return i < positional.size() ? positional.get(i) : null;
  }
}
