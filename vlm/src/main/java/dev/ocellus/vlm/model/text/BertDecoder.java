package dev.ocellus.vlm.model.text;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.decode.CrossDecoderGraph;
import dev.ocellus.vlm.decode.DecoderGraph;
import dev.ocellus.vlm.graph.GraphRun;
import dev.ocellus.vlm.graph.ModelGraph;
import dev.ocellus.vlm.model.tower.BertConfig;
import dev.ocellus.vlm.model.tower.BertCrossAttention;
import dev.ocellus.vlm.model.tower.BertEmbedding;
import dev.ocellus.vlm.model.tower.BertFeedForward;
import dev.ocellus.vlm.model.tower.BertSelfAttention;
import dev.ocellus.vlm.model.tower.LayerConfig;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.AttentionMask;
import dev.ocellus.vlm.nn.KeysValues;
import dev.ocellus.vlm.nn.KvCache;
import dev.ocellus.vlm.nn.LayerNorm;
import dev.ocellus.vlm.nn.Linear;
import dev.ocellus.vlm.vision.ConfigReader;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * BERT (arXiv:1810.04805) as a decoder, as BLIP (arXiv:2201.12086) has it: causal self-attention,
 * attention to the states of an image or of a question, and the head of the masked language model.
 * Weights under {@code d.}, sizes under {@code clip.text.}.
 *
 * <p>The reference is {@code BlipTextLMHeadModel} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/blip/modeling_blip_text.py">modeling_blip_text.py</a>.
 * The matrix of the head is the table of tokens where the file has no {@code d.output}.
 */
public final class BertDecoder implements CrossDecoderGraph {
  private record Layer(
      BertSelfAttention self, BertCrossAttention cross, BertFeedForward feedForward) {
    static Layer of(LayerConfig c, Weights w, int nStates) {
      return new Layer(
          BertSelfAttention.of(c, w),
          BertCrossAttention.of(c, w, nStates),
          BertFeedForward.of(c, w));
    }
  }

  /** A linear layer, its activation and a norm, and a score for each token. */
  private record Head(
      Linear dense, Activation activation, LayerNorm norm, Linear output, Tensor bias) {
    static Head of(BertConfig c, Weights w, int nTokens) {
      boolean tied = !w.has("output.weight");
      return new Head(
          Linear.of(w.at("head"), c.width(), c.width()),
          c.layers().activation(),
          LayerNorm.of(w.at("head_ln"), c.width(), c.layers().eps()),
          Linear.of(w.at(tied ? "token_embd" : "output"), c.width(), nTokens),
          w.f32("output_bias", nTokens));
    }

    Tensor forward(Tensor hidden) {
      Tensor x = norm.forward(activation.apply(dense.forward(hidden)));
      return output.forward(x).add(bias);
    }
  }

  private final BertConfig config;
  private final int nStates;
  private final BertEmbedding embedding;
  private final List<Layer> layers;
  private final Head head;

  private BertDecoder(BertConfig config, Weights w, int nStates) {
    this.config = config;
    this.nStates = nStates;
    embedding = BertEmbedding.of(config, w);
    layers =
        IntStream.range(0, config.layers().nLayer())
            .mapToObj(i -> Layer.of(config.layers(), w.at("blk").at(i), nStates))
            .toList();
    head = Head.of(config, w, embedding.nTokens());
  }

  /**
   * Binds the weights.
   *
   * @param w those under {@code d.}
   * @param nStates width of the states that it attends to
   * @throws dev.ocellus.vlm.vision.InvalidConfigException if no model can have such sizes
   * @throws dev.ocellus.gguf.GgufFormatException if one is missing
   * @throws dev.ocellus.compute.GgmlException if weights are missing or have another shape
   */
  public static BertDecoder of(GgufMetadata metadata, Weights w, int nStates) {
    return new BertDecoder(BertConfig.of(new ConfigReader(metadata, "clip.text.")), w, nStates);
  }

  /** Most tokens of a text. */
  public int nPositions() {
    return config.nPositions();
  }

  /** Size of the vocabulary. */
  public int nTokens() {
    return embedding.nTokens();
  }

  @Override
  public int nLayers() {
    return layers.size();
  }

  @Override
  public int headWidth() {
    return config.width() / config.layers().nHead();
  }

  @Override
  public int nHeadKv() {
    return config.layers().nHead();
  }

  @Override
  public int statesWidth() {
    return nStates;
  }

  @Override
  public List<KeysValues> remember(ModelGraph graph, Tensor states, KvCache cache, Tensor places) {
    List<KeysValues> kept = new ArrayList<>();
    for (int i = 0; i < layers.size(); i++) {
      var attention = layers.get(i).cross.attention();
      Tensor keys = attention.keys(states);
      Tensor values = attention.values(states);
      kept.add(cache.layer(i).append(keys, values, places, places.size(0)));
    }
    return kept;
  }

  @Override
  public DecoderGraph over(KvCache states, int n) {
    return new Over(states, n);
  }

  /** All layers over the states that a cache holds. */
  private final class Over implements DecoderGraph {
    private final KvCache states;
    private final int n;

    Over(KvCache states, int n) {
      this.states = states;
      this.n = n;
    }

    @Override
    public int nVocab() {
      return nTokens();
    }

    @Override
    public int width() {
      return config.width();
    }

    @Override
    public int nCtxTrain() {
      return config.nPositions();
    }

    @Override
    public int nLayers() {
      return layers.size();
    }

    @Override
    public int headWidth() {
      return BertDecoder.this.headWidth();
    }

    @Override
    public int nHeadKv() {
      return BertDecoder.this.nHeadKv();
    }

    @Override
    public String description() {
      return "bert, %d layers of %d, as a graph".formatted(layers.size(), width());
    }

    @Override
    public Tensor embed(Tensor ids) {
      return embedding.tokens(ids);
    }

    @Override
    public Tensor forward(
        ModelGraph graph, Tensor x, KvCache cache, Tensor places, AttentionMask mask) {
      x = embedding.at(x, graph.indices("positions", x.size(1), config.nPositions()));
      for (int i = 0; i < layers.size(); i++) {
        Layer layer = layers.get(i);
        x = layer.self.forward(x, cache.layer(i), places, mask);
        x = layer.cross.forward(x, states.layer(i).read(x, n), null);
        x = layer.feedForward.forward(x).named("decoder.layer_" + (i + 1));
      }
      return x;
    }

    @Override
    public Tensor logits(Tensor hidden) {
      return head.forward(hidden);
    }

    @Override
    public void setPositions(GraphRun run, int[] positions) {
      run.set("positions", positions);
    }
  }
}
