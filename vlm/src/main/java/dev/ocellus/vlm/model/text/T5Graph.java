package dev.ocellus.vlm.model.text;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.decode.EncoderDecoderGraph;
import dev.ocellus.vlm.graph.GraphRun;
import dev.ocellus.vlm.graph.ModelGraph;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.BiasedAttention;
import dev.ocellus.vlm.nn.Embedding;
import dev.ocellus.vlm.nn.GatedMlp;
import dev.ocellus.vlm.nn.KvCache;
import dev.ocellus.vlm.nn.Linear;
import dev.ocellus.vlm.nn.Mlp;
import dev.ocellus.vlm.nn.RmsNorm;
import dev.ocellus.vlm.vision.ConfigReader;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/**
 * T5 (arXiv:1910.10683) and Flan-T5 (arXiv:2210.11416), from GGUF files with the names of
 * llama.cpp's converter: an encoder and a decoder whose attention knows distances by biases that
 * all layers of a stack share.
 *
 * <p>The reference is {@code T5ForConditionalGeneration} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/t5/modeling_t5.py">modeling_t5.py</a>.
 * libllama has the architecture, too, but computes the encoder's keys and values again for every
 * token, takes GELU from a table of F16, does not scale what comes out of the first T5, and holds
 * one prompt for all sequences of a context.
 */
final class T5Graph implements EncoderDecoderGraph {
  static final String ARCHITECTURE = "t5";

  private static final int MAX = 1 << 20;

  private interface FeedForward extends UnaryOperator<Tensor> {}

  private record EncoderLayer(
      RmsNorm attentionNorm, BiasedAttention attention, RmsNorm mlpNorm, FeedForward mlp) {}

  private record DecoderLayer(
      RmsNorm attentionNorm,
      BiasedAttention attention,
      RmsNorm crossNorm,
      BiasedAttention cross,
      RmsNorm mlpNorm,
      FeedForward mlp) {}

  private final int nVocab;
  private final int width;
  private final int nCtxTrain;
  private final int nHead;
  private final int headWidth;
  private final int nFf;
  private final float eps;
  private final Activation activation;
  private final int startToken;
  private final float outputScale;
  private final RelativeBuckets encoderBuckets;
  private final RelativeBuckets decoderBuckets;
  private final Embedding embedding;
  private final Tensor encoderBias;
  private final Tensor decoderBias;
  private final List<EncoderLayer> encoder;
  private final List<DecoderLayer> decoder;
  private final RmsNorm encoderNorm;
  private final RmsNorm decoderNorm;
  private final Linear output;

  T5Graph(GgufMetadata metadata, Weights w) {
    var c = new ConfigReader(metadata, ARCHITECTURE + ".");
    nVocab = Math.toIntExact(w.shape("token_embd.weight")[1]);
    width = c.integer("embedding_length", 1, MAX);
    nCtxTrain = c.integer("context_length", 1, MAX, 512);
    nHead = c.integer("attention.head_count", 1, MAX);
    headWidth = c.integer("attention.key_length", 1, MAX);
    nFf = c.integer("feed_forward_length", 1, MAX);
    eps = c.positive("attention.layer_norm_rms_epsilon", 1e-6f);
    startToken = c.integer("decoder_start_token_id", 0, nVocab - 1, 0);
    int nBuckets = c.integer("attention.relative_buckets_count", 4, 1 << 16);
    int maxDistance = c.integer("attention.relative_max_distance", nBuckets, MAX, 128);
    encoderBuckets = new RelativeBuckets(nBuckets, maxDistance, true);
    decoderBuckets = new RelativeBuckets(nBuckets, maxDistance, false);
    boolean gated = w.at("enc").at("blk").at(0).has("ffn_gate.weight");
    activation = c.activation(gated ? Activation.GELU_TANH : Activation.RELU);
    boolean scales = metadata.bool("t5.scale_decoder_outputs", !w.has("output.weight"));
    outputScale = scales ? (float) (1 / Math.sqrt(width)) : 1;
    embedding = Embedding.of(w.at("token_embd"), width, nVocab);
    int nEncoder = c.integer("block_count", 1, 1024);
    int nDecoder = c.integer("decoder_block_count", 1, 1024, nEncoder);
    Weights enc = w.at("enc");
    Weights dec = w.at("dec");
    encoderBias = bias(enc, nBuckets);
    decoderBias = bias(dec, nBuckets);
    encoder =
        IntStream.range(0, nEncoder).mapToObj(i -> encoderLayer(enc.at("blk").at(i))).toList();
    decoder =
        IntStream.range(0, nDecoder).mapToObj(i -> decoderLayer(dec.at("blk").at(i))).toList();
    encoderNorm = RmsNorm.of(enc.at("output_norm"), width, eps);
    decoderNorm = RmsNorm.of(dec.at("output_norm"), width, eps);
    output = Linear.of(w.at(w.has("output.weight") ? "output" : "token_embd"), width, nVocab);
  }

  private Tensor bias(Weights stack, int nBuckets) {
    return stack.at("blk").at(0).f32("attn_rel_b.weight", nHead, nBuckets);
  }

