package dev.ocellus.vlm.model.tower;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.Attention;
import dev.ocellus.vlm.nn.CrossAttention;
import dev.ocellus.vlm.nn.LayerNorm;
import dev.ocellus.vlm.nn.Mlp;
import dev.ocellus.vlm.vision.ConfigReader;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The querying transformer of BLIP-2 (arXiv:2301.12597): a BERT whose first rows are learned
 * queries, which attend to the states of an image in some of the layers. InstructBLIP
 * (arXiv:2305.06500) puts the embeddings of an instruction behind the queries; both attend to each
 * other, and each has feed-forward blocks of its own. Weights under {@code qf.}, sizes under {@code
 * clip.qformer.}.
 *
 * <p>The references are {@code Blip2QFormerModel} and {@code InstructBlipQFormerModel} of
 * transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/instructblip/modeling_instructblip.py">modeling_instructblip.py</a>.
 */
public final class QFormer {
  private static final int MAX = 1 << 16;
  private static final float EPS = 1e-12f;

  /** A feed-forward block, its input added to what comes out, and a norm behind. */
  private record FeedForward(Mlp mlp, LayerNorm norm) {
    static FeedForward of(Weights w, Sizes s) {
      return new FeedForward(
          Mlp.of(w, s.width, s.nFf, s.activation), LayerNorm.of(w.at("ffn_ln"), s.width, s.eps));
    }

    Tensor forward(Tensor x) {
      return norm.forward(mlp.forward(x).add(x));
    }
  }

  private record Sizes(
      int width, int nFf, int nHead, int nStates, float eps, Activation activation) {}

  private record Layer(
      Attention attention,
      LayerNorm norm,
      @Nullable CrossAttention cross,
      @Nullable LayerNorm crossNorm,
      FeedForward ofQueries,
      @Nullable FeedForward ofText) {
    static Layer of(Weights w, Sizes s, boolean takesText) {
      boolean crosses = w.has("cross.attn_q.weight");
      return new Layer(
          Attention.of(w, s.width, s.nHead),
          LayerNorm.of(w.at("attn_ln"), s.width, s.eps),
          crosses ? CrossAttention.of(w.at("cross"), s.width, s.nStates, s.nHead) : null,
          crosses ? LayerNorm.of(w.at("cross").at("attn_ln"), s.width, s.eps) : null,
          FeedForward.of(w.at("query"), s),
          takesText ? FeedForward.of(w, s) : null);
    }

    Tensor forward(Tensor x, Tensor states, long nQueries) {
      x = norm.forward(attention.forward(x).add(x));
      Tensor queries = rows(x, 0, nQueries);
      if (cross != null && crossNorm != null) {
        Tensor seen = cross.forward(queries, cross.keysValues(states), null);
        queries = crossNorm.forward(seen.add(queries));
      }
      Tensor y = ofQueries.forward(queries);
      long nText = x.size(1) - nQueries;
      return ofText == null || nText == 0
          ? y
          : y.concat(ofText.forward(rows(x, nQueries, nText)), 1);
    }
  }

  private final int width;
  private final int nQueries;
  private final Tensor queries;
  private final LayerNorm norm;
  private final List<Layer> layers;
  private final @Nullable Tensor tokens;
  private final @Nullable Tensor positions;

  private QFormer(GgufMetadata metadata, Weights w, int nStates, boolean takesText) {
    var c = new ConfigReader(metadata, "clip.qformer.");
    width = TowerConfig.width(c);
    nQueries = w.outputs("query");
    var sizes =
        new Sizes(
            width,
            c.integer("feed_forward_length", 1, 1 << 18),
            TowerConfig.heads(c, width, 1),
            nStates,
            c.positive("attention.layer_norm_epsilon", EPS),
            c.activation(Activation.GELU));
    queries = w.f32("query", width, nQueries);
    norm = LayerNorm.of(w.at("embd_ln"), width, sizes.eps);
    layers =
        IntStream.range(0, TowerConfig.layers(c))
            .mapToObj(i -> Layer.of(w.at("blk").at(i), sizes, takesText))
            .toList();
    tokens = takesText ? table(w, "token_embd.weight") : null;
    positions = takesText ? table(w, "position_embd.weight") : null;
  }

  private Tensor table(Weights w, String name) {
    return w.get(name, width, w.outputs(name));
  }

  /**
   * Binds the weights.
   *
   * @param w those under {@code qf.}
   * @param nStates width of an image's states
   * @param takesText whether there is an instruction beside the queries
   * @throws dev.ocellus.vlm.vision.InvalidConfigException if no model can have such sizes
   * @throws dev.ocellus.compute.GgmlException if weights are missing or have another shape
   */
  public static QFormer of(GgufMetadata metadata, Weights w, int nStates, boolean takesText) {
    return new QFormer(metadata, w, nStates, takesText);
  }

  /** Width of a row. */
  public int width() {
    return width;
  }

  /** Rows that an image becomes. */
  public int nQueries() {
    return nQueries;
  }

  /** Size of the vocabulary of instructions. */
  public int nTokens() {
    return Math.toIntExact(required(tokens).size(1));
  }

  /** Most tokens of an instruction. */
  public int nPositions() {
    return Math.min(MAX, Math.toIntExact(required(positions).size(1)));
  }

  /** From the states of images [nStates, n, batch] to [width, nQueries, batch]. */
  public Tensor forward(Tensor states) {
    Tensor x =
        queries
            .inGraphOf(states)
            .reshape(width, nQueries, 1)
            .repeat(width, nQueries, states.size(2));
    return run(x, states).named("qformer.last_hidden");
  }

  /**
   * With an instruction, of which the last of the rows are.
   *
   * @param states of one image, [nStates, n]
   * @param ids [n] tokens, with a limit of at most {@link #nTokens}
   * @param places [n] positions, with a limit of at most {@link #nPositions}
   * @return [width, nQueries + n]
   */
  public Tensor forward(Tensor states, Tensor ids, Tensor places) {
    Tensor text = required(tokens).inGraphOf(ids).getRows(ids);
    text = text.add(required(positions).inGraphOf(places).getRows(places));
    Tensor x = queries.inGraphOf(states).concat(text, 1);
    return run(x, states).named("qformer.last_hidden");
  }

  private Tensor run(Tensor x, Tensor states) {
    x = norm.forward(x);
    for (Layer layer : layers) {
      x = layer.forward(x, states, nQueries);
    }
    return x;
  }

  private static Tensor rows(Tensor x, long from, long n) {
    return n == x.size(1) ? x : x.slice(new long[] {0, from}, x.size(0), n, x.size(2)).contiguous();
  }

  private static Tensor required(@Nullable Tensor table) {
    if (table == null) {
      throw new IllegalStateException("this Q-Former takes no text");
    }
    return table;
  }
}
