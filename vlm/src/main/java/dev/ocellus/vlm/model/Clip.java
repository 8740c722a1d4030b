package dev.ocellus.vlm.model;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.dual.DualArchitecture;
import dev.ocellus.vlm.dual.ImageEmbedder;
import dev.ocellus.vlm.dual.Similarity;
import dev.ocellus.vlm.dual.TextEmbedder;
import dev.ocellus.vlm.dual.TextTokens;
import dev.ocellus.vlm.graph.ModelGraph;
import dev.ocellus.vlm.image.Normalize;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.model.tiling.SquareFit;
import dev.ocellus.vlm.model.tower.ClipTower;
import dev.ocellus.vlm.model.tower.TextTower;
import dev.ocellus.vlm.model.tower.TowerConfig;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.AttentionMask;
import dev.ocellus.vlm.nn.Projection;
import dev.ocellus.vlm.tokenizer.ClipTokenizer;
import dev.ocellus.vlm.vision.ConfigReader;
import dev.ocellus.vlm.vision.EncoderGraph;
import dev.ocellus.vlm.vision.Tiles;
import org.jspecify.annotations.Nullable;

/**
 * CLIP (arXiv:2103.00020): the normed CLS token of an image and the state of a text's end, each
 * projected to one space. Weights under {@code v.} and {@code t.}, {@code visual_projection} and
 * {@code text_projection}.
 *
 * <p>The reference is {@code CLIPModel} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/clip/modeling_clip.py">modeling_clip.py</a>.
 * The names are those that clip.cpp's converter gives; its files hold no scale, and every published
 * model of OpenAI has been trained to the limit of 100.
 */
final class Clip {
  private static final float EPS = 1e-5f;

  /** As the training of OpenAI's models clamps it. */
  private static final double LOG_SCALE = Math.log(100);

  private Clip() {}

  static DualArchitecture of(GgufMetadata metadata, Weights weights) {
    Images images = Images.of(metadata, weights);
    int dimension = weights.outputs("visual_projection.weight");
    Similarity similarity = DualConfig.similarity(metadata, LOG_SCALE, Similarity.Rule.SOFTMAX);
    return new DualArchitecture(
        "clip", dimension, images, Texts.of(metadata, weights, dimension), similarity);
  }

  private record Images(ClipTower.Pooled tower, Projection projection, SquareFit fit)
      implements ImageEmbedder {
    static Images of(GgufMetadata metadata, Weights weights) {
      TowerConfig c = ClipTower.config(metadata);
      Weights projection = weights.at("visual_projection");
      return new Images(
          ClipTower.Pooled.of(c, weights.at("v")),
          Projection.of(projection, c.nEmbd(), projection.outputs("weight")),
          SquareFit.of(
              metadata, c.imageSize(), c.patchSize(), SquareFit.Kind.CROP, Normalize.CLIP));
    }

    @Override
    public Tiles prepare(RgbImage image) {
      return fit.tile(image);
    }

    @Override
    public Tensor forward(EncoderGraph graph) {
      Tensor x = tower.forward(graph.pixels()); // [nEmbd, 1, n]
      return projection.forward(x.reshape(x.size(0), x.size(2))).named("image.features");
    }
  }

  /**
   * @param endToken whose first place speaks for a text; 2 for the highest id of the text, as the
   *     configurations of the first checkpoints say, where 2 is no end at all
   */
  private record Texts(
      TextTower tower, Projection projection, ClipTokenizer tokenizer, int endToken)
      implements TextEmbedder {
    private static final int HIGHEST_ID = 2;

    /** Graphs are for lengths that are multiples of it, so that few of them serve all texts. */
    private static final int LENGTH_STEP = 8;

    static Texts of(GgufMetadata metadata, Weights weights, int dimension) {
      Activation activation = TowerConfig.declaredActivation(metadata, Activation.QUICK_GELU);
      TextTower tower = TextTower.of(metadata, weights.at("t"), EPS, activation);
      ClipTokenizer tokenizer = ClipTokenizer.of(metadata);
      DualConfig.requireRows(tokenizer, tower);
      var c = new ConfigReader(metadata, "clip.text.");
      return new Texts(
          tower,
          Projection.of(weights.at("text_projection"), tower.width(), dimension),
          tokenizer,
          c.integer("eos_token_id", 0, Integer.MAX_VALUE, HIGHEST_ID));
    }

    @Override
    public int contextLength() {
      return tower.nPositions();
    }

    @Override
    public int nTokens() {
      return tower.nTokens();
    }

    @Override
    public TextTokens prepare(String text) {
      int[] words = tokenizer.encode(text);
      int n = Math.min(words.length, contextLength() - 2);
      int[] ids = new int[n + 2];
      ids[0] = tokenizer.bos();
      System.arraycopy(words, 0, ids, 1, n);
      ids[n + 1] = tokenizer.eos();
      int padded = Math.min(Math.ceilDiv(ids.length, LENGTH_STEP) * LENGTH_STEP, contextLength());
      return new TextTokens(ids, padded, tokenizer.eos(), pooled(ids), words.length - n);
    }

    /** The first place of the highest id, or of the end token; the first of all where it is not. */
    private int pooled(int[] ids) {
      int best = 0;
      for (int i = 0; i < ids.length; i++) {
        if (endToken == HIGHEST_ID ? ids[i] > ids[best] : ids[i] == endToken) {
          best = i;
          if (endToken != HIGHEST_ID) {
            break;
          }
        }
      }
      return best;
    }

    /** What stands behind a token changes nothing, so padding needs no mask of its own. */
    @Override
    public Tensor forward(
        ModelGraph graph, Tensor ids, Tensor pooled, int n, @Nullable AttentionMask padding) {
      var causal = AttentionMask.of(graph.table("causal", AttentionMask.causal(n), n, n));
      Tensor x = tower.forward(graph, ids, n, causal); // [nEmbd, n, batch]
      Tensor ends = x.reshape(x.size(0), ids.size(0)).getRows(pooled).named("text.pooled");
      return projection.forward(ends).named("text.features");
    }
  }
}
