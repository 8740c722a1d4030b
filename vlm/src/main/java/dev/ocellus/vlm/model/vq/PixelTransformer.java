package dev.ocellus.vlm.model.vq;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.WeightShapeException;
import dev.ocellus.ggml.Weights;
import dev.ocellus.vlm.codes.PriorGraph;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.Attention;
import dev.ocellus.vlm.nn.AttentionMask;
import dev.ocellus.vlm.nn.Embedding;
import dev.ocellus.vlm.nn.Linear;
import dev.ocellus.vlm.nn.Mlp;
import dev.ocellus.vlm.nn.RmsNorm;
import dev.ocellus.vlm.vision.ConfigReader;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The transformer of ImageGPT (Chen et al., Generative Pretraining from Pixels, 2020): GPT-2 with
 * norms that do not take the mean away.
 *
 * <p>The reference is {@code ImageGPTForCausalImageModeling} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/imagegpt/modeling_imagegpt.py">modeling_imagegpt.py</a>.
 */
public final class PixelTransformer implements PriorGraph {
  private static final int MAX_WIDTH = 1 << 16;
  private static final int MAX_TOKENS = 1 << 24;

  private record Layer(RmsNorm norm1, Attention attention, RmsNorm norm2, Mlp mlp) {
    static Layer of(Weights w, int width, int nHead, float eps, Activation activation) {
      return new Layer(
          RmsNorm.of(w.at("ln1"), width, eps),
          Attention.of(w, width, nHead),
          RmsNorm.of(w.at("ln2"), width, eps),
          Mlp.of(w, width, activation));
    }
  }

  private final Embedding tokens;
  private final Embedding positions;
  private final List<Layer> layers;
  private final RmsNorm norm;
  private final Linear output;
  private final int width;
  private final int nHead;
  private final int nStarts;
  private final int nOutputs;

  /**
   * Weights {@code token_embd} [width, codes and starts], {@code position_embd} [width, positions],
   * {@code blk.N}, {@code output_norm} and {@code output}; without the last one, the embeddings.
   *
   * @param c the keys of the transformer
   * @param nStarts how many of the tokens are start tokens
   */
  public PixelTransformer(ConfigReader c, Weights weights, int nStarts) {
    Weights w = weights.forFewRows();
    this.nStarts = nStarts;
    width = c.integer("embedding_length", 1, MAX_WIDTH);
    nHead = c.integer("attention.head_count", 1, width);
    if (width % nHead != 0) {
      throw c.invalid("attention.head_count", "a divisor of " + width, Integer.toString(nHead));
    }
    int nTokens = w.outputs("token_embd.weight");
    if (nTokens <= nStarts || nTokens > MAX_TOKENS) {
      throw new WeightShapeException(
          "%s: expected more rows than the %d start tokens, found %d"
              .formatted(w.name("token_embd.weight"), nStarts, nTokens));
    }
    tokens = Embedding.of(w.at("token_embd"), width, nTokens);
    positions = Embedding.of(w.at("position_embd"), width, w.outputs("position_embd.weight"));
    float eps = c.positive("attention.layer_norm_epsilon", 1e-5f);
    Activation activation = c.activation(Activation.QUICK_GELU);
    layers =
        IntStream.range(0, c.integer("block_count", 1, 1024))
            .mapToObj(i -> Layer.of(w.at("blk").at(i), width, nHead, eps, activation))
            .toList();
    norm = RmsNorm.of(w.at("output_norm"), width, eps);
    Weights head = w.at(w.has("output.weight") ? "output" : "token_embd");
    nOutputs = head.outputs("weight");
    if (nOutputs != nTokens && nOutputs != nTokens - nStarts) {
      throw new WeightShapeException(
          "%s: expected %d or %d rows, found %d"
              .formatted(head.name("weight"), nTokens - nStarts, nTokens, nOutputs));
    }
    output = Linear.of(head, width, nOutputs);
  }

  @Override
  public int nCodes() {
    return (int) tokens.count() - nStarts;
  }

  @Override
  public int nStarts() {
    return nStarts;
  }

  @Override
  public int nOutputs() {
    return nOutputs;
  }

  @Override
  public int nPositions() {
    return (int) positions.count();
  }

  @Override
  public int nLayers() {
    return layers.size();
  }

  @Override
  public long headWidth() {
    return width / nHead;
  }

  @Override
  public long nHead() {
    return nHead;
  }

  @Override
  public Tensor forward(
      Tensor ids, Tensor at, long batch, @Nullable Cached cache, AttentionMask mask) {
    long n = at.size(0);
    Tensor x = tokens.forward(ids).reshape(width, n, batch).add(positions.forward(at));
    for (int i = 0; i < layers.size(); i++) {
      Layer layer = layers.get(i);
      Tensor seen = layer.norm1.forward(x);
      Tensor mixed =
          cache == null
              ? layer.attention.forward(seen, mask)
              : layer.attention.forward(seen, cache.cache().layer(i), cache.places(), mask);
      x = x.add(mixed);
      x = x.add(layer.mlp.forward(layer.norm2.forward(x)));
    }
    return norm.forward(x);
  }

  @Override
  public Tensor logits(Tensor hidden) {
    return output.forward(hidden);
  }
}
