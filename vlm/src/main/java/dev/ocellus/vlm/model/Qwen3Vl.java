package dev.ocellus.vlm.model;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.Normalize;
import dev.ocellus.vlm.image.Video;
import dev.ocellus.vlm.model.tiling.FrameSampling;
import dev.ocellus.vlm.model.tiling.PatchOrder;
import dev.ocellus.vlm.model.tiling.QwenTiling;
import dev.ocellus.vlm.model.tiling.SmartResize;
import dev.ocellus.vlm.model.tower.GridTable;
import dev.ocellus.vlm.model.tower.QwenConfig;
import dev.ocellus.vlm.model.tower.QwenEmbedding;
import dev.ocellus.vlm.model.tower.RotaryLayer;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.LayerNorm;
import dev.ocellus.vlm.nn.Linear;
import dev.ocellus.vlm.nn.Mlp;
import dev.ocellus.vlm.nn.Rope2d;
import dev.ocellus.vlm.nn.Windows;
import dev.ocellus.vlm.vision.ConfigReader;
import dev.ocellus.vlm.vision.EncoderGraph;
import dev.ocellus.vlm.vision.ImageInput;
import dev.ocellus.vlm.vision.ImageOptions;
import dev.ocellus.vlm.vision.ImagePiece;
import dev.ocellus.vlm.vision.VisionArchitecture;
import dev.ocellus.vlm.vision.VisionGraph;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Qwen3-VL (arXiv:2511.21631): as {@link Qwen2Vl}, with a learned table of positions besides the
 * rotary ones, and with what some layers give out projected too (deepstack, arXiv:2406.04334). A
 * token has the projector's values first and then those of each such layer; the text model adds the
 * latter after its first layers.
 *
 * <p>The reference is {@code Qwen3VLVisionModel} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/qwen3_vl/modeling_qwen3_vl.py">modeling_qwen3_vl.py</a>.
 */
final class Qwen3Vl {
  /**
   * Pixel limits of <a
   * href="https://huggingface.co/Qwen/Qwen3-VL-4B-Instruct/blob/main/preprocessor_config.json">the
   * published models</a>, 64 to 16384 tokens. Their GGUF files do not have them, and llama.cpp
   * takes 8 to 4096 tokens instead.
   */
  private static final QwenTiling.Defaults DEFAULTS =
      new QwenTiling.Defaults(Normalize.HALF, 65_536, 16_777_216);

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

  private Qwen3Vl() {}

  static VisionArchitecture of(GgufMetadata metadata, Weights weights) {
    QwenTiling tiling = QwenTiling.of(metadata, DEFAULTS);
    return new VisionArchitecture(
        "qwen3-vl",
        Qwen2Vl.PROMPT_FORMAT,
        new Preprocessor(tiling),
        Graph.of(metadata, tiling, weights));
  }

  private record Preprocessor(QwenTiling tiling) implements QwenTiling.WithVideos {
    /**
     * Two frames of a second, in pairs, each behind its time in words. The limits, also those that
     * are given, are for all frames together.
     */
    @Override
    public ImageInput prepare(Video video, ImageOptions options) {
      Video sampled = FrameSampling.atRate(video, FPS, MIN_FRAMES, MAX_FRAMES);
      int factor = tiling.patchSize() * tiling.mergeSize();
      long perToken = (long) factor * factor;
      long max = options.maxTokens() > 0 ? options.maxTokens() * perToken : MAX_VIDEO_PIXELS;
      long min =
          options.minTokens() > 0
              ? options.minTokens() * perToken
              : Math.min(max, MIN_VIDEO_PIXELS);
      requireFrames(sampled);
      ImageSize size =
          SmartResize.GLM.resizeFrames(
              sampled.size(), sampled.nFrames(), factor, min, Math.max(min, max));
      List<ImagePiece> layout = new ArrayList<>();
      String before = "";
      for (int i = 0; i < sampled.nFrames(); i += QwenTiling.FRAMES) {
        int second = Math.min(i + 1, sampled.nFrames() - 1);
        double time = (sampled.seconds(i) + sampled.seconds(second)) / 2;
        // Python rounds the number as it is stored: 0.25 to 0.2, and 0.35 to 0.3
        String words = new BigDecimal(time).setScale(1, RoundingMode.HALF_EVEN).toPlainString();
        layout.add(new ImagePiece.Text(before + "<" + words + " seconds><|vision_start|>"));
        layout.add(tiling.rows(size, List.of(0)));
        before = "<|vision_end|>";
      }
      layout.add(new ImagePiece.Text(before));
      return tiling.prepare(sampled, size, layout);
    }

