package dev.ocellus.vlm.model.tower;

import dev.ocellus.ggml.FeatureMaps;
import dev.ocellus.ggml.Interpolation;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.vlm.nn.AttentionKernel;
import dev.ocellus.vlm.nn.DotProductAttention;
import dev.ocellus.vlm.nn.LayerNorm;
import dev.ocellus.vlm.nn.Linear;
import dev.ocellus.vlm.nn.Mlp;
import dev.ocellus.vlm.vision.EncoderGraph;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The vision transformer of Kimi-VL and Kimi K2.5 (MoonViT, arXiv:2504.07491): images of any shape,
 * a table of positions that is resized to each, and rotary positions on two axes. Weights under
 * {@code v.}.
 *
 * <p>The reference is {@code Kimi_K25VisionModel} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/kimi_k25/modeling_kimi_k25.py">modeling_kimi_k25.py</a>.
 */
public final class MoonVit {
  /** PyTorch's default, which the norms of the layers have. */
  private static final float EPS = 1e-5f;

  private static final double ROPE_THETA = 10_000;

  /** Which pairs of a head turn with the column, and which with the line. */
  public enum PairOrder {
    /** The first half with the column, the second with the line. */
    HALVES,
    /** By turns, as in checkpoints. */
    BY_TURNS
  }

  /** Queries, keys and values, by one matrix or by three. */
  private record Inputs(List<Linear> parts) {
    static Inputs of(Weights w, long nEmbd) {
      if (w.has("attn_qkv.weight")) {
        return new Inputs(List.of(Linear.of(w.at("attn_qkv"), nEmbd, 3 * nEmbd)));
      }
      return new Inputs(
          Stream.of("attn_q", "attn_k", "attn_v")
              .map(name -> Linear.of(w.at(name), nEmbd, nEmbd))
              .toList());
    }

    List<Tensor> forward(Tensor x) {
      if (parts.size() > 1) {
        return parts.stream().map(part -> part.forward(x)).toList();
      }
      Tensor all = parts.getFirst().forward(x);
      long n = all.size(0) / 3;
      return Stream.of(0, 1, 2)
          .map(i -> all.slice(new long[] {i * n}, n, all.size(1)).contiguous())
          .toList();
    }
  }

  private record Layer(
      long nEmbd,
      long nHead,
      LayerNorm ln1,
      Inputs inputs,
      Linear out,
      LayerNorm ln2,
      Mlp mlp,
      AttentionKernel kernel) {
    static Layer of(TowerConfig c, Weights w) {
      return new Layer(
          c.nEmbd(),
          c.nHead(),
          LayerNorm.of(w.at("ln1"), c.nEmbd(), EPS),
          Inputs.of(w, c.nEmbd()),
          Linear.of(w.at("attn_out"), c.nEmbd(), c.nEmbd()),
          LayerNorm.of(w.at("ln2"), c.nEmbd(), EPS),
          Mlp.of(w, c.nEmbd(), c.nFf(), c.activation()),
          AttentionKernel.of(w));
    }

    Tensor forward(Tensor x, PairRotation rotation) {
      x = x.add(attention(ln1.forward(x), rotation));
      return x.add(mlp.forward(ln2.forward(x)));
    }

    private Tensor attention(Tensor x, PairRotation rotation) {
      long n = x.size(1);
      List<Tensor> all = inputs.forward(x);
      Tensor query = rotation.apply(all.get(0), nHead);
      Tensor key = rotation.apply(all.get(1), nHead);
      Tensor value = all.get(2).reshape(nEmbd / nHead, nHead, n).permute(0, 2, 1, 3);
      return out.forward(DotProductAttention.forward(query, key, value, kernel));
    }
  }

  private final TowerConfig c;
  private final Tensor kernel;
  private final @Nullable Tensor bias;
  private final Tensor table;
  private final PairOrder order;
  private final List<Layer> layers = new ArrayList<>();
  private final LayerNorm postNorm;

  private MoonVit(TowerConfig c, PairOrder order, Weights w) {
    this.c = c;
    this.order = order;
    Weights patches = w.at("patch_embd");
    long size = c.patchSize();
    long[] cut = {size, size, 3, c.nEmbd()};
    kernel = patches.f32Reshaped("weight", cut, 3 * size * size, c.nEmbd());
    bias = patches.findF32("bias", c.nEmbd());
    table = table(w, c.nEmbd());
    for (int i = 0; i < c.nLayer(); i++) {
      layers.add(Layer.of(c, w.at("blk").at(i)));
    }
    postNorm = LayerNorm.of(w.at("post_ln"), c.nEmbd(), EPS);
  }

