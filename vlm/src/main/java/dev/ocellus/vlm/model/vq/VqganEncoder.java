package dev.ocellus.vlm.model.vq;

import dev.ocellus.ggml.ConvGeometry;
import dev.ocellus.ggml.FeatureMaps;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.vlm.codes.MapBudget;
import dev.ocellus.vlm.nn.Conv2d;
import dev.ocellus.vlm.nn.NormedConv2d;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The encoder of VQGAN (arXiv:2012.09841) and of those that followed it. How many levels and blocks
 * there are, their widths, and where attention is, are what the weights say.
 */
final class VqganEncoder {
  private static final int MAX_LEVELS = 12;

  private final Conv2d in;
  private final List<Level> levels;
  private final List<@Nullable Conv2d> samplers;
  private final Level mid;
  private final NormedConv2d out;
  private final int nOut;

  private VqganEncoder(Weights w) {
    Weights first = w.at("conv_in");
    int n = Maps.outputs(first);
    in = Maps.conv3(first, 3, n);
    levels = new ArrayList<>();
    samplers = new ArrayList<>();
    while (levels.size() < MAX_LEVELS && Level.isIn(w.at("down").at(levels.size()))) {
      Weights at = w.at("down").at(levels.size());
      Level level = Level.of(at, n);
      levels.add(level);
      n = level.nOut();
      samplers.add(
          at.has("sample.weight")
              ? Conv2d.of(at.at("sample"), 3, n, n, ConvGeometry.of(2, 0))
              : null);
    }
    mid = Level.of(w.at("mid"), n);
    nOut = Maps.outputs(w.at("conv_out"));
    out = Maps.normedConv(w.at("norm_out"), w.at("conv_out"), n, nOut);
  }

  /** Weights {@code conv_in}, {@code down.N}, {@code mid}, {@code norm_out}, {@code conv_out}. */
  static VqganEncoder of(Weights w) {
    return new VqganEncoder(w);
  }

  int nOut() {
    return nOut;
  }

  /** Pixels for each place of the map that comes out. */
  int factor() {
    return 1 << Math.max(0, levels.size() - 1);
  }

  /** From pixels [width, height, 3, batch] to [width / factor, height / factor, nOut, batch]. */
  Tensor forward(Tensor pixels, MapBudget budget) {
    Tensor x = in.forward(pixels);
    for (int i = 0; i < levels.size(); i++) {
      x = levels.get(i).forward(x, budget);
      if (i + 1 < levels.size()) {
        x = halved(x, samplers.get(i));
      }
    }
    x = mid.forward(x, budget);
    return out.forward(x);
  }

  /** With zeros at the right and at the bottom only, as the reference has it. */
  private static Tensor halved(Tensor x, @Nullable Conv2d sampler) {
    return sampler == null
        ? FeatureMaps.averagePool(x, 2, 2, ConvGeometry.of(2, 0))
        : sampler.forwardHalved(x);
  }
}
