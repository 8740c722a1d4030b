package dev.ocellus.vlm.graph;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.ToIntFunction;

/** Puts together what one graph can compute at once. */
public final class Batches {
  private Batches() {}

  /**
   * Results in the order of the items, each computed in a batch of items with an equal key.
   *
   * @param key what the items of a batch have in common
   * @param atOnce how many items like one a batch may have, at least 1
   * @param compute gives a result for each item of a batch
   */
  public static <T, R> List<R> mapped(
      List<T> items,
      Function<T, Object> key,
      ToIntFunction<T> atOnce,
      Function<List<T>, List<R>> compute) {
    Map<Object, List<Integer>> alike = new LinkedHashMap<>();
    for (int i = 0; i < items.size(); i++) {
      alike.computeIfAbsent(key.apply(items.get(i)), k -> new ArrayList<>()).add(i);
    }
    List<R> results = new ArrayList<>(Collections.nCopies(items.size(), null));
    for (List<Integer> places : alike.values()) {
      int max = atOnce.applyAsInt(items.get(places.getFirst()));
      for (int from = 0; from < places.size(); from += max) {
        List<Integer> part = places.subList(from, Math.min(places.size(), from + max));
        List<R> found = compute.apply(part.stream().map(items::get).toList());
        for (int i = 0; i < part.size(); i++) {
          results.set(part.get(i), found.get(i));
        }
      }
    }
    return results;
  }
}
