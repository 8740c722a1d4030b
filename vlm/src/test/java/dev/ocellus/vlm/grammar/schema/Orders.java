package dev.ocellus.vlm.grammar.schema;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** A value as text, with its properties in every order. */
final class Orders {
  private Orders() {}

  static Stream<String> of(JsonNode value) {
    if (value.isArray()) {
      return sequences(value.valueStream().map(v -> of(v).toList()).toList())
          .map(items -> "[" + String.join(",", items) + "]");
    }
    if (value.isObject()) {
      List<List<String>> pairs = new ArrayList<>();
      value
          .properties()
          .forEach(e -> {
            String name = TextNode.valueOf(e.getKey()).toString();
            pairs.add(of(e.getValue()).map(v -> name + ":" + v).toList());
          });
      return permutations(pairs)
          .flatMap(Orders::sequences)
          .map(items -> "{" + String.join(",", items) + "}");
    }
    return Stream.of(value.toString());
  }

  /** One of each. */
  private static Stream<List<String>> sequences(List<List<String>> choices) {
    Stream<List<String>> all = Stream.of(List.of());
    for (List<String> choice : choices) {
      all = all.flatMap(begun -> choice.stream().map(next -> with(begun, next)));
    }
    return all;
  }

  private static <T> Stream<List<T>> permutations(List<T> items) {
    if (items.isEmpty()) {
      return Stream.of(List.of());
    }
    return items.stream()
        .flatMap(first -> {
          List<T> rest = new ArrayList<>(items);
          rest.remove(first);
          return permutations(rest).map(more -> joined(first, more));
        });
  }

  private static <T> List<T> with(List<T> begun, T next) {
    List<T> all = new ArrayList<>(begun);
    all.add(next);
    return all;
  }

  private static <T> List<T> joined(T first, List<T> more) {
    List<T> all = new ArrayList<>(List.of(first));
    all.addAll(more);
    return all;
  }
}
