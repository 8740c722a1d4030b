package dev.ocellus.vlm.model;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.Normalize;
import dev.ocellus.vlm.image.Video;
import dev.ocellus.vlm.model.tiling.FrameChoice;
import dev.ocellus.vlm.model.tiling.FrameLimits;
import dev.ocellus.vlm.model.tiling.FramePairs;
import dev.ocellus.vlm.model.tiling.FramePixels;
import dev.ocellus.vlm.model.tiling.FrameSampling;
import dev.ocellus.vlm.model.tiling.PatchOrder;
import dev.ocellus.vlm.model.tiling.QwenTiling;
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
  private static final int MIN_VIDEO_PIXELS = 4096;

  private static final int MAX_VIDEO_PIXELS = 25_165_824;

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
        Preprocessor.of(metadata, tiling),
        Graph.of(metadata, tiling, weights));
  }

  /**
   * @param frames of videos
   * @param limits of all frames of a video
   * @param choice of frames
   */
  private record Preprocessor(
      QwenTiling tiling, FramePairs frames, FrameLimits limits, FrameChoice choice)
      implements QwenTiling.WithVideos {
    static Preprocessor of(GgufMetadata metadata, QwenTiling tiling) {
      ConfigReader video = FramePixels.reader(metadata);
      double fps = video.rate("fps", FPS);
      int max = video.integer("max_frames", 1, 1 << 20, MAX_FRAMES);
      int min = video.integer("min_frames", 1, max, Math.min(max, MIN_FRAMES));
      return new Preprocessor(
          tiling,
          FramePairs.of(metadata, tiling),
          FrameLimits.of(video, MIN_VIDEO_PIXELS, MAX_VIDEO_PIXELS),
          FrameChoice.of(metadata, v -> FrameSampling.atRate(v, fps, min, max)));
    }

    /**
     * Two frames of a second, in pairs, each behind its time in words. The limits, also those that
     * are given, are for all frames together.
     */
    @Override
    public ImageInput prepare(Video video, ImageOptions options) {
      Video sampled = choice.of(video);
      ImageSize size = limits.size(sampled, tiling.patchSize() * tiling.mergeSize(), options);
      List<ImagePiece> layout =
          frames.between(
              sampled,
              size,
              i -> "<" + time(sampled, i) + " seconds><|vision_start|>",
              i -> "<|vision_end|>");
      return frames.prepare(sampled, size, layout);
    }

    /** The middle of a pair, in tenths of a second as Python rounds them: 0.25 to 0.2. */
    private static String time(Video video, int first) {
      int second = Math.min(first + 1, video.nFrames() - 1);
      double time = (video.seconds(first) + video.seconds(second)) / 2;
      return new BigDecimal(time).setScale(1, RoundingMode.HALF_EVEN).toPlainString();
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
