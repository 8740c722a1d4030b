package dev.ocellus.vlm.model.text;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.decode.DecoderGraph;
import dev.ocellus.vlm.graph.ModelGraph;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.AttentionMask;
import dev.ocellus.vlm.nn.Embedding;
import dev.ocellus.vlm.nn.GatedMlp;
import dev.ocellus.vlm.nn.KvCache;
import dev.ocellus.vlm.nn.Linear;
import dev.ocellus.vlm.nn.RmsNorm;
import dev.ocellus.vlm.vision.ConfigReader;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * What text models in the manner of LLaMA share: pre-norm layers with grouped queries
 * (arXiv:2305.13245), rotary positions and feed-forward blocks. Where the file has {@code
 * attn_q_norm} and {@code attn_k_norm}, heads are normed behind what positions do to them, which is
 * what is left to each model.
 */
abstract class RotaryDecoder implements DecoderGraph {
  static final int MAX = DecoderSizes.MAX;

  private record Layer(
      RmsNorm attentionNorm,
      GroupedAttention attention,
      @Nullable RmsNorm queryNorm,
      @Nullable RmsNorm keyNorm,
      RmsNorm mlpNorm,
      UnaryOperator<Tensor> feedForward) {}

  /** Makes the feed-forward block of a layer, from [width, n] to the same shape. */
  interface FeedForwards {
    UnaryOperator<Tensor> of(ConfigReader config, DecoderSizes sizes, Weights w);
  }

  /** What positions do in one graph, layer by layer. */
  interface Positions {
    /** Queries [headWidth, nHead, n]; the shape stays. */
    Tensor query(int layer, Tensor query);

    /** Keys [headWidth, nHeadKv, n]; the shape stays. */
    Tensor key(int layer, Tensor key);

    /** Which keys a layer's queries attend to. */
    AttentionMask mask(int layer);

    /** Queries and keys are turned alike in all layers, which attend to the same keys. */
    static Positions turning(UnaryOperator<Tensor> rotation, AttentionMask all) {
      return new Positions() {
        @Override
        public Tensor query(int layer, Tensor query) {
          return rotation.apply(query);
        }

        @Override
        public Tensor key(int layer, Tensor key) {
          return rotation.apply(key);
        }

        @Override
        public AttentionMask mask(int layer) {
          return all;
        }
      };
    }
  }

  final ConfigReader config;
  final DecoderSizes sizes;
  private final Embedding embedding;
  private final List<Layer> layers;
  private final RmsNorm outputNorm;
  private final Linear output;

  /** With gated feed-forward blocks. */
  RotaryDecoder(String architecture, GgufMetadata metadata, Weights w) {
    this(architecture, metadata, w, RotaryDecoder::gated);
  }

  RotaryDecoder(String architecture, GgufMetadata metadata, Weights w, FeedForwards feedForwards) {
    config = new ConfigReader(metadata, architecture + ".");
    sizes = DecoderSizes.of(architecture, config, w);
    embedding = Embedding.of(w.at("token_embd"), sizes.width(), sizes.nTokens());
    layers =
        IntStream.range(0, sizes.nLayers())
            .mapToObj(i -> layer(w.at("blk").at(i), feedForwards))
            .toList();
    outputNorm = RmsNorm.of(w.at("output_norm"), sizes.width(), sizes.eps());
    output =
        Linear.of(
            w.at(w.has("output.weight") ? "output" : "token_embd"), sizes.width(), sizes.nTokens());
  }

  /** Weights {@code ffn_gate}, {@code ffn_up} and {@code ffn_down}. */
  static UnaryOperator<Tensor> gated(ConfigReader config, DecoderSizes sizes, Weights w) {
    int nFf = config.integer("feed_forward_length", 1, MAX);
    return GatedMlp.of(w, sizes.width(), nFf, Activation.SILU)::forward;
  }

  private Layer layer(Weights w, FeedForwards feedForwards) {
    boolean normed = w.has("attn_q_norm.weight");
    return new Layer(
        RmsNorm.of(w.at("attn_norm"), sizes.width(), sizes.eps()),
        GroupedAttention.of(sizes, w),
        normed ? RmsNorm.of(w.at("attn_q_norm"), sizes.headWidth(), sizes.eps()) : null,
        normed ? RmsNorm.of(w.at("attn_k_norm"), sizes.headWidth(), sizes.eps()) : null,
        RmsNorm.of(w.at("ffn_norm"), sizes.width(), sizes.eps()),
        feedForwards.of(config, sizes, w));
  }

  /**
   * What positions do, with the inputs that {@link #setPositions} and {@link #setKeys} set.
   *
   * @param n rows
   * @param all the keys that stand before each of them
   */
  abstract Positions positions(ModelGraph graph, long n, AttentionMask all);

  @Override
  public int nVocab() {
    return sizes.nTokens();
  }

  @Override
  public int width() {
    return sizes.width();
  }

  @Override
  public int nCtxTrain() {
    return sizes.nCtxTrain();
  }

  @Override
  public int nLayers() {
    return sizes.nLayers();
  }

  @Override
  public int headWidth() {
    return sizes.headWidth();
  }

  @Override
  public int nHeadKv() {
    return sizes.nHeadKv();
  }

  @Override
  public String description() {
    return sizes.description();
  }

  @Override
  public Tensor embed(Tensor ids) {
    return embedding.forward(ids);
  }

  @Override
  public Tensor forward(
      ModelGraph graph, Tensor x, KvCache cache, Tensor places, AttentionMask mask) {
    Positions positions = positions(graph, x.size(1), mask);
    Tensor h = x;
    for (int i = 0; i < layers.size(); i++) {
      int number = i;
      Layer layer = layers.get(i);
      Tensor attended =
          layer.attention.forward(
              layer.attentionNorm.forward(h),
              query -> normed(positions.query(number, query), layer.queryNorm),
              key -> normed(positions.key(number, key), layer.keyNorm),
              cache.layer(i),
              places,
              positions.mask(i));
      h = h.add(attended);
      h = h.add(layer.feedForward.apply(layer.mlpNorm.forward(h)));
    }
    return outputNorm.forward(h);
  }

  private static Tensor normed(Tensor x, @Nullable RmsNorm norm) {
    return norm == null ? x : norm.forward(x);
  }

  @Override
  public Tensor logits(Tensor hidden) {
    return output.forward(hidden);
  }
}
