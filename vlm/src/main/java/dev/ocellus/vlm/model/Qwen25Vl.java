package dev.ocellus.vlm.model;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.Video;
import dev.ocellus.vlm.model.tower.QwenPatches;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.GatedMlp;
import dev.ocellus.vlm.nn.Linear;
import dev.ocellus.vlm.nn.Mlp;
import dev.ocellus.vlm.nn.RmsNorm;
import dev.ocellus.vlm.nn.Rope2d;
import dev.ocellus.vlm.nn.RotaryAttention;
import dev.ocellus.vlm.nn.Windows;
import dev.ocellus.vlm.vision.ConfigReader;
import dev.ocellus.vlm.vision.EncoderGraph;
import dev.ocellus.vlm.vision.ImageInput;
import dev.ocellus.vlm.vision.ImageOptions;
import java.util.ArrayList;
import java.util.List;

/**
 * Qwen2.5-VL (arXiv:2502.13923): as {@link Qwen2Vl}, but with RMS norms, gated feed-forward blocks,
 * and attention within windows in all layers but every n-th, or but those that the file lists.
 *
 * <p>The reference is {@code Qwen2_5_VisionTransformerPretrainedModel} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/qwen2_5_vl/modeling_qwen2_5_vl.py">modeling_qwen2_5_vl.py</a>.
 */
final class Qwen25Vl implements QwenArchitecture {
  /** Pixels of a window's side in the published models, which converters do not write. */
  private static final int WINDOW_SIZE = 112;

  /**
   * Positions in time of a second of video in the <a
   * href="https://huggingface.co/Qwen/Qwen2.5-VL-7B-Instruct/blob/main/config.json">published
   * models</a>, which converters do not write.
   */
  private static final int TOKENS_PER_SECOND = 2;

  private record Block(RmsNorm ln1, RotaryAttention attention, RmsNorm ln2, GatedMlp mlp) {
    static Block of(QwenConfig c, Weights w, Activation activation) {
      int nFf = Qwen2Vl.outputs(w.at("ffn_gate"));
      return new Block(
          RmsNorm.of(w.at("ln1"), c.nEmbd(), QwenConfig.EPS),
          RotaryAttention.of(w, c.nEmbd(), c.nHead()),
          RmsNorm.of(w.at("ln2"), c.nEmbd(), QwenConfig.EPS),
          new GatedMlp(
              Linear.of(w.at("ffn_gate"), c.nEmbd(), nFf),
              Linear.of(w.at("ffn_up"), c.nEmbd(), nFf),
              activation,
              Linear.of(w.at("ffn_down"), nFf, c.nEmbd())));
    }

    Tensor forward(Tensor x, Rope2d rope, Windows windows) {
      x = x.add(attention.forward(ln1.forward(x), rope, windows));
      return x.add(mlp.forward(ln2.forward(x)));
    }
  }

  /**
   * Tokens in an order in which those of a window follow each other.
   *
   * @param tokens where each was in the order of lines
   * @param windows of rows, all of one size behind each other
   */
  record Arrangement(int[] tokens, Windows windows) {
    /**
     * @param nx tokens across
     * @param ny tokens down
     * @param side tokens of a window's side
     * @param perToken rows that become one token
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

  private final QwenConfig config;
  private final QwenPatches patches;
  private final int windowTokens;
  private final boolean[] full;
  private final List<Block> blocks = new ArrayList<>();
  private final RmsNorm postLn;
  private final Mlp projector;
  private final int width;
  private final int mergeSize;

  Qwen25Vl(GgufMetadata metadata, Weights weights) {
    config = QwenConfig.of(metadata);
    var c = new ConfigReader(metadata, "clip.vision.");
    Weights v = weights.at("v");
    patches = new QwenPatches(metadata, v, config.nEmbd(), Qwen2Vl.DEFAULTS);
    mergeSize = patches.mergeSize();
    full = fullLayers(metadata, c, config.nLayer());
    int side = mergeSize * patches.patchSize();
    windowTokens = c.integer("window_size", side, 1 << 16, Math.max(side, WINDOW_SIZE)) / side;
    Activation activation = c.activation(Activation.SILU);
    for (int i = 0; i < config.nLayer(); i++) {
      blocks.add(Block.of(config, v.at("blk").at(i), activation));
    }
    postLn = RmsNorm.of(v.at("post_ln"), config.nEmbd(), QwenConfig.EPS);
    projector = Qwen2Vl.projector(weights.at("mm"), (long) config.nEmbd() * patches.merged());
    width = Qwen2Vl.outputs(weights.at("mm").at(2));
  }

  /**
   * Which layers see the whole image: every {@code n_wa_pattern}-th, or those that {@code
   * wa_layer_indexes} lists, as llama.cpp's files of Youtu-VL do.
   */
  private static boolean[] fullLayers(GgufMetadata metadata, ConfigReader c, int nLayer) {
    boolean[] full = new boolean[nLayer];
    long[] listed = metadata.findIntegers("clip.vision.wa_layer_indexes").orElse(null);
    if (listed == null) {
      int every = c.integer("n_wa_pattern", 1, 1024);
      for (int i = every - 1; i < nLayer; i += every) {
        full[i] = true;
      }
      return full;
    }
    for (long layer : listed) {
      if (layer < 0 || layer >= nLayer) {
        throw c.invalid(
            "wa_layer_indexes", "layers from 0 to " + (nLayer - 1), Long.toString(layer));
      }
      full[(int) layer] = true;
    }
    return full;
  }

  @Override
  public String name() {
    return "qwen2.5-vl";
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
   * All frames, in pairs whose positions are their times: {@code tokens_per_second} to a second,
   * rounded down in F32.
   */
  @Override
  public ImageInput prepare(Video video, ImageOptions options) {
    ImageSize size = patches.size(video.size(), options);
    float interval = TOKENS_PER_SECOND * (float) (QwenPatches.FRAMES / video.fps());
    List<Integer> times = new ArrayList<>();
    for (int i = 0; i < Math.ceilDiv(video.nFrames(), QwenPatches.FRAMES); i++) {
      times.add((int) (i * interval));
    }
    return patches.prepare(video, size, List.of(patches.rows(size, times)));
  }

  @Override
  public Tensor forward(EncoderGraph graph) {
    Arrangement arrangement =
        Arrangement.of(
            graph.gridX() / mergeSize, graph.gridY() / mergeSize, windowTokens, patches.merged());
    QwenPatches.Order order = patches.order(graph).rearranged(arrangement.tokens());
    Rope2d rope = QwenPatches.rope(graph, order, config.dHead());
    Windows whole = Windows.whole(order.rows().length);
    Tensor x = patches.merge(patches.embed(graph).named("embeddings"));
    x = patches.split(rearranged(graph, "window.into", x, arrangement.into((int) x.size(2))));
    for (int i = 0; i < blocks.size(); i++) {
      Windows windows = full[i] ? whole : arrangement.windows();
      x = blocks.get(i).forward(x, rope, windows).named("layer_" + (i + 1));
    }
    x = projector.forward(patches.merge(postLn.forward(x)));
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
