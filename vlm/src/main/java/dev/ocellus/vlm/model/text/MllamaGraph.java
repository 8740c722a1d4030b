package dev.ocellus.vlm.model.text;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.decode.CrossTextGraph;
import dev.ocellus.vlm.graph.GraphRun;
import dev.ocellus.vlm.graph.ModelGraph;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.AttentionMask;
import dev.ocellus.vlm.nn.Embedding;
import dev.ocellus.vlm.nn.GatedMlp;
import dev.ocellus.vlm.nn.KeysValues;
import dev.ocellus.vlm.nn.KvCache;
import dev.ocellus.vlm.nn.Linear;
import dev.ocellus.vlm.nn.RmsNorm;
import dev.ocellus.vlm.vision.ConfigReader;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The text model of Llama 3.2 Vision, from GGUF files of the architecture {@code mllama}, which is
 * ours, as libllama has none: Llama 3.1's layers, and between them gated ones that attend to the
 * states of images.
 *
 * <p>The reference is {@code MllamaTextModel} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/mllama/modeling_mllama.py">modeling_mllama.py</a>.
 */
final class MllamaGraph implements CrossTextGraph {
  static final String ARCHITECTURE = "mllama";

  private static final int MAX = 1 << 20;

  /** What layers that attend to images have besides. */
  private record Cross(RmsNorm queryNorm, RmsNorm keyNorm, Tensor attentionGate, Tensor mlpGate) {}

  private record Layer(
      RmsNorm attentionNorm,
      GroupedAttention attention,
      RmsNorm mlpNorm,
      GatedMlp mlp,
      @Nullable Cross cross) {}

  private final DecoderSizes sizes;
  private final int nVocab;
  private final int nFf;
  private final int imageToken;
  private final int nTiles;
  private final int nStates;
  private final double[] frequencies;
  private final Embedding embedding;
  private final List<Layer> layers = new ArrayList<>();
  private final RmsNorm outputNorm;
  private final Linear output;

  MllamaGraph(GgufMetadata metadata, Weights w) {
    var c = new ConfigReader(metadata, ARCHITECTURE + ".");
    sizes = DecoderSizes.of(ARCHITECTURE, c, w);
    nVocab = c.integer("vocab_size", 1, sizes.nTokens());
    nFf = c.integer("feed_forward_length", 1, MAX);
    imageToken = c.integer("image_token_id", 0, sizes.nTokens() - 1);
    nTiles = c.integer("image_tiles", 1, 64);
    nStates = c.integer("image_states", 1, MAX);
    frequencies = frequencies(metadata, c);
    embedding = Embedding.of(w.at("token_embd"), width(), sizes.nTokens());
    int nLayers = sizes.nLayers();
    int[] cross = c.integers("cross_attention_layers", 0, nLayers - 1);
    for (int i = 0; i < nLayers; i++) {
      int layer = i;
      layers.add(layer(w.at("blk").at(i), Arrays.stream(cross).anyMatch(n -> n == layer)));
    }
    outputNorm = RmsNorm.of(w.at("output_norm"), width(), sizes.eps());
    output = Linear.of(w.at("output"), width(), nVocab);
  }

  private double[] frequencies(GgufMetadata metadata, ConfigReader c) {
    double theta = c.positive("rope.freq_base", 500_000);
    float[] factors = metadata.findFloats(ARCHITECTURE + ".rope.factors").orElse(new float[0]);
    if (factors.length != 0 && factors.length != headWidth() / 2) {
      throw c.invalid("rope.factors", headWidth() / 2 + " numbers", factors.length + " numbers");
    }
    double[] out = new double[headWidth() / 2];
    for (int i = 0; i < out.length; i++) {
      out[i] = Math.pow(theta, -2.0 * i / headWidth()) / (factors.length == 0 ? 1 : factors[i]);
    }
    return out;
  }

  private Layer layer(Weights w, boolean isCross) {
    Weights a = isCross ? w.at("cross") : w;
    float eps = sizes.eps();
    Cross cross =
        isCross
            ? new Cross(
                RmsNorm.of(a.at("attn_q_norm"), headWidth(), eps),
                RmsNorm.of(a.at("attn_k_norm"), headWidth(), eps),
                a.f32("attn_gate", 1),
                a.f32("ffn_gate", 1))
            : null;
    return new Layer(
        RmsNorm.of(w.at("attn_norm"), width(), eps),
        GroupedAttention.of(sizes, a),
        RmsNorm.of(w.at("ffn_norm"), width(), eps),
        GatedMlp.of(w, width(), nFf, Activation.SILU),
        cross);
  }

