package dev.ocellus.vlm.model;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.LayerNorm;
import dev.ocellus.vlm.nn.Linear;
import dev.ocellus.vlm.nn.Mlp;
import dev.ocellus.vlm.nn.Rope2d;
import dev.ocellus.vlm.nn.RotaryAttention;
import dev.ocellus.vlm.nn.Windows;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Qwen3-VL (arXiv:2511.21631): as {@link Qwen2Vl}, with a learned table of positions besides the
 * rotary ones, and with what some layers give out projected too (deepstack, arXiv:2406.04334). A
 * row has the projector's values first and then those of each such layer; the text model adds the
 * latter after its first layers.
 *
 * <p>The reference is {@code Qwen3VLVisionModel} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/qwen3_vl/modeling_qwen3_vl.py">modeling_qwen3_vl.py</a>.
 */
final class Qwen3Vl implements VisionArchitecture {
  /**
   * Pixel limits of <a
   * href="https://huggingface.co/Qwen/Qwen3-VL-4B-Instruct/blob/main/preprocessor_config.json">the
   * published models</a>, 64 to 16384 tokens. Their GGUF files do not have them, and llama.cpp
   * takes 8 to 4096 tokens instead.
   */
  private static final QwenPatches.Defaults DEFAULTS =
      new QwenPatches.Defaults(
          new double[] {0.5, 0.5, 0.5}, new double[] {0.5, 0.5, 0.5}, 65_536, 16_777_216);

  private record Block(LayerNorm ln1, RotaryAttention attention, LayerNorm ln2, Mlp mlp) {
    static Block of(QwenConfig c, Weights w) {
      int nFf = Qwen2Vl.outputs(w.at("ffn_up"));
      return new Block(
          LayerNorm.of(w.at("ln1"), c.nEmbd(), QwenConfig.EPS),
          RotaryAttention.of(w, c.nEmbd(), c.nHead()),
          LayerNorm.of(w.at("ln2"), c.nEmbd(), QwenConfig.EPS),
          new Mlp(
              Linear.of(w.at("ffn_up"), c.nEmbd(), nFf),
              Activation.GELU_TANH,
              Linear.of(w.at("ffn_down"), nFf, c.nEmbd())));
    }

    Tensor forward(Tensor x, Rope2d rope, Windows windows) {
      x = x.add(attention.forward(ln1.forward(x), rope, windows));
      return x.add(mlp.forward(ln2.forward(x)));
    }
  }

  /** A projector of a layer: it normalizes the joined rows, not each as the last one does. */
  private record Deepstack(LayerNorm norm, Mlp mlp) {
    static Deepstack of(Weights w, long nIn, long width) {
      int hidden = Qwen2Vl.outputs(w.at("fc1"));
      return new Deepstack(
          LayerNorm.of(w.at("norm"), nIn, QwenConfig.EPS),
          new Mlp(
              Linear.of(w.at("fc1"), nIn, hidden),
              Activation.GELU,
              Linear.of(w.at("fc2"), hidden, width)));
    }

    Tensor forward(Tensor merged) {
      return mlp.forward(norm.forward(merged));
    }
  }

  private final QwenConfig config;
  private final QwenPatches patches;
  private final GridTable positions;
  private final List<Block> blocks = new ArrayList<>();
  private final Map<Integer, Deepstack> deepstack = new TreeMap<>();
  private final LayerNorm postLn;
  private final Mlp projector;
  private final int width;

  Qwen3Vl(GgufMetadata metadata, Weights weights) {
    config = QwenConfig.of(metadata);
    Weights v = weights.at("v");
    patches = new QwenPatches(metadata, v, config.nEmbd(), DEFAULTS);
    positions = GridTable.of(v.at("position_embd"), config.nEmbd());
    for (int i = 0; i < config.nLayer(); i++) {
      blocks.add(Block.of(config, v.at("blk").at(i)));
    }
    postLn = LayerNorm.of(v.at("post_ln"), config.nEmbd(), QwenConfig.EPS);
    long nIn = (long) config.nEmbd() * patches.merged();
    projector = Qwen2Vl.projector(weights.at("mm"), nIn);
    width = Qwen2Vl.outputs(weights.at("mm").at(2));
    boolean[] flags = deepstackLayers(metadata);
    for (int i = 0; i < flags.length; i++) {
      if (flags[i]) {
        deepstack.put(i, Deepstack.of(v.at("deepstack").at(i), nIn, width));
      }
    }
  }

  private boolean[] deepstackLayers(GgufMetadata metadata) {
    String key = "is_deepstack_layers";
    boolean[] flags = metadata.findBools("clip.vision." + key).orElse(new boolean[0]);
    if (flags.length > config.nLayer()) {
      throw new ConfigReader(metadata, "clip.vision.")
          .invalid(key, "at most %d values".formatted(config.nLayer()), flags.length + " values");
    }
    return flags;
  }

  @Override
  public String name() {
    return "qwen3-vl";
  }

  @Override
  public int width() {
    return width * (1 + deepstack.size());
  }

  @Override
  public String imageMarker() {
    return QwenPatches.IMAGE_MARKER;
  }

  @Override
  public String defaultChatTemplate() {
    return QwenPatches.CHAT_TEMPLATE;
  }

  @Override
  public ImageInput prepare(RgbImage image, TokenLimits limits) {
    return patches.prepare(image, limits);
  }

  @Override
  public ImageInput prepare(RgbImage image) {
    return prepare(image, TokenLimits.NONE);
  }

  @Override
  public Tensor forward(EncoderGraph graph) {
    QwenPatches.Order order = patches.order(graph);
    Rope2d rope = QwenPatches.rope(graph, order, config.dHead());
    Windows windows = Windows.whole(order.rows().length);
    Tensor x = patches.embed(graph);
    x = x.add(positions.forward(graph, x, order)).named("embeddings");
    List<Tensor> features = new ArrayList<>();
    for (int i = 0; i < blocks.size(); i++) {
      x = blocks.get(i).forward(x, rope, windows).named("layer_" + (i + 1));
      Deepstack projection = deepstack.get(i);
      if (projection != null) {
        features.add(projection.forward(patches.merge(x)).named("deepstack." + features.size()));
      }
    }
    Tensor rows = projector.forward(patches.merge(postLn.forward(x)));
    for (Tensor feature : features) {
      rows = rows.concat(feature, 0);
    }
    return rows.named("projector.out");
  }

  @Override
  public int maxNodes() {
    return 128 + blocks.size() * (96 + RotaryAttention.maxNodes(1));
  }
}
