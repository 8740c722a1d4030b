package dev.ocellus.vlm.model.text;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.decode.DecoderGraph;
import dev.ocellus.vlm.graph.GraphRun;
import dev.ocellus.vlm.graph.ModelGraph;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.AttentionKernel;
import dev.ocellus.vlm.nn.AttentionMask;
import dev.ocellus.vlm.nn.DotProductAttention;
import dev.ocellus.vlm.nn.Embedding;
import dev.ocellus.vlm.nn.KeysValues;
import dev.ocellus.vlm.nn.KvCache;
import dev.ocellus.vlm.nn.LayerNorm;
import dev.ocellus.vlm.nn.Linear;
import dev.ocellus.vlm.nn.Mlp;
import dev.ocellus.vlm.vision.ConfigReader;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * OPT (arXiv:2205.01068), the decoder of BLIP-2, from GGUF files of the architecture {@code opt},
 * which is ours, as libllama has none: learned positions, and layers whose norms stand in front of
 * their halves, or behind them in OPT-350M, whose embeddings are narrower than its layers, too.
 *
 * <p>The reference is {@code OPTForCausalLM} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/opt/modeling_opt.py">modeling_opt.py</a>.
 * Its table of positions begins with two rows for padding, which files of ours leave out.
 */
final class OptGraph implements DecoderGraph {
  static final String ARCHITECTURE = "opt";

  private static final int MAX = 1 << 20;

  /** One layer; its norms stand in front of its halves or behind them. */
  private record Layer(
      LayerNorm attentionNorm,
      Linear query,
      Linear key,
      Linear value,
      Linear out,
      LayerNorm mlpNorm,
      Mlp mlp) {}

  private final int nVocab;
  private final int inputWidth;
  private final int width;
  private final int nCtxTrain;
  private final int nHead;
  private final int headWidth;
  private final boolean normFirst;
  private final AttentionKernel kernel;
  private final Embedding embedding;
  private final Embedding positions;
  private final @Nullable Linear projectIn;
  private final @Nullable Linear projectOut;
  private final List<Layer> layers;
  private final @Nullable LayerNorm outputNorm;
  private final Linear output;

  OptGraph(GgufMetadata metadata, Weights w) {
    var c = new ConfigReader(metadata, ARCHITECTURE + ".");
    nVocab = Math.toIntExact(w.shape("token_embd.weight")[1]);
    width = c.integer("embedding_length", 1, MAX);
    inputWidth = c.integer("embedding_length_input", 1, MAX, width);
    nCtxTrain = c.integer("context_length", 1, MAX);
    nHead = c.integer("attention.head_count", 1, width);
    if (width % nHead != 0) {
      throw c.invalid("attention.head_count", "a divisor of " + width, String.valueOf(nHead));
    }
    headWidth = width / nHead;
    normFirst = metadata.bool("opt.norm_before", true);
    kernel = AttentionKernel.of(w);
    embedding = Embedding.of(w.at("token_embd"), inputWidth, nVocab);
    positions = Embedding.of(w.at("position_embd"), width, nCtxTrain);
    projectIn = projection(w, "project_in", inputWidth, width);
    projectOut = projection(w, "project_out", width, inputWidth);
    float eps = c.positive("attention.layer_norm_epsilon", 1e-5f);
    int nFf = c.integer("feed_forward_length", 1, MAX);
    Activation activation = c.activation(Activation.RELU);
    layers =
        IntStream.range(0, c.integer("block_count", 1, 1024))
            .mapToObj(i -> layer(w.at("blk").at(i), eps, nFf, activation))
            .toList();
    outputNorm = w.has("output_norm.weight") ? LayerNorm.of(w.at("output_norm"), width, eps) : null;
    output = Linear.of(w.at(w.has("output.weight") ? "output" : "token_embd"), inputWidth, nVocab);
  }

  /** Where the embeddings are as wide as the layers there is none. */
  private static @Nullable Linear projection(Weights w, String name, int nIn, int nOut) {
    return nIn == nOut ? null : Linear.of(w.at(name), nIn, nOut);
  }

  private Layer layer(Weights w, float eps, int nFf, Activation activation) {
    return new Layer(
        LayerNorm.of(w.at("attn_norm"), width, eps),
        Linear.of(w.at("attn_q"), width, width),
        Linear.of(w.at("attn_k"), width, width),
        Linear.of(w.at("attn_v"), width, width),
        Linear.of(w.at("attn_output"), width, width),
        LayerNorm.of(w.at("ffn_norm"), width, eps),
        new Mlp(
            Linear.of(w.at("ffn_up"), width, nFf),
            activation,
            Linear.of(w.at("ffn_down"), nFf, width)));
  }

  @Override
  public int nVocab() {
    return nVocab;
  }

  @Override
  public int width() {
    return inputWidth;
  }

  @Override
  public int nCtxTrain() {
    return nCtxTrain;
  }

  @Override
  public int maxPositions() {
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
    return nHead;
  }

  @Override
  public String description() {
    return "opt, %d layers of %d, as a graph".formatted(layers.size(), width);
  }

  @Override
  public Tensor embed(Tensor ids) {
    return embedding.forward(ids);
  }

  @Override
  public Tensor forward(
      ModelGraph graph, Tensor x, KvCache cache, Tensor places, AttentionMask mask) {
    Tensor h = projectIn == null ? x : projectIn.forward(x);
    h = h.add(positions.forward(graph.indices("positions", x.size(1), nCtxTrain)));
    for (int i = 0; i < layers.size(); i++) {
      h = layer(layers.get(i), h, cache.layer(i), places, mask);
    }
    h = outputNorm == null ? h : outputNorm.forward(h);
    return projectOut == null ? h : projectOut.forward(h);
  }

  private Tensor layer(
      Layer layer, Tensor x, KvCache.Layer cache, Tensor places, AttentionMask mask) {
    Tensor seen = normFirst ? layer.attentionNorm.forward(x) : x;
    Tensor h = x.add(attention(layer, seen, cache, places, mask));
    if (!normFirst) {
      h = layer.attentionNorm.forward(h);
      return layer.mlpNorm.forward(h.add(layer.mlp.forward(h)));
    }
    return h.add(layer.mlp.forward(layer.mlpNorm.forward(h)));
  }

  private Tensor attention(
      Layer layer, Tensor x, KvCache.Layer cache, Tensor places, AttentionMask mask) {
    Tensor query = layer.query.forward(x).reshape(headWidth, nHead, x.size(1)).permute(0, 2, 1, 3);
    KeysValues cached =
        cache.append(layer.key.forward(x), layer.value.forward(x), places, mask.nKeys());
    return layer.out.forward(
        DotProductAttention.forward(query, cached.keys(), cached.values(), mask, kernel));
  }

  @Override
  public Tensor logits(Tensor hidden) {
    return output.forward(hidden);
  }

  @Override
  public void setPositions(GraphRun run, int[] at) {
    run.set("positions", at);
  }
}
