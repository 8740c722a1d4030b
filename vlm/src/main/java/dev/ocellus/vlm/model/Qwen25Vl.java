package dev.ocellus.vlm.model;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.Video;
import dev.ocellus.vlm.model.tiling.FramePixels;
import dev.ocellus.vlm.model.tiling.PatchOrder;
import dev.ocellus.vlm.model.tiling.QwenFrames;
import dev.ocellus.vlm.model.tiling.QwenTiling;
import dev.ocellus.vlm.model.tower.GatedRotaryLayer;
import dev.ocellus.vlm.model.tower.QwenConfig;
import dev.ocellus.vlm.model.tower.QwenEmbedding;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.Mlp;
import dev.ocellus.vlm.nn.RmsNorm;
import dev.ocellus.vlm.nn.Rope2d;
import dev.ocellus.vlm.nn.Windows;
import dev.ocellus.vlm.vision.ConfigReader;
import dev.ocellus.vlm.vision.EncoderGraph;
import dev.ocellus.vlm.vision.ImageInput;
import dev.ocellus.vlm.vision.ImageOptions;
import dev.ocellus.vlm.vision.PromptAttention;
import dev.ocellus.vlm.vision.VisionArchitecture;
import dev.ocellus.vlm.vision.VisionGraph;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Qwen2.5-VL (arXiv:2502.13923): as {@link Qwen2Vl}, but with RMS norms, gated feed-forward blocks,
 * and attention within windows in all layers but every n-th, or but those that the file lists.
 *
 * <p>The reference is {@code Qwen2_5_VisionTransformerPretrainedModel} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/qwen2_5_vl/modeling_qwen2_5_vl.py">modeling_qwen2_5_vl.py</a>.
 */
final class Qwen25Vl {
  /** Pixels of a window's side in the published models, which converters do not write. */
  private static final int WINDOW_SIZE = 112;

  /**
   * Positions in time of a second of video in the <a
   * href="https://huggingface.co/Qwen/Qwen2.5-VL-7B-Instruct/blob/main/config.json">published
   * models</a>, which converters do not write.
   */
  private static final int TOKENS_PER_SECOND = 2;

  private Qwen25Vl() {}

  static VisionArchitecture of(GgufMetadata metadata, Weights weights) {
    QwenTiling tiling = QwenTiling.of(metadata, Qwen2Vl.DEFAULTS);
    return new VisionArchitecture(
        "qwen2.5-vl",
        Qwen2Vl.PROMPT_FORMAT,
        Preprocessor.of(metadata, tiling),
        Graph.of(metadata, tiling, weights),
        // pairs of frames that come faster than positions in time share one
        PromptAttention.VIDEOS_IN_ORDER);
  }

  /**
   * @param frames of videos
   * @param perSecond positions in time of a second
   */
  private record Preprocessor(QwenTiling tiling, QwenFrames frames, int perSecond)
      implements QwenTiling.WithVideos {
    static Preprocessor of(GgufMetadata metadata, QwenTiling tiling) {
      ConfigReader video = FramePixels.reader(metadata);
      return new Preprocessor(
          tiling,
          QwenFrames.of(metadata, tiling),
          video.integer("tokens_per_second", 1, 1 << 16, TOKENS_PER_SECOND));
    }

    /**
     * Frames in pairs whose positions are their times: {@code tokens_per_second} to a second,
     * rounded down in F32.
     */
    @Override
    public ImageInput prepare(Video video, ImageOptions options) {
      Video chosen = frames.choice().of(video);
      ImageSize size = frames.size(chosen, options);
      float interval = perSecond * (float) (QwenTiling.FRAMES / QwenFrames.rate(chosen, video));
      List<Integer> times = new ArrayList<>();
      for (int i = 0; i < Math.ceilDiv(chosen.nFrames(), QwenTiling.FRAMES); i++) {
        times.add((int) (i * interval));
      }
      return frames.pairs().prepare(chosen, size, List.of(frames.pairs().rows(size, times)));
    }
  }

  /**
   * Tokens in an order in which those of a window follow each other.
   *
   * @param tokens where each was in the order of lines
   * @param windows of patches, all of one size behind each other
   */
  record Arrangement(int[] tokens, Windows windows) {
    /**
     * @param nx tokens across
     * @param ny tokens down
     * @param side tokens of a window's side
     * @param perToken patches that become one token
     */
    static Arrangement of(int nx, int ny, int side, int perToken) {
      int wholeX = nx / side * side;
      int wholeY = ny / side * side;
      int[] tokens = new int[nx * ny];
      List<Windows.Run> runs = new ArrayList<>();
      int n = 0;
      for (boolean below : new boolean[] {false, true}) {
        for (boolean beside : new boolean[] {false, true}) {
          int startX = beside ? wholeX : 0;
          int startY = below ? wholeY : 0;
          int sizeX = beside ? nx - wholeX : side;
          int sizeY = below ? ny - wholeY : side;
          int endX = beside ? nx : wholeX;
          int endY = below ? ny : wholeY;
          if (startX == endX || startY == endY) {
            continue;
          }
          int count = (endX - startX) / sizeX * ((endY - startY) / sizeY);
          runs.add(new Windows.Run(count, sizeX * sizeY * perToken));
          for (int y = startY; y < endY; y += sizeY) {
            for (int x = startX; x < endX; x += sizeX) {
              for (int i = 0; i < sizeX * sizeY; i++) {
                tokens[n++] = (y + i / sizeX) * nx + x + i % sizeX;
              }
            }
          }
        }
      }
      return new Arrangement(tokens, new Windows(runs));
    }