    private static void requireFrames(Video video) {
      int n = video.nFrames();
      if (n < QwenTiling.FRAMES) {
        throw new ImageFormatException(
            ImageFormatException.Kind.UNSUPPORTED,
            "A video has %d frame, and this model needs at least %d. Give it as an image."
                .formatted(n, QwenTiling.FRAMES));
      }
    }
  }

  /** A projector of a layer: it normalizes the joined patches, not each as the last one does. */
  private record Deepstack(LayerNorm norm, Mlp mlp) {
    static Deepstack of(Weights w, long nIn, long width) {
      int hidden = w.at("fc1").outputs("weight");
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

  /**
   * @param deepstack projectors by the layer that they read
   * @param rowWidth of what a projector gives out
   */
  private record Graph(
      QwenConfig config,
      QwenEmbedding embedding,
      GridTable positions,
      List<RotaryLayer> layers,
      Map<Integer, Deepstack> deepstack,
      LayerNorm postNorm,
      Mlp projector,
      int rowWidth)
      implements VisionGraph {
    static Graph of(GgufMetadata metadata, QwenTiling tiling, Weights weights) {
      QwenConfig config = QwenConfig.of(metadata);
      Weights v = weights.at("v");
      Activation activation = ConfigReader.ofVision(metadata).activation(Activation.GELU_TANH);
      List<RotaryLayer> layers = new ArrayList<>();
      for (int i = 0; i < config.nLayer(); i++) {
        layers.add(RotaryLayer.of(config, v.at("blk").at(i), activation));
      }
      Weights mm = weights.at("mm");
      long nIn = (long) config.nEmbd() * tiling.merged();
      int width = mm.at(2).outputs("weight");
      Map<Integer, Deepstack> deepstack = new TreeMap<>();
      boolean[] flags = deepstackLayers(metadata, config.nLayer());
      for (int i = 0; i < flags.length; i++) {
        if (flags[i]) {
          deepstack.put(i, Deepstack.of(v.at("deepstack").at(i), nIn, width));
        }
      }
      return new Graph(
          config,
          new QwenEmbedding(tiling, v, config.nEmbd()),
          GridTable.of(v.at("position_embd"), config.nEmbd()),
          List.copyOf(layers),
          deepstack,
          LayerNorm.of(v.at("post_ln"), config.nEmbd(), QwenConfig.EPS),
          Mlp.projector(mm.at(0), mm.at(2), nIn, Activation.GELU),
          width);
    }

    private static boolean[] deepstackLayers(GgufMetadata metadata, int nLayer) {
      String key = "is_deepstack_layers";
      boolean[] flags = metadata.findBools("clip.vision." + key).orElse(new boolean[0]);
      if (flags.length > nLayer) {
        throw ConfigReader.ofVision(metadata)
            .invalid(key, "at most %d values".formatted(nLayer), flags.length + " values");
      }
      return flags;
    }

    @Override
    public int width() {
      return rowWidth * (1 + deepstack.size());
    }

    @Override
    public Tensor forward(EncoderGraph graph) {
      PatchOrder order = embedding.order(graph);
      Rope2d rope = QwenEmbedding.rope(graph, order, config.headSize());
      Windows windows = Windows.whole(order.n());
      Tensor x = embedding.embed(graph);
      x = x.add(positions.forward(graph, x, order)).named("embeddings");
      List<Tensor> features = new ArrayList<>();
      for (int i = 0; i < layers.size(); i++) {
        x = layers.get(i).forward(x, rope, windows).named("layer_" + (i + 1));
        Deepstack projection = deepstack.get(i);
        if (projection != null) {
          features.add(
              projection.forward(embedding.merge(x)).named("deepstack." + features.size()));
        }
      }
      Tensor tokens = projector.forward(embedding.merge(postNorm.forward(x)));
      for (Tensor feature : features) {
        tokens = tokens.concat(feature, 0);
      }
      return tokens.named("projector.out");
    }
  }
}
