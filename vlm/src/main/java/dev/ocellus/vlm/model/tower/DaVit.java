package dev.ocellus.vlm.model.tower;

import dev.ocellus.ggml.ConvGeometry;
import dev.ocellus.ggml.FeatureMaps;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.Attention;
import dev.ocellus.vlm.nn.Conv2d;
import dev.ocellus.vlm.nn.LayerNorm;
import dev.ocellus.vlm.nn.Linear;
import dev.ocellus.vlm.nn.Mlp;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * DaViT (arXiv:2204.03645): stages that halve a map of features, each of blocks in which pixels
 * attend to those of their window, and then channels to those of their group. Weights under {@code
 * v.stage.S}: {@code conv}, {@code conv_ln}, and for block B {@code B.spatial} and {@code
 * B.channel}.
 *
 * <p>The reference is {@code Florence2VisionBackbone} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/florence2/modeling_florence2.py">modeling_florence2.py</a>.
 */
public final class DaVit {
  private static final float EPS = 1e-5f;

  /**
   * A stage.
   *
   * @param nIn channels that come in
   * @param width channels that go out
   * @param nBlock blocks
   * @param nHead heads of attention within windows, a divisor of the width
   * @param nGroup groups of channels, a divisor of the width
   * @param kernel pixels of a side of the convolution in front
   * @param stride its steps
   * @param padding zeros around the map
   * @param normBefore whether the norm stands before that convolution and not behind it
   */
  public record Stage(
      int nIn,
      int width,
      int nBlock,
      int nHead,
      int nGroup,
      int kernel,
      int stride,
      int padding,
      boolean normBefore) {
    /** Pixels of a side of the map behind the convolution; less than 1 if there is none. */
    int side(int pixels) {
      return Math.floorDiv(pixels + 2 * padding - kernel, stride) + 1;
    }
  }

  /**
   * Sizes.
   *
   * @param window pixels of a side of a window
   */
  public record Config(List<Stage> stages, int window, Activation activation) {
    public Config {
      stages = List.copyOf(stages);
    }

    /** Channels of the last map. */
    public int width() {
      return stages.getLast().width;
    }

    /** Pixels of a side of the last map; less than 1 if an image of that side gives none. */
    public int side(int pixels) {
      int side = pixels;
      for (Stage stage : stages) {
        side = side < 1 ? 0 : stage.side(side);
      }
      return side;
    }
  }

  private final List<StageLayers> stages;

  public DaVit(Config c, Weights w) {
    Weights all = w.at("stage");
    stages =
        IntStream.range(0, c.stages.size())
            .mapToObj(i -> StageLayers.of(c.stages.get(i), c, all.at(i)))
            .toList();
  }

  /** From pixels [width, height, 3, n] to the last map, [width, height, channels, n]. */
  public Tensor forward(Tensor pixels) {
    Tensor map = pixels;
    for (int i = 0; i < stages.size(); i++) {
      map = stages.get(i).forward(map).named("vision.stage_" + (i + 1));
    }
    return map.named("vision.last_hidden");
  }

  /** A map [width, height, channels, n] as rows [channels, width · height, n]. */
  public static Tensor rows(Tensor map) {
    return map.reshape(map.size(0) * map.size(1), map.size(2), map.size(3))
        .transpose()
        .contiguous();
  }

  /** The way back, to the size of a map. */
  private static Tensor map(Tensor rows, Tensor like) {
    return rows.transpose()
        .contiguous()
        .reshape(like.size(0), like.size(1), rows.size(0), rows.size(2));
  }

  private record StageLayers(Conv2d conv, LayerNorm norm, boolean normBefore, List<Half> halves) {
    static StageLayers of(Stage s, Config c, Weights w) {
      List<Half> halves = new ArrayList<>();
      for (int i = 0; i < s.nBlock; i++) {
        Weights block = w.at(i);
        Weights spatial = block.at("spatial");
        Weights channel = block.at("channel");
        halves.add(Half.of(s, c, spatial, new WindowAttention(s, c.window, spatial)));
        halves.add(Half.of(s, c, channel, new ChannelAttention(s, channel)));
      }
      return new StageLayers(
          Conv2d.of(w.at("conv"), s.kernel, s.nIn, s.width, ConvGeometry.of(s.stride, s.padding)),
          LayerNorm.of(w.at("conv_ln"), s.normBefore ? s.nIn : s.width, EPS),
          s.normBefore,
          halves);
    }

    Tensor forward(Tensor map) {
      Tensor x = normBefore ? normed(map) : map;
      x = conv.forward(x);
      x = normBefore ? x : normed(x);
      for (Half half : halves) {
        x = half.forward(x);
      }
      return x;
    }

    private Tensor normed(Tensor map) {
      return map(norm.forward(rows(map)), map);
    }
  }

  /** What mixes the rows of a map. */
  private interface Mixing {
    /**
     * From [channels, width · height, n] to the same shape.
     *
     * @param map whose rows they are, for its size
     */
    Tensor forward(Tensor rows, Tensor map);
  }

