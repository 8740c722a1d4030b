package dev.ocellus.vlm.model;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.Video;
import dev.ocellus.vlm.model.tiling.FrameSampling;
import dev.ocellus.vlm.model.tower.GridTable;
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
import dev.ocellus.vlm.vision.ImagePiece;
import java.math.BigDecimal;
import java.math.RoundingMode;
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
final class Qwen3Vl implements QwenArchitecture {
  /**
   * Pixel limits of <a
   * href="https://huggingface.co/Qwen/Qwen3-VL-4B-Instruct/blob/main/preprocessor_config.json">the
   * published models</a>, 64 to 16384 tokens. Their GGUF files do not have them, and llama.cpp
   * takes 8 to 4096 tokens instead.
   */
  private static final QwenPatches.Defaults DEFAULTS =
      new QwenPatches.Defaults(
          new double[] {0.5, 0.5, 0.5}, new double[] {0.5, 0.5, 0.5}, 65_536, 16_777_216);

  /**
   * Pixels of all frames of a video in the <a
   * href="https://huggingface.co/Qwen/Qwen3-VL-4B-Instruct/blob/main/video_preprocessor_config.json">published
   * models</a>.
   */
  private static final long MIN_VIDEO_PIXELS = 4096;

  private static final long MAX_VIDEO_PIXELS = 25_165_824;

  /** Frames that are taken of a second, and of a video. */
  private static final double FPS = 2;

  private static final int MIN_FRAMES = 4;
  private static final int MAX_FRAMES = 768;

  private record Block(LayerNorm ln1, RotaryAttention attention, LayerNorm ln2, Mlp mlp) {
    static Block of(QwenConfig c, Weights w, Activation activation) {
      int nFf = Qwen2Vl.outputs(w.at("ffn_up"));
      return new Block(
          LayerNorm.of(w.at("ln1"), c.nEmbd(), QwenConfig.EPS),
          RotaryAttention.of(w, c.nEmbd(), c.nHead()),
          LayerNorm.of(w.at("ln2"), c.nEmbd(), QwenConfig.EPS),
          new Mlp(
              Linear.of(w.at("ffn_up"), c.nEmbd(), nFf),
              activation,
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
    Activation activation =
        new ConfigReader(metadata, "clip.vision.").activation(Activation.GELU_TANH);
    for (int i = 0; i < config.nLayer(); i++) {
      blocks.add(Block.of(config, v.at("blk").at(i), activation));
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
  public QwenPatches patches() {
    return patches;
  }

  /**
   * Two frames of a second, in pairs, each behind its time in words. The limits, also those that
   * are given, are for all frames together.
   */
  @Override
  public ImageInput prepare(Video video, ImageOptions options) {
    Video sampled = FrameSampling.atRate(video, FPS, MIN_FRAMES, MAX_FRAMES);
    int factor = patches.patchSize() * patches.mergeSize();
    long perToken = (long) factor * factor;
    long most = options.maxTokens() > 0 ? options.maxTokens() * perToken : MAX_VIDEO_PIXELS;
    long least =
        options.minTokens() > 0 ? options.minTokens() * perToken : Math.min(most, MIN_VIDEO_PIXELS);
    ImageSize size = videoSize(sampled, factor, least, Math.max(least, most));
    List<ImagePiece> layout = new ArrayList<>();
    String before = "";
    for (int i = 0; i < sampled.nFrames(); i += QwenPatches.FRAMES) {
      int second = Math.min(i + 1, sampled.nFrames() - 1);
      double time = (sampled.seconds(i) + sampled.seconds(second)) / 2;
      // Python rounds the number as it is stored: 0.25 to 0.2, and 0.35 to 0.3
      String words = new BigDecimal(time).setScale(1, RoundingMode.HALF_EVEN).toPlainString();
      layout.add(new ImagePiece.Text(before + "<" + words + " seconds><|vision_start|>"));
      layout.add(patches.rows(size, List.of(0)));
      before = "<|vision_end|>";
    }
    layout.add(new ImagePiece.Text(before));
    return patches.prepare(sampled, size, layout);
  }

  /** {@code smart_resize} of the video processor, with limits for all frames together. */
  private static ImageSize videoSize(Video video, int factor, long least, long most) {
    int n = video.nFrames();
    if (n < QwenPatches.FRAMES) {
      throw new ImageFormatException(
          ImageFormatException.Kind.UNSUPPORTED,
          "A video has %d frame, and this model needs at least %d. Give it as an image."
              .formatted(n, QwenPatches.FRAMES));
    }
    long width = video.size().width();
    long height = video.size().height();
    if (width < factor || height < factor) {
      double scale = Math.max((double) factor / height, (double) factor / width);
      width = (long) (width * scale);
      height = (long) (height * scale);
    }
    QwenPatches.requireAspectRatio(width, height);
    long nRounded = (long) Math.rint(n / 2.0) * QwenPatches.FRAMES;
    long newWidth = (long) Math.rint((double) width / factor) * factor;
    long newHeight = (long) Math.rint((double) height / factor) * factor;
    if (nRounded * newWidth * newHeight > most) {
      double beta = Math.sqrt((double) (n * height * width) / most);
      newWidth = Math.max(factor, (long) Math.floor(width / beta / factor) * factor);
      newHeight = Math.max(factor, (long) Math.floor(height / beta / factor) * factor);
    } else if (nRounded * newWidth * newHeight < least) {
      double beta = Math.sqrt((double) least / (n * height * width));
      newWidth = (long) Math.ceil(width * beta / factor) * factor;
      newHeight = (long) Math.ceil(height * beta / factor) * factor;
    }
    return new ImageSize(Math.toIntExact(newWidth), Math.toIntExact(newHeight));
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
}
