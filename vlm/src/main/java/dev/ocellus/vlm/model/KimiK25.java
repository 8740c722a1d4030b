package dev.ocellus.vlm.model;

import dev.ocellus.Setting;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.Normalize;
import dev.ocellus.vlm.image.Resize;
import dev.ocellus.vlm.image.ResizeFilter;
import dev.ocellus.vlm.image.Rgb;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.model.tower.MoonVit;
import dev.ocellus.vlm.model.tower.TowerConfig;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.LayerNorm;
import dev.ocellus.vlm.nn.Mlp;
import dev.ocellus.vlm.nn.PixelShuffle;
import dev.ocellus.vlm.vision.ChatTemplateName;
import dev.ocellus.vlm.vision.ConfigReader;
import dev.ocellus.vlm.vision.EncoderGraph;
import dev.ocellus.vlm.vision.FixedPromptFormat;
import dev.ocellus.vlm.vision.ImageInput;
import dev.ocellus.vlm.vision.ImageOptions;
import dev.ocellus.vlm.vision.ImagePiece;
import dev.ocellus.vlm.vision.ImagePlaceholder;
import dev.ocellus.vlm.vision.ImagePreprocessor;
import dev.ocellus.vlm.vision.Tiles;
import dev.ocellus.vlm.vision.VisionArchitecture;
import dev.ocellus.vlm.vision.VisionGraph;
import java.util.List;

/**
 * Kimi K2.5 (arXiv:2504.07491 for its tower): an image keeps its size if it is not too large, and
 * is padded to whole tokens; squares of its patches become one embedding each. Weights under {@code
 * v.} and {@code mm.}.
 *
 * <p>The reference is {@code Kimi_K25ForConditionalGeneration} of transformers with its {@code
 * Kimi_K25ImageProcessor}, which is made for torchvision alone: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/kimi_k25/image_processing_kimi_k25.py">image_processing_kimi_k25.py</a>.
 * Videos are not taken.
 */
final class KimiK25 {
  private static final float EPS = 1e-5f;
  private static final int MAX_PATCHES = 16_384;
  private static final int MAX_SIDE = 512;

  private KimiK25() {}

  static VisionArchitecture of(GgufMetadata metadata, Weights weights) {
    ConfigReader c = ConfigReader.ofVision(metadata);
    TowerConfig tower = TowerConfig.of(metadata, EPS, Activation.GELU_TANH);
    TowerConfig.heads(c, tower.nEmbd(), 4);
    int merge = c.integer("projector.scale_factor", 1, 16, 2);
    return new VisionArchitecture(
        "kimi-k2.5",
        new FixedPromptFormat(
            ImagePlaceholder.of("<|media_pad|>")
                .written("<|media_begin|>image<|media_content|><|media_pad|><|media_end|>"),
            ChatTemplateName.CHATML),
        Preprocessor.of(c, tower.patchSize(), merge),
        Graph.of(tower, merge, weights));
  }

  /**
   * @param merge patches of a token's side
   * @param maxPatches of an image
   * @param maxSide patches of a side
   */
  private record Preprocessor(
      int patchSize,
      int merge,
      int maxPatches,
      int maxSide,
      ResizeFilter filter,
      Normalize normalize)
      implements ImagePreprocessor {
    static Preprocessor of(ConfigReader c, int patchSize, int merge) {
      int area = patchSize * patchSize;
      int maxPixels = c.integer("image_max_pixels", area, 1 << 28, MAX_PATCHES * area);
      return new Preprocessor(
          patchSize,
          merge,
          maxPixels / area,
          c.integer("preproc_max_side_patches", 1, 1 << 12, MAX_SIDE),
          c.torchFilter(ResizeFilter.BICUBIC),
          c.normalize(Normalize.HALF).fused());
    }

    @Override
    public Normalize normalize() {
      return normalize;
    }

    @Override
    public ImageInput prepare(RgbImage image, ImageOptions options) {
      ImageSize size = size(image.size(), options);
      int token = patchSize * merge;
      int right = (token - size.width() % token) % token;
      int bottom = (token - size.height() % token) % token;
      long pixels = (long) (size.width() + right) * (size.height() + bottom);
      if (3 * pixels > Integer.MAX_VALUE / 4) {
        throw new ImageFormatException(
                ImageFormatException.Kind.TOO_LARGE,
                "An image of %s pixels would be encoded at %s, which is too large. Lower the max tokens of an image."
                    .formatted(image.size(), size))
            .about(Setting.IMAGE_MAX_TOKENS);
      }
      RgbImage padded =
          Resize.resizeAsTorch(image, size, filter).pad(0, 0, right, bottom, Rgb.BLACK);
      int gridX = padded.width() / patchSize;
      int gridY = padded.height() / patchSize;
      long row = 3L * patchSize * patchSize;
      return new ImageInput(
          List.of(
              new Tiles(
                  patches(padded, gridX), List.of(row, (long) gridX * gridY, 1L), gridX, gridY)),
          List.of(gridX * gridY, 3, patchSize, patchSize),
          1,
          1,
          List.of(ImagePiece.Embeddings.of(gridX / merge * (gridY / merge))));
    }

    /** {@code navit_resize}: never enlarged. */
    private ImageSize size(ImageSize image, ImageOptions options) {
      int max = options.maxTokens() > 0 ? options.maxTokens() * merge * merge : maxPatches;
      int lines = Math.max(1, image.height() / patchSize);
      int columns = Math.max(1, image.width() / patchSize);
      double current = (double) lines * columns;
      int side = maxSide * patchSize;
      double scale = Math.min(1.0, Math.sqrt(max / current));
      scale = Math.min(scale, (double) side / image.height());
      scale = Math.min(scale, (double) side / image.width());
      return new ImageSize(
          Math.min(side, Math.max(1, (int) (image.width() * scale))),
          Math.min(side, Math.max(1, (int) (image.height() * scale))));
    }

    /** Line by line, each [channel, y, x]. */
    private float[] patches(RgbImage image, int gridX) {
      float[] planes = normalize.apply(image);
      float[] out = new float[planes.length];
      int plane = planes.length / 3;
      int perPatch = 3 * patchSize * patchSize;
      for (int i = 0; i < plane; i++) {
        int x = i % image.width();
        int y = i / image.width();
        int patch = y / patchSize * gridX + x / patchSize;
        int to = patch * perPatch + y % patchSize * patchSize + x % patchSize;
        for (int channel = 0; channel < 3; channel++) {
          out[to + channel * patchSize * patchSize] = planes[channel * plane + i];
        }
      }
      return out;
    }
  }

  private record Graph(MoonVit tower, PixelShuffle squares, LayerNorm norm, Mlp mlp, int width)
      implements VisionGraph {
    static Graph of(TowerConfig c, int merge, Weights weights) {
      Weights mm = weights.at("mm");
      long nIn = (long) c.nEmbd() * merge * merge;
      return new Graph(
          MoonVit.of(c, weights.at("v")),
          new PixelShuffle(merge),
          LayerNorm.of(mm.at("input_norm"), c.nEmbd(), c.eps()),
          Mlp.projector(mm.at(1), mm.at(2), nIn, Activation.GELU),
          mm.at(2).outputs("weight"));
    }

    @Override
    public Tensor forward(EncoderGraph graph) {
      Tensor x = norm.forward(tower.forward(graph)); // [nEmbd, patches]
      x = squares.forward(x, graph.gridX(), graph.gridY());
      return mlp.forward(x).named("projector.out");
    }
  }
}
