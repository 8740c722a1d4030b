package dev.ocellus.vlm.model.text;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.decode.EncoderDecoderGraph;
import dev.ocellus.vlm.graph.GraphRun;
import dev.ocellus.vlm.graph.ModelGraph;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.Attention;
import dev.ocellus.vlm.nn.AttentionMask;
import dev.ocellus.vlm.nn.CrossAttention;
import dev.ocellus.vlm.nn.Embedding;
import dev.ocellus.vlm.nn.KvCache;
import dev.ocellus.vlm.nn.LayerNorm;
import dev.ocellus.vlm.nn.Linear;
import dev.ocellus.vlm.nn.Mlp;
import dev.ocellus.vlm.vision.ConfigReader;
import java.util.List;
import java.util.stream.IntStream;

/**
 * BART (arXiv:1910.13461), the encoder and decoder of Florence-2, from GGUF files of the
 * architecture {@code bart}, which is ours, as libllama has none: learned positions, a norm over
 * the embeddings, and layers whose norms stand behind their parts.
 *
 * <p>The reference is {@code BartModel} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/bart/modeling_bart.py">modeling_bart.py</a>.
 */
final class BartGraph implements EncoderDecoderGraph {
  static final String ARCHITECTURE = "bart";

  private static final int MAX = 1 << 20;

  private record EncoderLayer(
      Attention attention, LayerNorm attentionNorm, Mlp mlp, LayerNorm mlpNorm) {
    Tensor forward(Tensor x) {
      Tensor h = attentionNorm.forward(x.add(attention.forward(x)));
      return mlpNorm.forward(h.add(mlp.forward(h)));
    }
  }

  private record DecoderLayer(
      Attention attention,
      LayerNorm attentionNorm,
      CrossAttention cross,
      LayerNorm crossNorm,
      Mlp mlp,
      LayerNorm mlpNorm) {}

  /** Sizes of one of the two stacks. */
  private record Stack(int nLayers, int nHead, int nFf) {}

  private final int nVocab;
  private final int width;
  private final int nPositions;
  private final int startToken;
  private final float eps;
  private final Activation activation;
  private final Stack encoderSizes;
  private final Stack decoderSizes;
  private final Embedding embedding;
  private final Embedding encoderPositions;
  private final Embedding decoderPositions;
  private final LayerNorm encoderNorm;
  private final LayerNorm decoderNorm;
  private final List<EncoderLayer> encoder;
  private final List<DecoderLayer> decoder;
  private final Linear output;

  BartGraph(GgufMetadata metadata, Weights w) {
    var c = new ConfigReader(metadata, ARCHITECTURE + ".");
    nVocab = Math.toIntExact(w.shape("token_embd.weight")[1]);
    width = c.integer("embedding_length", 1, MAX);
    nPositions = c.integer("context_length", 1, MAX);
    startToken = c.integer("decoder_start_token_id", 0, nVocab - 1);
    eps = c.positive("attention.layer_norm_epsilon", 1e-5f);
    activation = c.activation(Activation.GELU);
    encoderSizes = stack(c, "block_count", "attention.head_count", "feed_forward_length");
    decoderSizes =
        stack(
            c,
            "decoder_block_count",
            "attention.decoder_head_count",
            "decoder_feed_forward_length");
    Weights enc = w.at("enc");
    Weights dec = w.at("dec");
    embedding = Embedding.of(w.at("token_embd"), width, nVocab);
    encoderPositions = Embedding.of(enc.at("position_embd"), width, nPositions);
    decoderPositions = Embedding.of(dec.at("position_embd"), width, nPositions);
    encoderNorm = LayerNorm.of(enc.at("embd_norm"), width, eps);
    decoderNorm = LayerNorm.of(dec.at("embd_norm"), width, eps);
    encoder =
        IntStream.range(0, encoderSizes.nLayers)
            .mapToObj(i -> encoderLayer(enc.at("blk").at(i)))
            .toList();
    decoder =
        IntStream.range(0, decoderSizes.nLayers)
            .mapToObj(i -> decoderLayer(dec.at("blk").at(i)))
            .toList();
    output = Linear.of(w.at(w.has("output.weight") ? "output" : "token_embd"), width, nVocab);
  }

