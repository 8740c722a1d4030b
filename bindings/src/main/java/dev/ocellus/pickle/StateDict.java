package dev.ocellus.pickle;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Finds the tensors of a model in what was saved: a dict of them, or one that training scripts put
 * around it. Dicts in dicts give names joined by dots, as modules in modules do.
 */
final class StateDict {
  /** Where training scripts keep the weights, beside an optimizer's state; the first counts. */
  private static final List<String> WRAPPERS =
      List.of("state_dict", "model_state_dict", "model", "module");

  /** What DataParallel puts before every name. */
  private static final String PARALLEL = "module.";

  private static final int MAX_DEPTH = 16;
  private static final int MAX_TENSORS = 1 << 18;

  private final Path file;
  private final Map<String, TensorView> tensors = new LinkedHashMap<>();
  private int visited;

  private StateDict(Path file) {
    this.file = file;
  }

  /** The tensors by their names, in the order of the file. */
  static Map<String, TensorView> of(Path file, Object root) {
    StateDict out = new StateDict(file);
    out.collect("", unwrapped(root), 0);
    if (out.tensors.isEmpty()) {
      throw new PickleFormatException(
          file, "saved value", "a dict of tensors", "none in it", "Save model.state_dict().");
    }
    return out.withoutParallel();
  }

  private static Object unwrapped(Object root) {
    Object at = root;
    for (int depth = 0; depth < MAX_DEPTH; depth++) {
      Object inner = at instanceof Map<?, ?> map ? wrapped(map) : null;
      if (inner == null) {
        return at;
      }
      at = inner;
    }
    return at;
  }

  private static @Nullable Object wrapped(Map<?, ?> map) {
    for (String wrapper : WRAPPERS) {
      if (map.get(wrapper) instanceof Map<?, ?> inner && !inner.isEmpty()) {
        return inner;
      }
    }
    return null;
  }

  private void collect(String prefix, Object value, int depth) {
    if (depth > MAX_DEPTH || ++visited > MAX_TENSORS) {
      throw new PickleFormatException(
          file, "saved value", "dicts of tensors", "too many, or a dict that holds itself");
    }
    if (!(value instanceof Map<?, ?> map)) {
      return; // a step, a name, a configuration
    }
    map.forEach((key, inner) -> {
      String name = prefix + (key instanceof String || key instanceof Long ? key : "?");
      if (inner instanceof TensorView view) {
        add(name, view);
      } else {
        collect(name + ".", inner, depth + 1);
      }
    });
  }

  private void add(String name, TensorView view) {
    if (tensors.put(name, view) != null) {
      throw new PickleFormatException(
          file, "tensor " + PickleFormatException.quote(name), "one of this name", "two");
    }
    if (tensors.size() > MAX_TENSORS) {
      throw new PickleFormatException(
          file, "saved value", "at most %d tensors".formatted(MAX_TENSORS), "more");
    }
  }

  private Map<String, TensorView> withoutParallel() {
    if (!tensors.keySet().stream().allMatch(name -> name.startsWith(PARALLEL))) {
      return tensors;
    }
    Map<String, TensorView> out = new LinkedHashMap<>();
    tensors.forEach((name, view) -> out.put(name.substring(PARALLEL.length()), view));
    return out;
  }
}