    /** Row numbers that bring {@code n} images into this order. */
    int[] into(int n) {
      int[] rows = new int[n * tokens.length];
      for (int i = 0; i < rows.length; i++) {
        rows[i] = i / tokens.length * tokens.length + tokens[i % tokens.length];
      }
      return rows;
    }

    /** Row numbers that bring {@code n} images back into the order of lines. */
    int[] back(int n) {
      int[] into = into(n);
      int[] rows = new int[into.length];
      for (int i = 0; i < rows.length; i++) {
        rows[into[i]] = i;
      }
      return rows;
    }
  }

  /**
   * @param windowTokens tokens of a window's side
   * @param full for every layer whether it attends to the whole image
   */
  private record Graph(
      QwenConfig config,
      QwenTiling tiling,
      int windowTokens,
      List<Boolean> full,
      QwenEmbedding embedding,
      List<GatedRotaryLayer> layers,
      RmsNorm postNorm,
      Mlp projector,
      int width)
      implements VisionGraph {
    static Graph of(GgufMetadata metadata, QwenTiling tiling, Weights weights) {
      QwenConfig config = QwenConfig.of(metadata);
      ConfigReader c = ConfigReader.ofVision(metadata);
      List<Boolean> full = fullLayers(metadata, c, config.nLayer());
      int side = tiling.mergeSize() * tiling.patchSize();
      int window = c.integer("window_size", side, 1 << 16, Math.max(side, WINDOW_SIZE));
      Activation activation = c.activation(Activation.SILU);
      Weights v = weights.at("v");
      List<GatedRotaryLayer> layers = new ArrayList<>();
      for (int i = 0; i < config.nLayer(); i++) {
        layers.add(GatedRotaryLayer.of(config, QwenConfig.EPS, v.at("blk").at(i), activation));
      }
      Weights mm = weights.at("mm");
      long nIn = (long) config.nEmbd() * tiling.merged();
      return new Graph(
          config,
          tiling,
          window / side,
          full,
          new QwenEmbedding(tiling, v, config.nEmbd()),
          List.copyOf(layers),
          RmsNorm.of(v.at("post_ln"), config.nEmbd(), QwenConfig.EPS),
          Mlp.projector(mm.at(0), mm.at(2), nIn, Activation.GELU),
          mm.at(2).outputs("weight"));
    }

    /**
     * Which layers attend to the whole image: every {@code n_wa_pattern}-th, or those that {@code
     * wa_layer_indexes} lists, as llama.cpp's files of Youtu-VL do.
     */
    private static List<Boolean> fullLayers(GgufMetadata metadata, ConfigReader c, int nLayer) {
      List<Boolean> full = new ArrayList<>(Collections.nCopies(nLayer, false));
      long[] listed = metadata.findIntegers("clip.vision.wa_layer_indexes").orElse(null);
      if (listed == null) {
        int every = c.integer("n_wa_pattern", 1, 1024);
        for (int i = every - 1; i < nLayer; i += every) {
          full.set(i, true);
        }
        return full;
      }
      for (long layer : listed) {
        if (layer < 0 || layer >= nLayer) {
          throw c.invalid(
              "wa_layer_indexes", "layers from 0 to " + (nLayer - 1), Long.toString(layer));
        }
        full.set((int) layer, true);
      }
      return full;
    }

    @Override
    public Tensor forward(EncoderGraph graph) {
      Arrangement arrangement =
          Arrangement.of(
              graph.gridX() / tiling.mergeSize(),
              graph.gridY() / tiling.mergeSize(),
              windowTokens,
              tiling.merged());
      PatchOrder order = embedding.order(graph).rearranged(arrangement.tokens());
      Rope2d rope = QwenEmbedding.rope(graph, order, config.headSize());
      Windows whole = Windows.whole(order.n());
      Tensor x = embedding.merge(embedding.embed(graph).named("embeddings"));
      x = embedding.split(rearranged(graph, "window.into", x, arrangement.into((int) x.size(2))));
      for (int i = 0; i < layers.size(); i++) {
        Windows windows = full.get(i) ? whole : arrangement.windows();
        x = layers.get(i).forward(x, rope, windows).named("layer_" + (i + 1));
      }
      x = projector.forward(embedding.merge(postNorm.forward(x)));
      x = rearranged(graph, "window.back", x, arrangement.back((int) x.size(2)));
      return x.named("projector.out");
    }

    /** [width, tokens, n] in another order. */
    private static Tensor rearranged(EncoderGraph graph, String name, Tensor x, int[] rows) {
      return x.reshape(x.size(0), rows.length)
          .getRows(graph.indices(name, rows, rows.length))
          .reshape(x.size(0), x.size(1), x.size(2));
    }
  }
}
