package dev.ocellus.vlm.model.vq;

import dev.ocellus.ggml.FeatureMaps;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.vlm.codes.MapBudget;
import dev.ocellus.vlm.nn.Conv2d;
import dev.ocellus.vlm.nn.NormedConv2d;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The decoder of VQGAN (arXiv:2012.09841), the smallest maps first. */
final class VqganDecoder {
  private static final int MAX_LEVELS = 12;

  private final Conv2d in;
  private final Level mid;
  private final List<Level> levels;
  private final List<@Nullable Conv2d> samplers;
  private final NormedConv2d out;
  private final int nIn;

  private VqganDecoder(Weights w) {
    nIn = Maps.inputs(w.at("conv_in"));
    int n = Maps.outputs(w.at("conv_in"));
    in = Maps.conv3(w.at("conv_in"), nIn, n);
    mid = Level.of(w.at("mid"), n);
    levels = new ArrayList<>();
    samplers = new ArrayList<>();
    while (levels.size() < MAX_LEVELS && Level.isIn(w.at("up").at(levels.size()))) {
      Weights at = w.at("up").at(levels.size());
      Level level = Level.of(at, n);
      levels.add(level);
      n = level.nOut();
      samplers.add(at.has("sample.weight") ? Maps.conv3(at.at("sample"), n, n) : null);
    }
    out = Maps.normedConv(w.at("norm_out"), w.at("conv_out"), n, 3);
  }

  /** Weights {@code conv_in}, {@code mid}, {@code up.N}, {@code norm_out}, {@code conv_out}. */
  static VqganDecoder of(Weights w) {
    return new VqganDecoder(w);
  }

  /** Channels that it takes. */
  int nIn() {
    return nIn;
  }

  /** Pixels for each place of the map that goes in. */
  int factor() {
    return 1 << Math.max(0, levels.size() - 1);
  }

  /** From [width, height, nIn, batch] to [width · factor, height · factor, 3, batch]. */
  Tensor forward(Tensor latents, MapBudget budget) {
    Tensor x = mid.forward(in.forward(latents), budget);
    for (int i = 0; i < levels.size(); i++) {
      x = levels.get(i).forward(x, budget);
      if (i + 1 < levels.size()) {
        Conv2d sampler = samplers.get(i);
        if (budget == MapBudget.LEAST) {
          x = x.copy(); // down from where blocks have put it, so that the larger map has room
          // behind
        }
        x = sampler == null ? FeatureMaps.upscaleNearest(x, 2) : sampler.forwardDoubled(x);
      }
    }
    return out.forward(x);
  }
}
