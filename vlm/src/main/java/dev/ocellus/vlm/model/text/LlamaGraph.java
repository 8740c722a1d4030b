package dev.ocellus.vlm.model.text;

import dev.ocellus.UnsupportedArchitectureException;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.llama.LlamaModel;
import dev.ocellus.vlm.decode.DecoderGraph;
import dev.ocellus.vlm.decode.GraphDecoder;
import dev.ocellus.vlm.graph.GraphRun;
import dev.ocellus.vlm.graph.GraphRunner;
import dev.ocellus.vlm.graph.ModelGraph;
import dev.ocellus.vlm.graph.RunnerOptions;
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
import dev.ocellus.vlm.nn.Rope;
import dev.ocellus.vlm.vision.ConfigReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;

/**
 * LLaMA (arXiv:2302.13971) with grouped queries (arXiv:2305.13245): pre-norm layers with rotary
 * positions and gated feed-forward blocks, from GGUF files of the architecture {@code llama}.
 * Reference: <a
 * href="https://github.com/huggingface/transformers/blob/v4.57.1/src/transformers/models/llama/modeling_llama.py">transformers</a>.
 *
 * <p>Conversations compute such files with libllama, which is faster. This is the pattern for text
 * models that libllama does not know, and shows that a session does not care.
 */
public final class LlamaGraph implements DecoderGraph {
  private static final int MAX = 1 << 20;

  private record Layer(
      RmsNorm attentionNorm,
      Linear query,
      Linear key,
      Linear value,
      Linear out,
      RmsNorm mlpNorm,
      GatedMlp mlp) {}

  private final int nVocab;
  private final int width;
  private final int nCtxTrain;
  private final int nHead;
  private final int nHeadKv;
  private final int headWidth;
  private final float theta;
  private final AttentionKernel kernel;
  private final Embedding embedding;
  private final List<Layer> layers;
  private final RmsNorm outputNorm;
  private final Linear output;

  private LlamaGraph(GgufMetadata metadata, Weights w) {
    var config = new ConfigReader(metadata, "llama.");
    nVocab = Math.toIntExact(w.shape("token_embd.weight")[1]);
    width = config.integer("embedding_length", 1, MAX);
    nCtxTrain = config.integer("context_length", 1, Integer.MAX_VALUE);
    nHead = config.integer("attention.head_count", 1, width);
    nHeadKv = config.integer("attention.head_count_kv", 1, nHead, nHead);
    headWidth = config.integer("attention.key_length", 2, MAX, width / nHead);
    theta = config.positive("rope.freq_base", 10000);
    requireKnown(metadata, w, config);
    float eps = config.positive("attention.layer_norm_rms_epsilon", 1e-5f);
    int nFf = config.integer("feed_forward_length", 1, MAX);
    kernel = AttentionKernel.of(w);
    embedding = Embedding.of(w.at("token_embd"), width, nVocab);
    layers =
        IntStream.range(0, config.integer("block_count", 1, MAX))
            .mapToObj(i -> layer(w.at("blk." + i), eps, nFf))
            .toList();
    outputNorm = RmsNorm.of(w.at("output_norm"), width, eps);
    output = Linear.of(w.at("output"), width, nVocab);
  }

  private void requireKnown(GgufMetadata metadata, Weights w, ConfigReader config) {
    if (nHead % nHeadKv != 0) {
      throw config.invalid(
          "attention.head_count_kv", "a divisor of " + nHead, String.valueOf(nHeadKv));
    }
    int turned = config.integer("rope.dimension_count", 2, MAX, headWidth);
    boolean known =
        turned == headWidth
            && headWidth % 2 == 0
            && !w.has("rope_freqs.weight")
            && metadata.string("llama.rope.scaling.type", "none").equals("none")
            && metadata.integer("llama.expert_count", 0) == 0;
    if (!known) {
      throw new UnsupportedArchitectureException(
          "This graph of llama has no scaled or partial rotary positions and no experts, which the file asks for. Open it with libllama.");
    }
  }

  private Layer layer(Weights w, float eps, int nFf) {
    long nQuery = (long) headWidth * nHead;
    long nKey = (long) headWidth * nHeadKv;
    return new Layer(
        RmsNorm.of(w.at("attn_norm"), width, eps),
        Linear.of(w.at("attn_q"), width, nQuery),
        Linear.of(w.at("attn_k"), width, nKey),
        Linear.of(w.at("attn_v"), width, nKey),
        Linear.of(w.at("attn_output"), nQuery, width),
        RmsNorm.of(w.at("ffn_norm"), width, eps),
        GatedMlp.of(w, width, nFf, Activation.SILU));
  }

  /**
   * Opens a file.
   *
   * @throws UnsupportedArchitectureException if it is of another architecture, or asks for what
   *     this graph does not have
   */
  public static GraphDecoder open(Path file, RunnerOptions options) throws IOException {
    GraphRunner runner = GraphRunner.open(file, options);
    try {
      GgufMetadata metadata = runner.file().metadata();
      String architecture = metadata.string("general.architecture", "");
      if (!architecture.equals("llama")) {
        throw new UnsupportedArchitectureException(
            "%s: expected the architecture llama, found '%s'".formatted(file, architecture));
      }
      LlamaGraph graph = new LlamaGraph(metadata, runner.weights());
      runner.load();
      return new GraphDecoder(runner, graph, LlamaModel.loadVocabulary(file));
    } catch (Throwable e) {
      runner.close();
      throw e;
    }
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
    return "llama, %d layers of %d, as a graph".formatted(layers.size(), width);
  }

  @Override
  public Tensor embed(Tensor ids) {
    return embedding.forward(ids);
  }

  @Override
  public Tensor forward(
      ModelGraph graph, Tensor x, KvCache cache, Tensor places, AttentionMask mask) {
    long n = x.size(1);
    var rope =
        new Rope(
            graph.input("cos", headWidth / 2, 1, 1, n), graph.input("sin", headWidth / 2, 1, 1, n));
    Tensor h = x;
    for (int i = 0; i < layers.size(); i++) {
      Layer layer = layers.get(i);
      Tensor normed = layer.attentionNorm.forward(h);
      h = h.add(attention(layer, normed, rope, cache.layer(i), places, mask));
      h = h.add(layer.mlp.forward(layer.mlpNorm.forward(h)));
    }
    return outputNorm.forward(h);
  }

  private Tensor attention(
      Layer layer, Tensor x, Rope rope, KvCache.Layer cache, Tensor places, AttentionMask mask) {
    long n = x.size(1);
    Tensor query = rope.forward(layer.query.forward(x).reshape(headWidth, nHead, n));
    Tensor key = rope.forward(layer.key.forward(x).reshape(headWidth, nHeadKv, n));
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

  @Override
  public Tensor logits(Tensor hidden) {
    return output.forward(hidden);
  }

  @Override
  public void setPositions(GraphRun run, int[] positions) {
    Rope.Tables tables = Rope.Tables.of(headWidth, positions, theta);
    run.set("cos", tables.cos()).set("sin", tables.sin());
  }
}
