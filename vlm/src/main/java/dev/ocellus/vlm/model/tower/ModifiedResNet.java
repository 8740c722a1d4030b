package dev.ocellus.vlm.model.tower;

import dev.ocellus.ggml.ConvGeometry;
import dev.ocellus.ggml.FeatureMaps;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.vlm.nn.Conv2d;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * CLIP's residual network (arXiv:2103.00020): a stem of three convolutions, four stages of
 * bottlenecks, and means of 2 by 2 pixels in front of convolutions instead of strides. Weights
 * under {@code v.}: {@code stem.N} and {@code stage.N.M.conv1} to {@code conv3}, {@code down}; the
 * norms of the checkpoint are part of their convolutions.
 *
 * <p>The reference is {@code ModifiedResNet} of open_clip: <a
 * href="https://github.com/mlfoundations/open_clip/blob/v3.3.0/src/open_clip/modified_resnet.py">modified_resnet.py</a>.
 */
public final class ModifiedResNet {
  /** Channels out of a bottleneck are so many times those inside. */
  private static final int EXPANSION = 4;

  private static final ConvGeometry POINT = ConvGeometry.of(1, 0);
  private static final ConvGeometry SAME = ConvGeometry.of(1, 1);
  private static final ConvGeometry HALF = ConvGeometry.of(2, 1);

  /**
   * Sizes.
   *
   * @param layers bottlenecks of each stage
   * @param width channels behind the stem
   */
  public record Config(List<Integer> layers, int width) {
    public Config {
      layers = List.copyOf(layers);
    }

    /** Channels of the last stage. */
    public int nEmbd() {
      return width * (EXPANSION << (layers.size() - 1));
    }

    /** Pixels of a side of the last map; what fills no square is left out. */
    public int grid(int side) {
      return (side + 1) / 2 / (reduction() / 2);
    }

    /** Pixels of a side that become one. */
    public int reduction() {
      return 4 << (layers.size() - 1);
    }
  }

  private record Bottleneck(
      Conv2d first, Conv2d second, Conv2d third, @Nullable Conv2d down, int stride) {
    static Bottleneck of(Weights w, int nIn, int planes, int stride) {
      int nOut = planes * EXPANSION;
      boolean changes = stride > 1 || nIn != nOut;
      return new Bottleneck(
          Conv2d.of(w.at("conv1"), 1, nIn, planes, POINT),
          Conv2d.of(w.at("conv2"), 3, planes, planes, SAME),
          Conv2d.of(w.at("conv3"), 1, planes, nOut, POINT),
          changes ? Conv2d.of(w.at("down"), 1, nIn, nOut, POINT) : null,
          stride);
    }

    Tensor forward(Tensor x) {
      Tensor y = second.forward(first.forward(x).relu()).relu();
      Tensor beside = down == null ? x : down.forward(shrunk(x, stride));
      return third.forward(shrunk(y, stride), beside).relu();
    }
  }

  private final List<Conv2d> stem;
  private final List<List<Bottleneck>> stages = new ArrayList<>();

  public ModifiedResNet(Config c, Weights w) {
    int half = c.width() / 2;
    Weights s = w.at("stem");
    stem =
        List.of(
            Conv2d.of(s.at(1), 3, 3, half, HALF),
            Conv2d.of(s.at(2), 3, half, half, SAME),
            Conv2d.of(s.at(3), 3, half, c.width(), SAME));
    int nIn = c.width();
    for (int i = 0; i < c.layers().size(); i++) {
      int planes = c.width() << i;
      List<Bottleneck> stage = new ArrayList<>();
      for (int j = 0; j < c.layers().get(i); j++) {
        int stride = i > 0 && j == 0 ? 2 : 1;
        stage.add(Bottleneck.of(w.at("stage").at(i + 1).at(j), nIn, planes, stride));
        nIn = planes * EXPANSION;
      }
      stages.add(stage);
    }
  }

  /** Means of squares of pixels. */
  private static Tensor shrunk(Tensor x, int stride) {
    return stride == 1 ? x : FeatureMaps.averagePool(x, stride, stride, ConvGeometry.of(stride, 0));
  }

  /** From pixels [side, side, 3, n] to maps [side / 32, side / 32, nEmbd, n]. */
  public Tensor forward(Tensor pixels) {
    Tensor x = pixels;
    for (Conv2d conv : stem) {
      x = conv.forward(x).relu();
    }
    x = shrunk(x, 2);
    for (int i = 0; i < stages.size(); i++) {
      for (Bottleneck bottleneck : stages.get(i)) {
        x = bottleneck.forward(x);
      }
      x.named("vision.layer" + (i + 1));
    }
    return x.named("vision.last_hidden");
  }
}
