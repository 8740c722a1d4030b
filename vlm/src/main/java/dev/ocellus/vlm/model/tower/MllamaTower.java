package dev.ocellus.vlm.model.tower;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.vlm.nn.Attention;
import dev.ocellus.vlm.nn.AttentionMask;
import dev.ocellus.vlm.nn.LayerNorm;
import dev.ocellus.vlm.nn.Linear;
import dev.ocellus.vlm.nn.Mlp;
import dev.ocellus.vlm.nn.PatchEmbedding;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The tower of Llama 3.2 Vision: all tiles of an image, those that it does not have too, go through
 * one transformer and then a gated one; positions know the tile and how tiles are arranged. Some
 * states of the first go beside the last one. Weights under {@code v.}.
 *
 * <p>The reference is {@code MllamaVisionModel} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/mllama/modeling_mllama.py">modeling_mllama.py</a>.
 */
public final class MllamaTower {
  private static final float EPS = 1e-5f;

  /** Rows of a tile are padded to a multiple of this. */
  private static final int MULTIPLE = 8;

  /**
   * Sizes.
   *
   * @param nTiles of each image, with those that it does not have
   * @param nGlobal layers of the second transformer
   * @param features layers of the first whose states go beside the last one
   * @param nArrangements of tiles
   */
  public record Config(
      TowerConfig tower, int nTiles, int nGlobal, List<Integer> features, int nArrangements) {
    public Config {
      features = List.copyOf(features);
    }

    /** States of a tile: the CLS token's and those of the patches. */
    public int nStates() {
      return 1 + tower.nPatches();
    }

    /** Width of a state. */
    public int width() {
      return tower.nEmbd() * (1 + features.size());
    }

    private int nRows() {
      return Math.ceilDiv(nStates(), MULTIPLE) * MULTIPLE;
    }
  }

  private record Layer(
      LayerNorm ln1,
      Attention attention,
      LayerNorm ln2,
      Mlp mlp,
      @Nullable Tensor attentionGate,
      @Nullable Tensor mlpGate) {
    static Layer of(TowerConfig c, Weights w, boolean gated) {
      return new Layer(
          LayerNorm.of(w.at("ln1"), c.nEmbd(), c.eps()),
          Attention.of(w, c.nEmbd(), c.nHead()),
          LayerNorm.of(w.at("ln2"), c.nEmbd(), c.eps()),
          new Mlp(
              Linear.of(w.at("ffn_up"), c.nEmbd(), c.nFf()),
              c.activation(),
              Linear.of(w.at("ffn_down"), c.nFf(), c.nEmbd())),
          gated ? w.f32("attn_gate", 1) : null,
          gated ? w.f32("ffn_gate", 1) : null);
    }

    Tensor forward(Tensor x, AttentionMask mask) {
      Tensor h = x.add(gated(attention.forward(ln1.forward(x), mask), attentionGate));
      return h.add(gated(mlp.forward(ln2.forward(h)), mlpGate));
    }
  }

  private final Config config;
  private final PatchEmbedding patches;
  private final Tensor clsToken;
  private final Tensor positions;
  private final Tensor positionGate;
  private final Tensor tilePositions;
  private final Tensor preTile;
  private final Tensor preGate;
  private final Tensor postTile;
  private final Tensor postGate;
  private final LayerNorm preNorm;
  private final LayerNorm postNorm;
  private final List<Layer> layers;
  private final List<Layer> global;

  public MllamaTower(Config c, Weights w) {
    config = c;
    TowerConfig t = c.tower;
    long n = t.nEmbd();
    long table = 1L + c.nArrangements;
    patches = PatchEmbedding.of(w.at("patch_embd"), t.patchSize(), n);
    clsToken = w.f32("class_embd", n);
    positions = w.f32("position_embd.weight", n, c.nStates());
    positionGate = w.f32("position_gate", 1);
    tilePositions = w.f32("tile_position_embd.weight", n * c.nStates() * c.nTiles, table);
    preTile = w.f32("pre_tile_embd.weight", n * c.nTiles, table);
    preGate = w.f32("pre_tile_gate", 1);
    postTile = w.f32("post_tile_embd.weight", n * c.nTiles, table);
    postGate = w.f32("post_tile_gate", 1);
    preNorm = LayerNorm.of(w.at("pre_ln"), n, EPS);
    postNorm = LayerNorm.of(w.at("post_ln"), n, EPS);
    layers =
        IntStream.range(0, t.nLayer())
            .mapToObj(i -> Layer.of(t, w.at("blk").at(i), false))
            .toList();
    global =
        IntStream.range(0, c.nGlobal)
            .mapToObj(i -> Layer.of(t, w.at("global").at(i), true))
            .toList();
  }