  private Stack stack(ConfigReader c, String layers, String heads, String ff) {
    int nHead = c.integer(heads, 1, width);
    if (width % nHead != 0) {
      throw c.invalid(heads, "a divisor of " + width, String.valueOf(nHead));
    }
    return new Stack(c.integer(layers, 1, 1024), nHead, c.integer(ff, 1, MAX));
  }

  private EncoderLayer encoderLayer(Weights w) {
    return new EncoderLayer(
        Attention.of(w, width, encoderSizes.nHead),
        norm(w, "attn_norm"),
        mlp(w, encoderSizes.nFf),
        norm(w, "ffn_norm"));
  }

  private DecoderLayer decoderLayer(Weights w) {
    return new DecoderLayer(
        Attention.of(w, width, decoderSizes.nHead),
        norm(w, "attn_norm"),
        CrossAttention.of(w.at("cross"), width, width, decoderSizes.nHead),
        norm(w.at("cross"), "attn_norm"),
        mlp(w, decoderSizes.nFf),
        norm(w, "ffn_norm"));
  }

  private LayerNorm norm(Weights w, String name) {
    return LayerNorm.of(w.at(name), width, eps);
  }

  private Mlp mlp(Weights w, int nFf) {
    return new Mlp(
        Linear.of(w.at("ffn_up"), width, nFf), activation, Linear.of(w.at("ffn_down"), nFf, width));
  }

  @Override
  public int nVocab() {
    return nVocab;
  }

  @Override
  public int width() {
    return width;
  }

  /** Prompt and answer have a table of positions each. */
  @Override
  public int nCtxTrain() {
    return 2 * nPositions;
  }

  @Override
  public int maxPositions() {
    return nPositions;
  }

  @Override
  public int nLayers() {
    return decoder.size();
  }

  @Override
  public int headWidth() {
    return width / decoderSizes.nHead;
  }

  @Override
  public int nHead() {
    return decoderSizes.nHead;
  }

  @Override
  public int startToken() {
    return startToken;
  }

  @Override
  public String description() {
    return "bart, %d and %d layers of %d, as graphs"
        .formatted(encoder.size(), decoder.size(), width);
  }

  @Override
  public Tensor embed(Tensor ids) {
    return embedding.forward(ids);
  }

  @Override
  public Tensor encode(ModelGraph graph, Tensor x) {
    int[] positions = IntStream.range(0, Math.toIntExact(x.size(1))).toArray();
    Tensor at = encoderPositions.forward(graph.indexTable("positions", positions, nPositions));
    Tensor h = encoderNorm.forward(x.add(at));
    for (EncoderLayer layer : encoder) {
      h = layer.forward(h);
    }
    return h.named("encoder.last_hidden");
  }

  @Override
  public void remember(Tensor states, KvCache memory, Tensor places) {
    for (int i = 0; i < decoder.size(); i++) {
      CrossAttention cross = decoder.get(i).cross;
      var kept =
          memory.layer(i).append(cross.keys(states), cross.values(states), places, states.size(1));
      kept.keys().computeFirst();
      kept.values().computeFirst();
    }
  }

  @Override
  public Tensor decode(ModelGraph graph, Tensor x, Cells cells) {
    Tensor at = decoderPositions.forward(graph.indices("positions", x.size(1), nPositions));
    Tensor h = decoderNorm.forward(x.add(at));
    var mask = AttentionMask.of(cells.mask());
    for (int i = 0; i < decoder.size(); i++) {
      DecoderLayer layer = decoder.get(i);
      Tensor own = layer.attention.forward(h, cells.own().layer(i), cells.places(), mask);
      h = layer.attentionNorm.forward(h.add(own));
      var prompt = cells.memory().layer(i).read(h, cells.nPrompt());
      h = layer.crossNorm.forward(h.add(layer.cross.forward(h, prompt, null)));
      h = layer.mlpNorm.forward(h.add(layer.mlp.forward(h)));
    }
    return h;
  }

  @Override
  public Tensor logits(Tensor hidden) {
    return output.forward(hidden);
  }

  @Override
  public void setDistances(GraphRun run, int[] positions, int[] keyPositions) {
    run.set("positions", positions);
  }
}
