package dev.ocellus.quantize;

import dev.ocellus.Setting;
import dev.ocellus.gguf.TensorType;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Chooses one type for every tensor so that the sum of errors is least within a number of bytes:
 * the steps along the lower convex hull of every tensor's errors are taken in the order of what
 * they gain for a byte, as long as they fit. What is left at the end is smaller than one step.
 */
final class Allocation {

  /** A type that a tensor may have. */
  record Choice(TensorType type, long bytes, double error) {}

  private record Step(String tensor, Choice from, Choice to) {
    long bytes() {
      return to.bytes() - from.bytes();
    }

    double gainPerByte() {
      return (from.error() - to.error()) / bytes();
    }
  }

  private Allocation() {}

  /**
   * @param choices at least one for every tensor
   * @param budget bytes for all of them
   * @throws QuantizeException if even the smallest choices take more
   */
  static Map<String, TensorType> choose(Map<String, List<Choice>> choices, long budget) {
    Map<String, Choice> chosen = new HashMap<>();
    List<Step> steps = new ArrayList<>();
    long used = 0;
    for (Map.Entry<String, List<Choice>> e : choices.entrySet()) {
      List<Choice> hull = hull(e.getValue());
      chosen.put(e.getKey(), hull.getFirst());
      used += hull.getFirst().bytes();
      for (int i = 1; i < hull.size(); i++) {
        steps.add(new Step(e.getKey(), hull.get(i - 1), hull.get(i)));
      }
    }
    if (used > budget) {
      throw new QuantizeException(
              "The target leaves %d bytes for the tensors that can be quantized, and the smallest types take %d. Choose a larger target%s."
                  .formatted(budget, used, "; with an importance matrix smaller types are usable"))
          .about(Setting.IMPORTANCE_MATRIX);
    }
    // steps of one tensor have falling gains, so this order keeps theirs
    steps.sort(Comparator.comparingDouble(Step::gainPerByte).reversed());
    for (Step step : steps) {
      boolean next = step.from().equals(chosen.get(step.tensor()));
      if (next && used + step.bytes() <= budget) {
        chosen.put(step.tensor(), step.to());
        used += step.bytes();
      }
    }
    Map<String, TensorType> types = new HashMap<>();
    chosen.forEach((name, choice) -> types.put(name, choice.type()));
    return types;
  }

  /** The choices for which no mixture of two others is better, from small to large. */
  static List<Choice> hull(List<Choice> choices) {
    List<Choice> sorted = new ArrayList<>(choices);
    sorted.sort(Comparator.comparingLong(Choice::bytes).thenComparingDouble(Choice::error));
    List<Choice> hull = new ArrayList<>();
    for (Choice c : sorted) {
      if (!hull.isEmpty() && c.error() >= hull.getLast().error()) {
        continue;
      }
      while (hull.size() > 1 && !turnsUp(hull.get(hull.size() - 2), hull.getLast(), c)) {
        hull.removeLast();
      }
      hull.add(c);
    }
    return hull;
  }

  private static boolean turnsUp(Choice a, Choice b, Choice c) {
    double first = (a.error() - b.error()) / (b.bytes() - a.bytes());
    double second = (b.error() - c.error()) / (c.bytes() - b.bytes());
    return first > second;
  }
}