  private static Tensor gated(Tensor x, @Nullable Tensor gate) {
    return gate == null ? x : x.mul(gate.inGraphOf(x).tanh());
  }

  /**
   * Which rows may not attend to each other, [rows of all tiles, the same]: those that are none of
   * a tile of the image.
   *
   * @param nTiles tiles that the image has
   */
  public static float[] mask(Config c, int nTiles) {
    int rows = c.nRows();
    int n = rows * c.nTiles;
    boolean[] missing = new boolean[n];
    for (int i = 0; i < n; i++) {
      // a tile without padded rows loses all of them, as the reference cuts from the end
      boolean padded = rows == c.nStates() || i % rows >= c.nStates();
      missing[i] = i / rows >= nTiles || padded;
    }
    float[] mask = new float[Math.multiplyExact(n, n)];
    for (int query = 0; query < n; query++) {
      for (int key = 0; key < n; key++) {
        if (missing[query] && missing[key]) {
          mask[query * n + key] = Float.NEGATIVE_INFINITY;
        }
      }
    }
    return mask;
  }

  /**
   * From pixels to states.
   *
   * @param pixels [side, side, 3, tiles]
   * @param arrangement [1] number of the arrangement of tiles, from 1
   * @param mask {@link #mask}
   * @return [width, states of a tile, tiles]
   */
  public Tensor forward(Tensor pixels, Tensor arrangement, AttentionMask mask) {
    long n = config.tower.nEmbd();
    long nTiles = config.nTiles;
    Tensor x = patches.forward(pixels); // [n, patches, tiles]
    x = x.add(gated(row(preTile, arrangement).reshape(n, 1, nTiles), preGate));
    Tensor cls = clsToken.inGraphOf(x).repeat(n, 1, nTiles);
    x = positioned(cls.concat(x, 1), arrangement);
    x = preNorm.forward(x);
    long rows = config.nRows();
    long nStates = config.nStates();
    if (rows > nStates) {
      x = x.reshape(n * nStates, nTiles).padRows(n * rows);
    }
    x = x.reshape(n, rows * nTiles, 1);
    List<Tensor> kept = new ArrayList<>();
    for (int i = 0; i < layers.size(); i++) {
      x = layers.get(i).forward(x, mask);
      for (int feature : config.features) {
        if (feature == i) {
          kept.add(x);
        }
      }
    }
    x = postNorm.forward(x).reshape(n, rows, nTiles);
    x = x.add(gated(row(postTile, arrangement).reshape(n, 1, nTiles), postGate));
    x = x.reshape(n, rows * nTiles, 1);
    for (Layer layer : global) {
      x = layer.forward(x, mask);
    }
    return withFeatures(x, kept).named("vision.last_hidden");
  }

  private static Tensor row(Tensor table, Tensor number) {
    return table.inGraphOf(number).getRows(number);
  }

  /** Positions in the tile weigh the less, the more those of the tiles weigh. */
  private Tensor positioned(Tensor x, Tensor arrangement) {
    Tensor gate = positionGate.inGraphOf(x).tanh();
    Tensor own = positions.inGraphOf(x);
    Tensor weighed = own.sub(own.mul(gate));
    Tensor ofTiles =
        row(tilePositions, arrangement)
            .reshape(config.tower.nEmbd(), config.nStates(), config.nTiles)
            .mul(gate);
    return x.add(weighed).add(ofTiles);
  }

  /** The last states, and beside each number of them those of the kept layers in turn. */
  private Tensor withFeatures(Tensor last, List<Tensor> kept) {
    long n = config.tower.nEmbd();
    Tensor out = states(last);
    if (kept.isEmpty()) {
      return out;
    }
    Tensor all = null;
    for (Tensor each : kept) {
      Tensor one = states(each);
      Tensor row = one.reshape(1, n, one.size(1) * one.size(2));
      all = all == null ? row : all.concat(row, 0);
    }
    Tensor beside = Objects.requireNonNull(all).reshape(n * kept.size(), out.size(1), out.size(2));
    return out.concat(beside, 0);
  }

  /** Without padded rows: [n, states of a tile, tiles]. */
  private Tensor states(Tensor x) {
    long n = config.tower.nEmbd();
    Tensor tiles = x.reshape(n, config.nRows(), config.nTiles);
    return config.nRows() == config.nStates()
        ? tiles
        : tiles.slice(new long[] {}, n, config.nStates(), config.nTiles).contiguous();
  }
}
