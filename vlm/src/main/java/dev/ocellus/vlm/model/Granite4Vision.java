package dev.ocellus.vlm.model;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.image.Normalize;
import dev.ocellus.vlm.model.tiling.AnyRes;
import dev.ocellus.vlm.model.tower.HiddenStates;
import dev.ocellus.vlm.model.tower.SiglipTower;
import dev.ocellus.vlm.model.tower.TowerConfig;
import dev.ocellus.vlm.model.tower.WindowQFormer;
import dev.ocellus.vlm.vision.ChatTemplateName;
import dev.ocellus.vlm.vision.ConfigReader;
import dev.ocellus.vlm.vision.EncoderGraph;
import dev.ocellus.vlm.vision.FixedPromptFormat;
import dev.ocellus.vlm.vision.ImageInput;
import dev.ocellus.vlm.vision.ImagePlaceholder;
import dev.ocellus.vlm.vision.VisionArchitecture;
import dev.ocellus.vlm.vision.VisionGraph;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Granite Vision 4: tiles as {@link LlavaNext} has them go through a SigLIP tower, of whose states
 * several become rows by a {@linkplain WindowQFormer projector} of their own; the text model adds
 * those of each projector in front of one of its layers. A token has the values of all of them, one
 * behind the other. Weights under {@code v.}.
 *
 * <p>The reference is {@code Granite4VisionForConditionalGeneration} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/granite4_vision/modeling_granite4_vision.py">modeling_granite4_vision.py</a>.
 */
final class Granite4Vision {
  private static final int MAX_PROJECTORS = 64;
  private static final float QFORMER_EPS = 1e-12f;

  /** Width of a head where the file does not say how many there are. */
  private static final int HEAD_SIZE = 64;

  private Granite4Vision() {}

  static VisionArchitecture of(GgufMetadata metadata, Weights weights) {
    Config config = Config.of(metadata);
    AnyRes anyRes = AnyRes.widthFirst(metadata, config.tower.imageSize(), config.former.newSide());
    return new VisionArchitecture(
        "granite4-vision",
        new FixedPromptFormat(
            ImagePlaceholder.of("<image>").written("<image>\n"), ChatTemplateName.GRANITE4),
        new LlavaNext.Preprocessor(
            config.tower, anyRes, ConfigReader.ofVision(metadata).normalize(Normalize.HALF)),
        Graph.of(config, anyRes, weights.at("v")));
  }

  /**
   * @param tower sizes, with the layers that are computed
   * @param former sizes of the projectors
   * @param layers state that each projector reads, from 1 on
   * @param corners of each projector, or {@link WindowQFormer#MEAN}
   * @param emptyFirst whether zeros stand in front of the values of the projectors, since none is
   *     for the first layer of the text model
   */
  private record Config(
      TowerConfig tower,
      WindowQFormer.Config former,
      int[] layers,
      int[] corners,
      boolean emptyFirst) {
    static Config of(GgufMetadata metadata) {
      ConfigReader c = ConfigReader.ofVision(metadata);
      TowerConfig declared = SiglipTower.config(metadata);
      int[] layers = numbers(metadata, c, "feature_layer", 0, declared.nLayer() - 1);
      int[] corners = numbers(metadata, c, "projector.spatial_offsets", -1, 3);
      if (layers.length != corners.length) {
        throw c.invalid(
            "projector.spatial_offsets", layers.length + " numbers", "" + corners.length);
      }
      for (int i = 0; i < layers.length; i++) {
        layers[i]++; // files count what comes out of a block by the block's number
      }
      return new Config(
          declared.withLayers(Arrays.stream(layers).max().orElseThrow()),
          former(metadata, c, declared, Arrays.stream(corners).anyMatch(o -> o >= 0)),
          layers,
          corners,
          metadata.bool("clip.vision.projector.empty_first", false));
    }

    private static WindowQFormer.Config former(
        GgufMetadata metadata, ConfigReader c, TowerConfig tower, boolean hasCorners) {
      int side = tower.grid();
      int window = c.integer("projector.window_side", 1, side);
      int query = c.integer("projector.query_side", 1, window);
      if (side % window != 0 || hasCorners && (side % 2 != 0 || 2 * query != window)) {
        throw c.invalid(
            "projector.window_side",
            "a divisor of %d, and twice the query_side".formatted(side),
            "%d (query_side %d)".formatted(window, query));
      }
      var p = new ConfigReader(metadata, "clip.vision.projector.");
      int nHead =
          metadata.contains("clip.vision.projector.attention.head_count")
              ? TowerConfig.heads(p, tower.nEmbd(), 1)
              : Math.max(1, tower.nEmbd() / HEAD_SIZE);
      if (tower.nEmbd() % nHead != 0) {
        throw c.invalid(
            "embedding_length", "a multiple of " + HEAD_SIZE, Integer.toString(tower.nEmbd()));
      }
      return new WindowQFormer.Config(
          tower.nEmbd(), side, window, query, nHead, p.positive("layer_norm_epsilon", QFORMER_EPS));
    }

    private static int[] numbers(
        GgufMetadata metadata, ConfigReader c, String key, int min, int max) {
      long[] numbers = metadata.integers("clip.vision." + key);
      if (numbers.length == 0
          || numbers.length > MAX_PROJECTORS
          || Arrays.stream(numbers).anyMatch(n -> n < min || n > max)) {
        throw c.invalid(
            key,
            "1 to %d numbers from %d to %d".formatted(MAX_PROJECTORS, min, max),
            Arrays.toString(Arrays.copyOf(numbers, Math.min(numbers.length, MAX_PROJECTORS))));
      }
      return Arrays.stream(numbers).mapToInt(n -> (int) n).toArray();
    }
  }

  /**
   * @param rowWidth of what a projector gives out
   */
  private record Graph(
      Config config,
      AnyRes anyRes,
      SiglipTower tower,
      List<WindowQFormer> projectors,
      Tensor newline,
      int rowWidth)
      implements VisionGraph {
    static Graph of(Config config, AnyRes anyRes, Weights v) {
      int width = v.at("proj_blk").at(0).at("linear").outputs("weight");
      List<WindowQFormer> projectors = new ArrayList<>();
      for (int i = 0; i < config.layers.length; i++) {
        Weights w = v.at("proj_blk").at(i);
        projectors.add(WindowQFormer.of(config.former, w, config.corners[i], width));
      }
      return new Graph(
          config,
          anyRes,
          new SiglipTower(config.tower, v),
          List.copyOf(projectors),
          v.f32("image_newline", width),
          width);
    }

    @Override
    public int width() {
      return rowWidth * (projectors.size() + (config.emptyFirst ? 1 : 0));
    }

    @Override
    public Tensor forward(EncoderGraph graph) {
      HiddenStates states = tower.forward(graph.pixels());
      Tensor regions = WindowQFormer.regions(graph, config.former);
      Tensor all = rows(states, 0, regions);
      if (config.emptyFirst) {
        all = all.scale(0).concat(all, 0);
      }
      for (int i = 1; i < projectors.size(); i++) {
        all = all.concat(rows(states, i, regions), 0);
      }
      return all.named("projector.out");
    }

    /** Of a projector; the row that goes behind lines comes after those of each tile. */
    private Tensor rows(HiddenStates states, int i, Tensor regions) {
      Tensor x = projectors.get(i).forward(states.states().get(config.layers[i]), regions);
      return x.concat(newline.inGraphOf(x).repeat(rowWidth, 1, x.size(2)), 1);
    }

    @Override
    public float[] arrange(ImageInput image, float[] embeddings) {
      return LlavaNext.arranged(anyRes, image, embeddings, width());
    }
  }
}
