package dev.ocellus.vlm.model;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.Normalize;
import dev.ocellus.vlm.image.Resize;
import dev.ocellus.vlm.image.ResizeFilter;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.Video;
import dev.ocellus.vlm.model.tower.TowerConfig;
import dev.ocellus.vlm.nn.LayerNorm;
import dev.ocellus.vlm.nn.Linear;
import dev.ocellus.vlm.nn.PatchEmbedding;
import dev.ocellus.vlm.vision.ConfigReader;
import dev.ocellus.vlm.vision.EncoderGraph;
import dev.ocellus.vlm.vision.ImageInput;
import dev.ocellus.vlm.vision.ImageOptions;
import dev.ocellus.vlm.vision.ImagePiece;
import dev.ocellus.vlm.vision.ImagePreprocessor;
import dev.ocellus.vlm.vision.PromptAttention;
import dev.ocellus.vlm.vision.Tiles;
import dev.ocellus.vlm.vision.VisionArchitecture;
import dev.ocellus.vlm.vision.VisionGraph;
import java.util.List;

/**
 * Gemma 4's 12B, which has no tower: an image is prepared as for the others, and each square of
 * patches becomes one embedding by norms, a linear layer and tables of positions for two axes.
 * Weights under {@code v.} and {@code mm.}.
 *
 * <p>The reference is {@code Gemma4UnifiedForConditionalGeneration} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/gemma4_unified/modeling_gemma4_unified.py">modeling_gemma4_unified.py</a>.
 * Sound is not taken.
 */
final class Gemma4Unified {
  /** PyTorch's default, which its layer norms have. */
  private static final float EPS = 1e-5f;

  /** Of the norm without weights in front of the projection. */
  private static final float PROJECTION_EPS = 1e-6f;

  private Gemma4Unified() {}

  static VisionArchitecture of(GgufMetadata metadata, Weights weights) {
    ConfigReader c = ConfigReader.ofVision(metadata);
    int pool = c.integer("projector.scale_factor", 1, 64, Gemma4.USUAL_POOL);
    int patch = c.integer("patch_size", 1, 256) * pool;
    long[] table = weights.at("v").shape("position_embd.weight");
    int nPositions = Math.toIntExact(table.length > 1 ? table[1] : 1);
    int perToken = Math.multiplyExact(patch, patch);
    int pixels =
        c.integer(
            "image_max_pixels",
            perToken,
            Integer.MAX_VALUE,
            Math.multiplyExact(Gemma4.USUAL_BUDGET, perToken));
    Normalize normalize = c.normalize(Normalize.NONE).inSingle();
    ResizeFilter filter = c.torchFilter(ResizeFilter.BICUBIC);
    Gemma4Videos videos = Gemma4Videos.of(metadata, filter, normalize);
    return new VisionArchitecture(
        "gemma4-unified",
        new Gemma4.PromptFormat(videos),
        new Preprocessor(patch, nPositions, pixels / perToken, normalize, filter, videos),
        Graph.of(c, patch, nPositions, weights),
        metadata.bool("clip.vision.bidirectional_images", true)
            ? PromptAttention.NON_CAUSAL_IMAGES_EVERYWHERE
            : PromptAttention.CAUSAL);
  }

  /**
   * @param patch pixels of a side of what becomes one embedding
   * @param nPositions of them that a side may have
   * @param budget tokens of an image, where nobody chooses
   */
  private record Preprocessor(
      int patch,
      int nPositions,
      int budget,
      Normalize normalize,
      ResizeFilter filter,
      Gemma4Videos videos)
      implements ImagePreprocessor {
    @Override
    public boolean hasTokenLimits() {
      return true;
    }

    @Override
    public int longestRows(ImageOptions options) {
      return Gemma4.budget(budget, options);
    }

    @Override
    public boolean takesVideos() {
      return true;
    }

    @Override
    public ImageInput prepare(Video video, ImageOptions options) {
      return videos.prepare(video, options, this::size, patch, 1);
    }

    private ImageSize size(ImageSize image, int tokens) {
      ImageSize size = Gemma4.resized(image, patch, 1, tokens);
      if (Math.max(size.width(), size.height()) / patch > nPositions) {
        throw new ImageFormatException(
            ImageFormatException.Kind.UNSUPPORTED,
            "An image of %s pixels becomes one of %s for %d tokens, and this model knows %d positions of %d pixels. Crop it or choose fewer tokens."
                .formatted(image, size, tokens, nPositions, patch));
      }
      return size;
    }

    @Override
    public ImageInput prepare(RgbImage image, ImageOptions options) {
      int tokens = Gemma4.budget(budget, options);
      ImageSize size = size(image.size(), tokens);
      RgbImage whole = Resize.resizeAsTorch(image, size, filter);
      Tiles tile = Tiles.alone(normalize.apply(whole), size.width(), size.height(), patch);
      return new ImageInput(
          List.of(tile),
          List.of(1, tokens, 3 * patch * patch),
          1,
          1,
          List.of(ImagePiece.Embeddings.of(tile.gridX() * tile.gridY())));
    }
  }

  /**
   * @param table positions across, then those down, [nEmbd, 2 · nPositions]
   */
  private record Graph(
      int patch,
      int nPositions,
      LayerNorm patchNorm,
      Linear dense,
      LayerNorm denseNorm,
      Tensor table,
      LayerNorm positionNorm,
      float projectionEps,
      Linear projection,
      int width)
      implements VisionGraph {
    static Graph of(ConfigReader c, int patch, int nPositions, Weights weights) {
      int nEmbd = TowerConfig.width(c);
      Weights v = weights.at("v");
      Weights norms = v.at("patch_norm");
      Weights projection = weights.at("mm").at("input_projection");
      int width = projection.outputs("weight");
      long nPixels = 3L * patch * patch;
      return new Graph(
          patch,
          nPositions,
          LayerNorm.of(norms.at(1), nPixels, EPS),
          Linear.of(v.at("patch_embd"), nPixels, nEmbd),
          LayerNorm.of(norms.at(2), nEmbd, EPS),
          v.f32Reshaped(
              "position_embd.weight", new long[] {nEmbd, nPositions, 2}, nEmbd, 2L * nPositions),
          LayerNorm.of(norms.at(3), nEmbd, EPS),
          c.positive("attention.layer_norm_epsilon", PROJECTION_EPS),
          Linear.of(projection, nEmbd, width),
          width);
    }

    @Override
    public Tensor forward(EncoderGraph graph) {
      Tensor x = patchNorm.forward(PatchEmbedding.patches(graph.pixels(), patch));
      x = denseNorm.forward(dense.forward(x));
      x = positionNorm.forward(x.add(positions(graph))).named("vision.last_hidden");
      return projection.forward(x.rmsNorm(projectionEps)).named("projector.out");
    }

    private Tensor positions(EncoderGraph graph) {
      int n = graph.gridX() * graph.gridY();
      int[] columns = new int[n];
      int[] lines = new int[n];
      for (int i = 0; i < n; i++) {
        columns[i] = i % graph.gridX();
        lines[i] = nPositions + i / graph.gridX();
      }
      Tensor all = table.inGraphOf(graph.pixels());
      return all.getRows(graph.indices("columns", columns, nPositions))
          .add(all.getRows(graph.indices("lines", lines, 2L * nPositions)));
    }
  }
}
