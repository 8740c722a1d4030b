package dev.ocellus.vlm.model;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.Video;
import dev.ocellus.vlm.model.tower.QwenPatches;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.LayerNorm;
import dev.ocellus.vlm.nn.Linear;
import dev.ocellus.vlm.nn.Mlp;
import dev.ocellus.vlm.nn.Rope2d;
import dev.ocellus.vlm.nn.RotaryAttention;
import dev.ocellus.vlm.nn.Windows;
import dev.ocellus.vlm.vision.ConfigReader;
import dev.ocellus.vlm.vision.EncoderGraph;
import dev.ocellus.vlm.vision.ImageInput;
import dev.ocellus.vlm.vision.ImageOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Qwen2-VL (arXiv:2409.12191): a transformer with rotary positions over patches of any grid, and a
 * projector that joins squares of them. Weights under {@code v.} and {@code mm.}.
 *
 * <p>The reference is {@code Qwen2VisionTransformerPretrainedModel} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/qwen2_vl/modeling_qwen2_vl.py">modeling_qwen2_vl.py</a>.
 */
final class Qwen2Vl implements QwenArchitecture {
  /**
   * CLIP's colours; the pixel limits are those of <a
   * href="https://huggingface.co/Qwen/Qwen2-VL-7B-Instruct/blob/main/preprocessor_config.json">the
   * published models</a>, of 2.5 too: 4 to 16384 tokens. Their GGUF files do not have them, and
   * llama.cpp takes 8 to 4096 tokens instead; the class of transformers, for checkpoints without
   * limits, 4 to 1280.
   */
  static final QwenPatches.Defaults DEFAULTS =
      new QwenPatches.Defaults(
          new double[] {0.48145466, 0.4578275, 0.40821073},
          new double[] {0.26862954, 0.26130258, 0.27577711},
          56 * 56,
          28 * 28 * 16384);

  private record Block(LayerNorm ln1, RotaryAttention attention, LayerNorm ln2, Mlp mlp) {
    static Block of(QwenConfig c, Weights w, Activation activation) {
      return new Block(
          LayerNorm.of(w.at("ln1"), c.nEmbd(), QwenConfig.EPS),
          RotaryAttention.of(w, c.nEmbd(), c.nHead()),
          LayerNorm.of(w.at("ln2"), c.nEmbd(), QwenConfig.EPS),
          mlp(c, w, activation));
    }

    /**
     * The first converter calls the first map {@code ffn_down}; later ones call it {@code ffn_up}.
     * The width between the two is read off the weights, since no converter writes it to the
     * metadata: the first put 0 there, and later ones the width of the text model.
     */
    private static Mlp mlp(QwenConfig c, Weights w, Activation activation) {
      boolean legacy = w.shape("ffn_down.weight")[0] == c.nEmbd();
      String first = legacy ? "ffn_down" : "ffn_up";
      String second = legacy ? "ffn_up" : "ffn_down";
      long nFf = outputs(w.at(first));
      return new Mlp(
          Linear.of(w.at(first), c.nEmbd(), nFf),
          activation,
          Linear.of(w.at(second), nFf, c.nEmbd()));
    }

    Tensor forward(Tensor x, Rope2d rope, Windows windows) {
      x = x.add(attention.forward(ln1.forward(x), rope, windows));
      return x.add(mlp.forward(ln2.forward(x)));
    }
  }

  private final QwenConfig config;
  private final QwenPatches patches;
  private final List<Block> blocks = new ArrayList<>();
  private final LayerNorm postLn;
  private final Mlp projector;
  private final int width;

  Qwen2Vl(GgufMetadata metadata, Weights weights) {
    config = QwenConfig.of(metadata);
    Weights v = weights.at("v");
    patches = new QwenPatches(metadata, v, config.nEmbd(), DEFAULTS);
    Activation activation = activation(metadata);
    for (int i = 0; i < config.nLayer(); i++) {
      blocks.add(Block.of(config, v.at("blk").at(i), activation));
    }
    postLn = LayerNorm.of(v.at("post_ln"), config.nEmbd(), QwenConfig.EPS);
    projector = projector(weights.at("mm"), (long) config.nEmbd() * patches.merged());
    width = outputs(weights.at("mm").at(2));
  }

  private static Activation activation(GgufMetadata metadata) {
    var c = new ConfigReader(metadata, "clip.vision.");
    if (metadata.bool("clip.use_gelu", false)) {
      return c.activation(Activation.GELU);
    }
    return c.activation(
        metadata.bool("clip.use_silu", false) ? Activation.SILU : Activation.QUICK_GELU);
  }

  /** The two maps under {@code mm.0} and {@code mm.2}, with a GELU between. */
  static Mlp projector(Weights mm, long nIn) {
    int hidden = outputs(mm.at(0));
    return new Mlp(
        Linear.of(mm.at(0), nIn, hidden),
        Activation.GELU,
        Linear.of(mm.at(2), hidden, outputs(mm.at(2))));
  }

  /** How many numbers a linear map gives out. */
  static int outputs(Weights linear) {
    long[] shape = linear.shape("weight");
    return shape.length > 1 ? (int) shape[1] : 1;
  }

  @Override
  public String name() {
    return "qwen2-vl";
  }

  @Override
  public int width() {
    return width;
  }

  @Override
  public QwenPatches patches() {
    return patches;
  }

  /**
   * All frames, in pairs a position in time apart, each as large as an image may be ({@code
   * Qwen2VLVideoProcessor}, which chooses among frames only when it is asked to).
   */
  @Override
  public ImageInput prepare(Video video, ImageOptions options) {
    ImageSize size = patches.size(video.size(), options);
    int nPairs = Math.ceilDiv(video.nFrames(), QwenPatches.FRAMES);
    List<Integer> times = IntStream.range(0, nPairs).boxed().toList();
    return patches.prepare(video, size, List.of(patches.rows(size, times)));
  }

  @Override
  public Tensor forward(EncoderGraph graph) {
    QwenPatches.Order order = patches.order(graph);
    Rope2d rope = QwenPatches.rope(graph, order, config.dHead());
    Windows windows = Windows.whole(order.rows().length);
    Tensor x = patches.embed(graph).named("embeddings");
    for (int i = 0; i < blocks.size(); i++) {
      x = blocks.get(i).forward(x, rope, windows).named("layer_" + (i + 1));
    }
    x = projector.forward(patches.merge(postLn.forward(x.named("vision.last_hidden"))));
    return x.named("projector.out");
  }
}