  /** Positions [nEmbd, columns, lines]; a square where the file has them in a row. */
  private static Tensor table(Weights w, long nEmbd) {
    String name = "position_embd.weight";
    long[] stored = w.shape(name);
    if (stored.length > 2) {
      return w.f32(name, nEmbd, stored[1], stored[2]);
    }
    long n = stored.length > 1 ? stored[1] : 1;
    long side = Math.max(1, (long) Math.sqrt(n));
    return w.f32Reshaped(name, new long[] {nEmbd, side * side}, nEmbd, side, side);
  }

  /**
   * Binds the weights; the size of the table follows from its shape.
   *
   * @param c whose heads are a multiple of 4 wide, and whose image size does not count
   */
  public static MoonVit of(TowerConfig c, PairOrder order, Weights w) {
    return new MoonVit(c, order, w);
  }

  /**
   * From the patches of one image [3 · patchSize², n], line by line, to normed states [nEmbd, n].
   * Patches of several frames of a video follow each other and attend to each other; what comes out
   * is the mean of the frames.
   */
  public Tensor forward(EncoderGraph graph) {
    Tensor pixels = graph.pixels();
    Tensor x = pixels.reshape(pixels.size(0), pixels.size(1)).mulMat(kernel);
    x = bias == null ? x : x.add(bias);
    x = x.add(positions(x, graph.gridX(), graph.gridY()));
    int nFrames = nFrames(graph);
    if (nFrames > 1) {
      x = withTimes(graph, x, nFrames);
    }
    x = x.named("embeddings");
    PairRotation rotation = rotation(graph, nFrames);
    for (int i = 0; i < layers.size(); i++) {
      x = layers.get(i).forward(x, rotation).named("layer_" + (i + 1));
    }
    return mean(postNorm.forward(x).named("vision.last_hidden"), nFrames);
  }

  private static int nFrames(EncoderGraph graph) {
    return Math.toIntExact(graph.pixels().size(1) / ((long) graph.gridX() * graph.gridY()));
  }

  /** Sines and then cosines of each frame's number are added to its patches. */
  private static Tensor withTimes(EncoderGraph graph, Tensor x, int nFrames) {
    int nEmbd = Math.toIntExact(x.size(0));
    int half = nEmbd / 2;
    float[] times = new float[nEmbd * nFrames];
    for (int i = 0; i < nFrames * half; i++) {
      float exponent = (float) (2 * (i % half)) / nEmbd;
      float angle = i / half * (1 / (float) Math.pow(ROPE_THETA, exponent));
      int to = i / half * nEmbd + i % half;
      times[to] = (float) Math.sin(angle);
      times[to + half] = (float) Math.cos(angle);
    }
    Tensor table = graph.table("times", times, nEmbd, 1, nFrames);
    return x.reshape(nEmbd, x.size(1) / nFrames, nFrames).add(table).reshape(nEmbd, x.size(1));
  }

  private static Tensor mean(Tensor x, int nFrames) {
    if (nFrames == 1) {
      return x;
    }
    long n = x.size(1) / nFrames;
    Tensor sum = x.slice(new long[] {}, x.size(0), n);
    for (int i = 1; i < nFrames; i++) {
      sum = sum.add(x.slice(new long[] {0, i * n}, x.size(0), n));
    }
    return sum.scale(1f / nFrames);
  }

  private PairRotation rotation(EncoderGraph graph, int nFrames) {
    int nPairs = c.headSize() / 2;
    int half = nPairs / 2;
    int nPatches = graph.gridX() * graph.gridY();
    return PairRotation.of(
        graph,
        nPairs,
        nPatches * nFrames,
        (pair, row) -> {
          boolean byTurns = order == PairOrder.BY_TURNS;
          boolean column = byTurns ? pair % 2 == 0 : pair < half;
          float exponent = (float) (2 * (byTurns ? pair / 2 : pair % half)) / (2 * half);
          float frequency = 1 / (float) Math.pow(ROPE_THETA, exponent);
          int patch = row % nPatches;
          int place = column ? patch % graph.gridX() : patch / graph.gridX();
          return place * frequency;
        });
  }

  private Tensor positions(Tensor x, long gridX, long gridY) {
    long nEmbd = table.size(0);
    long columns = table.size(1);
    long lines = table.size(2);
    Tensor rows = table.inGraphOf(x).reshape(nEmbd, columns * lines);
    if (gridX == columns && gridY == lines) {
      return rows;
    }
    Tensor maps = rows.transpose().contiguous().reshape(columns, lines, nEmbd);
    return FeatureMaps.interpolate(maps, gridX, gridY, Interpolation.BICUBIC)
        .reshape(gridX * gridY, nEmbd)
        .transpose()
        .contiguous();
  }
}