  /** Half a block: a convolution of each channel, attention, another convolution, an MLP. */
  private record Half(
      PerChannel conv1, LayerNorm ln1, Mixing mixing, PerChannel conv2, LayerNorm ln2, Mlp mlp) {
    static Half of(Stage s, Config c, Weights w, Mixing mixing) {
      return new Half(
          PerChannel.of(w.at("conv1"), s.width),
          LayerNorm.of(w.at("ln1"), s.width, EPS),
          mixing,
          PerChannel.of(w.at("conv2"), s.width),
          LayerNorm.of(w.at("ln2"), s.width, EPS),
          Mlp.projector(w.at("ffn_up"), w.at("ffn_down"), s.width, c.activation));
    }

    Tensor forward(Tensor map) {
      Tensor x = conv1.forward(map);
      Tensor rows = rows(x);
      rows = rows.add(mixing.forward(ln1.forward(rows), x));
      x = conv2.forward(map(rows, x));
      rows = rows(x);
      return map(rows.add(mlp.forward(ln2.forward(rows))), x);
    }
  }

  /** A convolution of 3 by 3 pixels of each channel by itself, added to what came in. */
  private record PerChannel(Tensor kernel, Tensor bias) {
    private static final int SIZE = 3;

    static PerChannel of(Weights w, long width) {
      return new PerChannel(
          w.f32("weight", SIZE, SIZE, 1, width),
          w.f32Reshaped("bias", new long[] {width}, 1, 1, width));
    }

    Tensor forward(Tensor map) {
      Tensor y = FeatureMaps.depthwiseConv2d(map, kernel, ConvGeometry.of(1, SIZE / 2)).add(bias);
      return y.add(map);
    }
  }

  /** Pixels attend to those of their window; what is missing at the edges is zeros. */
  private static final class WindowAttention implements Mixing {
    private final Attention attention;
    private final int window;

    WindowAttention(Stage s, int window, Weights w) {
      this.attention = Attention.of(w, s.width, s.nHead);
      this.window = window;
    }

    @Override
    public Tensor forward(Tensor rows, Tensor map) {
      long c = rows.size(0);
      long n = rows.size(2);
      long width = map.size(0);
      long height = map.size(1);
      long nx = Math.ceilDiv(width, window);
      long ny = Math.ceilDiv(height, window);
      Tensor x = rows.reshape(c * width, height, 1, n);
      if (nx * window > width || ny * window > height) {
        int right = Math.toIntExact(c * (nx * window - width));
        x = FeatureMaps.pad(x, 0, right, 0, Math.toIntExact(ny * window - height));
      }
      Tensor windows =
          x.reshape(c * window, nx, window, ny * n)
              .permute(0, 2, 1, 3)
              .contiguous()
              .reshape(c, (long) window * window, nx * ny * n);
      Tensor mixed =
          attention
              .forward(windows)
              .reshape(c * window, window, nx, ny * n)
              .permute(0, 2, 1, 3)
              .contiguous()
              .reshape(c * window * nx, window * ny, n);
      return mixed
          .slice(new long[] {}, c * width, height, n)
          .contiguous()
          .reshape(c, width * height, n);
    }
  }

  /** Channels attend to those of their group, by what they are at all pixels. */
  private static final class ChannelAttention implements Mixing {
    private final Linear q;
    private final Linear k;
    private final Linear v;
    private final Linear out;
    private final long width;
    private final long nGroup;

    ChannelAttention(Stage s, Weights w) {
      width = s.width;
      nGroup = s.nGroup;
      q = Linear.of(w.at("attn_q"), width, width);
      k = Linear.of(w.at("attn_k"), width, width);
      v = Linear.of(w.at("attn_v"), width, width);
      out = Linear.of(w.at("attn_out"), width, width);
    }

    @Override
    public Tensor forward(Tensor rows, Tensor map) {
      long n = rows.size(1);
      long batch = rows.size(2);
      long inGroup = width / nGroup;
      Tensor query = byChannel(q.forward(rows), inGroup);
      Tensor key = byChannel(k.forward(rows), inGroup);
      Tensor value =
          v.forward(rows)
              .reshape(inGroup, nGroup, n, batch)
              .permute(0, 2, 1, 3)
              .contiguous(); // [channels, n, groups, batch]
      Tensor weights = query.mulMat(key).softMax((float) (1 / Math.sqrt((double) n)));
      Tensor mixed = weights.mulMat(value); // [n, channels, groups, batch]
      return out.forward(mixed.reshape(n, width, batch).transpose().contiguous());
    }

    /** [width, n, batch] to [n, channels of a group, groups, batch]. */
    private Tensor byChannel(Tensor x, long inGroup) {
      return x.transpose().contiguous().reshape(x.size(1), inGroup, nGroup, x.size(2));
    }
  }
}