  private EncoderLayer encoderLayer(Weights w) {
    return new EncoderLayer(
        RmsNorm.of(w.at("attn_norm"), width, eps),
        BiasedAttention.of(w, "attn_", width, headWidth, nHead),
        RmsNorm.of(w.at("ffn_norm"), width, eps),
        feedForward(w));
  }

  private DecoderLayer decoderLayer(Weights w) {
    return new DecoderLayer(
        RmsNorm.of(w.at("attn_norm"), width, eps),
        BiasedAttention.of(w, "attn_", width, headWidth, nHead),
        RmsNorm.of(w.at("cross_attn_norm"), width, eps),
        BiasedAttention.of(w, "cross_attn_", width, headWidth, nHead),
        RmsNorm.of(w.at("ffn_norm"), width, eps),
        feedForward(w));
  }

  private FeedForward feedForward(Weights w) {
    if (w.has("ffn_gate.weight")) {
      return GatedMlp.of(w, width, nFf, activation)::forward;
    }
    return new Mlp(
            Linear.of(w.at("ffn_up"), width, nFf),
            activation,
            Linear.of(w.at("ffn_down"), nFf, width))
        ::forward;
  }

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
    return decoder.size();
  }

  @Override
  public int headWidth() {
    return headWidth;
  }

  @Override
  public int nHead() {
    return nHead;
  }

  @Override
  public int startToken() {
    return startToken;
  }

  @Override
  public String description() {
    return "t5, %d and %d layers of %d, as graphs".formatted(encoder.size(), decoder.size(), width);
  }

  @Override
  public Tensor embed(Tensor ids) {
    return embedding.forward(ids);
  }

  @Override
  public Tensor encode(ModelGraph graph, Tensor x) {
    int n = Math.toIntExact(x.size(1));
    int[] buckets = new int[Math.multiplyExact(n, n)];
    for (int query = 0; query < n; query++) {
      for (int key = 0; key < n; key++) {
        buckets[query * n + key] = encoderBuckets.of(key - query);
      }
    }
    Tensor numbers = graph.indexTable("buckets", buckets, encoderBuckets.n());
    Tensor bias = byDistance(encoderBias, numbers, n, n);
    for (EncoderLayer layer : encoder) {
      Tensor normed = layer.attentionNorm.forward(x);
      x = x.add(layer.attention.forward(normed, layer.attention.keysValues(normed), bias));
      x = x.add(layer.mlp.apply(layer.mlpNorm.forward(x)));
    }
    return encoderNorm.forward(x).named("encoder.last_hidden");
  }

  /** [nHead, nKeys · n] of biases to [nKeys, n, nHead]. */
  private Tensor byDistance(Tensor table, Tensor buckets, long nKeys, long n) {
    return table
        .inGraphOf(buckets)
        .getRows(buckets)
        .reshape(nHead, nKeys, n)
        .permute(2, 0, 1, 3)
        .contiguous();
  }

  @Override
  public void remember(Tensor states, KvCache memory, Tensor places) {
    for (int i = 0; i < decoder.size(); i++) {
      BiasedAttention cross = decoder.get(i).cross;
      var unused =
          memory.layer(i).append(cross.keys(states), cross.values(states), places, states.size(1));
      unused.keys().computeFirst();
      unused.values().computeFirst();
    }
  }

  @Override
  public Tensor decode(ModelGraph graph, Tensor x, Cells cells) {
    long n = x.size(1);
    long nKeys = cells.mask().size(0);
    Tensor buckets = graph.indices("buckets", n * nKeys, decoderBuckets.n());
    Tensor bias = byDistance(decoderBias, buckets, nKeys, n).add(cells.mask());
    for (int i = 0; i < decoder.size(); i++) {
      DecoderLayer layer = decoder.get(i);
      Tensor normed = layer.attentionNorm.forward(x);
      var known =
          cells
              .own()
              .layer(i)
              .append(
                  layer.attention.keys(normed),
                  layer.attention.values(normed),
                  cells.places(),
                  nKeys);
      x = x.add(layer.attention.forward(normed, known, bias));
      var prompt = cells.memory().layer(i).read(x, cells.nPrompt());
      x = x.add(layer.cross.forward(layer.crossNorm.forward(x), prompt, null));
      x = x.add(layer.mlp.apply(layer.mlpNorm.forward(x)));
    }
    return decoderNorm.forward(x);
  }

  @Override
  public Tensor logits(Tensor hidden) {
    return output.forward(outputScale == 1 ? hidden : hidden.scale(outputScale));
  }

  @Override
  public void setDistances(GraphRun run, int[] positions, int[] keyPositions) {
    int[] buckets = new int[positions.length * keyPositions.length];
    for (int query = 0; query < positions.length; query++) {
      for (int key = 0; key < keyPositions.length; key++) {
        buckets[query * keyPositions.length + key] =
            decoderBuckets.of(keyPositions[key] - positions[query]);
      }
    }
    run.set("buckets", buckets);
  }
}
