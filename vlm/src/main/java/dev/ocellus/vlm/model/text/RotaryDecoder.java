package dev.ocellus.vlm.model.text;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.decode.DecoderGraph;
import dev.ocellus.vlm.graph.ModelGraph;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.AttentionKernel;
import dev.ocellus.vlm.nn.AttentionMask;
import dev.ocellus.vlm.nn.DotProductAttention;
import dev.ocellus.vlm.nn.Embedding;
import dev.ocellus.vlm.nn.GatedMlp;
import dev.ocellus.vlm.nn.KeysValues;
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
 * (arXiv:2305.13245), rotary positions and gated feed-forward blocks. Where the file has {@code
 * attn_q_norm} and {@code attn_k_norm}, heads are normed behind the rotation, which is what is left
 * to each model.
 */
abstract class RotaryDecoder implements DecoderGraph {
  static final int MAX = 1 << 20;

  private record Layer(
      RmsNorm attentionNorm,
      Linear query,
      Linear key,
      Linear value,
      @Nullable RmsNorm queryNorm,
      @Nullable RmsNorm keyNorm,
      Linear out,
      RmsNorm mlpNorm,
      GatedMlp mlp) {}

  final ConfigReader config;
  private final String architecture;
  private final int nVocab;
  private final int width;
  private final int nCtxTrain;
  private final int nHead;
  private final int nHeadKv;
  private final int headWidth;
  private final AttentionKernel kernel;
  private final Embedding embedding;
  private final List<Layer> layers;
  private final RmsNorm outputNorm;
  private final Linear output;

  RotaryDecoder(String architecture, GgufMetadata metadata, Weights w) {
    this.architecture = architecture;
    config = new ConfigReader(metadata, architecture + ".");
    nVocab = w.outputs("token_embd.weight");
    width = config.integer("embedding_length", 1, MAX);
    nCtxTrain = config.integer("context_length", 1, Integer.MAX_VALUE);
    nHead = config.integer("attention.head_count", 1, width);
    nHeadKv = config.integer("attention.head_count_kv", 1, nHead, nHead);
    headWidth = config.integer("attention.key_length", 2, MAX, width / nHead);
    if (nHead % nHeadKv != 0) {
      throw config.invalid(
          "attention.head_count_kv", "a divisor of " + nHead, String.valueOf(nHeadKv));
    }
    if (headWidth % 2 != 0) {
      throw config.invalid("attention.key_length", "an even number", String.valueOf(headWidth));
    }
    float eps = config.positive("attention.layer_norm_rms_epsilon", 1e-5f);
    int nFf = config.integer("feed_forward_length", 1, MAX);
    kernel = AttentionKernel.of(w);
    embedding = Embedding.of(w.at("token_embd"), width, nVocab);
    layers =
        IntStream.range(0, config.integer("block_count", 1, 1024))
            .mapToObj(i -> layer(w.at("blk").at(i), eps, nFf))
            .toList();
    outputNorm = RmsNorm.of(w.at("output_norm"), width, eps);
    output = Linear.of(w.at(w.has("output.weight") ? "output" : "token_embd"), width, nVocab);
  }

  private Layer layer(Weights w, float eps, int nFf) {
    long nQuery = (long) headWidth * nHead;
    long nKey = (long) headWidth * nHeadKv;
    boolean normed = w.has("attn_q_norm.weight");
    return new Layer(
        RmsNorm.of(w.at("attn_norm"), width, eps),
        Linear.of(w.at("attn_q"), width, nQuery),
        Linear.of(w.at("attn_k"), width, nKey),
        Linear.of(w.at("attn_v"), width, nKey),
        normed ? RmsNorm.of(w.at("attn_q_norm"), headWidth, eps) : null,
        normed ? RmsNorm.of(w.at("attn_k_norm"), headWidth, eps) : null,
        Linear.of(w.at("attn_output"), nQuery, width),
        RmsNorm.of(w.at("ffn_norm"), width, eps),
        GatedMlp.of(w, width, nFf, Activation.SILU));
  }

  /**
   * What turns heads, [headWidth, heads, n] to the same shape, with the inputs that {@link
   * #setPositions} sets.
   */
  abstract UnaryOperator<Tensor> rotation(ModelGraph graph, long n);

  @Override
  public int nVocab() {
    return nVocab;
  }

  @Override
  public int width() {
    return width;
  }

  @Override
  public int nCtxTrain() {
    return nCtxTrain;
  }

  @Override
  public int nLayers() {
    return layers.size();
  }

  @Override
  public int headWidth() {
    return headWidth;
  }

  @Override
  public int nHeadKv() {
    return nHeadKv;
  }

  @Override
  public String description() {
    return "%s, %d layers of %d, as a graph".formatted(architecture, layers.size(), width);
  }

  @Override
  public Tensor embed(Tensor ids) {
    return embedding.forward(ids);
  }

  @Override
  public Tensor forward(
      ModelGraph graph, Tensor x, KvCache cache, Tensor places, AttentionMask mask) {
    UnaryOperator<Tensor> rotation = rotation(graph, x.size(1));
    Tensor h = x;
    for (int i = 0; i < layers.size(); i++) {
      Layer layer = layers.get(i);
      Tensor normed = layer.attentionNorm.forward(h);
      h = h.add(attention(layer, normed, rotation, cache.layer(i), places, mask));
      h = h.add(layer.mlp.forward(layer.mlpNorm.forward(h)));
    }
    return outputNorm.forward(h);
  }

  private Tensor attention(
      Layer layer,
      Tensor x,
      UnaryOperator<Tensor> rotation,
      KvCache.Layer cache,
      Tensor places,
      AttentionMask mask) {
    long n = x.size(1);
    Tensor query = layer.query.forward(x).reshape(headWidth, nHead, n);
    Tensor key = layer.key.forward(x).reshape(headWidth, nHeadKv, n);
    query = normed(rotation.apply(query), layer.queryNorm);
    key = normed(rotation.apply(key), layer.keyNorm);
    KeysValues cached =
        cache.append(
            key.reshape((long) headWidth * nHeadKv, n),
            layer.value.forward(x),
            places,
            mask.nKeys());
    return layer.out.forward(
        DotProductAttention.forward(
            query.permute(0, 2, 1, 3), cached.keys(), cached.values(), mask, kernel));
  }

  private static Tensor normed(Tensor x, @Nullable RmsNorm norm) {
    return norm == null ? x : norm.forward(x);
  }

  @Override
  public Tensor logits(Tensor hidden) {
    return output.forward(hidden);
  }
}
