package dev.ocellus.vlm.model;

import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.Normalize;
import dev.ocellus.vlm.image.Resize;
import dev.ocellus.vlm.image.ResizeFilter;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.model.tower.MoonVit;
import dev.ocellus.vlm.model.tower.TowerConfig;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.vision.ChatTemplateName;
import dev.ocellus.vlm.vision.ConfigReader;
import dev.ocellus.vlm.vision.FixedPromptFormat;
import dev.ocellus.vlm.vision.ImageInput;
import dev.ocellus.vlm.vision.ImageOptions;
import dev.ocellus.vlm.vision.ImagePlaceholder;
import dev.ocellus.vlm.vision.ImagePreprocessor;
import dev.ocellus.vlm.vision.VisionArchitecture;

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
        MoonVitGraph.of(tower, merge, MoonVit.PairOrder.HALVES, weights));
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
      var patches = new KimiPatches(patchSize, merge, normalize);
      patches.requireRoom(image.size(), size);
      return patches.of(Resize.resizeAsTorch(image, size, filter));
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
  }
}