  @Override
  public int nTokens() {
    return sizes.nTokens();
  }

  @Override
  public int nVocab() {
    return nVocab;
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
    return layers.size() - nCrossLayers();
  }

  @Override
  public int nCrossLayers() {
    return Math.toIntExact(layers.stream().filter(layer -> layer.cross != null).count());
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
  public int imageToken() {
    return imageToken;
  }

  @Override
  public int nTiles() {
    return nTiles;
  }

  @Override
  public int nStates() {
    return nStates;
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
  public void remember(Tensor states, KvCache cache, Tensor places) {
    int at = 0;
    for (Layer layer : layers) {
      Cross cross = layer.cross;
      if (cross != null) {
        long n = states.size(1);
        Tensor keys = cross.keyNorm.forward(layer.attention.keys(states));
        keys = keys.reshape((long) headWidth() * nHeadKv(), n);
        Tensor values = layer.attention.value().forward(states);
        var kept = cache.layer(at++).append(keys, values, places, n);
        kept.keys().computeFirst();
        kept.values().computeFirst();
      }
    }
  }

  @Override
  public Tensor forward(
      ModelGraph graph,
      Tensor x,
      KvCache cache,
      Tensor places,
      AttentionMask mask,
      @Nullable Images images) {
    long n = x.size(1);
    Tensor cos = graph.input("cos", headWidth() / 2, 1, n);
    Tensor sin = graph.input("sin", headWidth() / 2, 1, n);
    Tensor h = x;
    int own = 0;
    int seen = 0;
    for (Layer layer : layers) {
      if (layer.cross == null) {
        UnaryOperator<Tensor> turn = heads -> turned(heads, cos, sin);
        Tensor normed = layer.attentionNorm.forward(h);
        h = h.add(layer.attention.forward(normed, turn, turn, cache.layer(own++), places, mask));
        h = h.add(layer.mlp.forward(layer.mlpNorm.forward(h)));
      } else if (images != null) {
        h = crossed(layer, layer.cross, h, images, seen++);
      }
    }
    return outputNorm.forward(h);
  }

  private Tensor crossed(Layer layer, Cross cross, Tensor x, Images images, int index) {
    Tensor query = cross.queryNorm.forward(layer.attention.queries(layer.attentionNorm.forward(x)));
    KeysValues states = images.cache().layer(index).read(x, images.mask().nKeys());
    Tensor seen = layer.attention.to(query, states, images.mask());
    Tensor h = x.add(seen.mul(cross.attentionGate.inGraphOf(x).tanh()));
    Tensor mlp = layer.mlp.forward(layer.mlpNorm.forward(h)).mul(images.attends());
    return h.add(mlp.mul(cross.mlpGate.inGraphOf(x).tanh()));
  }

  /** Halves of heads turned together, [dHead, nHead, n]. */
  private static Tensor turned(Tensor x, Tensor cos, Tensor sin) {
    long half = x.size(0) / 2;
    Tensor first = x.slice(new long[] {}, half, x.size(1), x.size(2)).contiguous();
    Tensor second = x.slice(new long[] {half}, half, x.size(1), x.size(2)).contiguous();
    return first.mul(cos).sub(second.mul(sin)).concat(second.mul(cos).add(first.mul(sin)), 0);
  }

  @Override
  public Tensor logits(Tensor hidden) {
    return output.forward(hidden);
  }

  @Override
  public void setPositions(GraphRun run, int[] positions) {
    int half = headWidth() / 2;
    float[] cos = new float[positions.length * half];
    float[] sin = new float[cos.length];
    for (int row = 0; row < positions.length; row++) {
      for (int i = 0; i < half; i++) {
        double angle = positions[row] * frequencies[i];
        cos[row * half + i] = (float) Math.cos(angle);
        sin[row * half + i] = (float) Math.sin(angle);
      }
    }
    run.set("cos", cos).set("sin", sin);
  }
}
