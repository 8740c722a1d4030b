package dev.ocellus.vlm.model.vq;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.vlm.codes.MapBudget;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Blocks at one size of the maps, each with attention behind it if the file has it. */
final class Level {
  private static final int MAX_BLOCKS = 64;

  private record Step(ResnetBlock block, Optional<MapAttention> attention) {
    Tensor forward(Tensor x, MapBudget budget) {
      Tensor y = block.forward(x, budget);
      return attention.isPresent() ? attention.get().forward(y) : y;
    }
  }

  private final List<Step> steps;
  private final int nOut;

  private Level(List<Step> steps, int nOut) {
    this.steps = List.copyOf(steps);
    this.nOut = nOut;
  }

  /** Weights {@code block.N} and {@code attn.N}. */
  static Level of(Weights w, int nIn) {
    List<Step> steps = new ArrayList<>();
    int n = nIn;
    while (steps.size() < MAX_BLOCKS && w.has("block.%d.conv1.weight".formatted(steps.size()))) {
      int i = steps.size();
      ResnetBlock block = ResnetBlock.of(w.at("block").at(i), n);
      n = Maps.outputs(w.at("block").at(i).at("conv1"));
      Weights attention = w.at("attn").at(i);
      steps.add(
          new Step(
              block,
              attention.has("q.weight")
                  ? Optional.of(MapAttention.of(attention, n))
                  : Optional.empty()));
    }
    return new Level(steps, n);
  }

  /** Whether the file has a level. */
  static boolean isIn(Weights w) {
    return w.has("block.0.conv1.weight");
  }

  int nOut() {
    return nOut;
  }

  /**
   * From [width, height, nIn, batch] to [width, height, nOut, batch].
   *
   * @param x which nothing else may read afterwards
   */
  Tensor forward(Tensor x, MapBudget budget) {
    Tensor y = x;
    for (Step step : steps) {
      y = step.forward(y, budget);
    }
    return y;
  }
}
