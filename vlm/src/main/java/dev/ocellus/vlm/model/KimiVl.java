package dev.ocellus.vlm.model;

import dev.ocellus.Setting;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.image.ImageFit;
import dev.ocellus.vlm.image.ImageFormatException;
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
 * Kimi-VL (arXiv:2504.07491): as {@link KimiK25}, with a processor that resizes as Pillow does.
 * Weights under {@code v.} and {@code mm.}, queries and keys in the order of the checkpoint.
 *
 * <p>transformers has no class of it. The reference of the graph is Kimi K2.5's, whose tower and
 * projector are the same for single images; the processor follows {@code KimiVLImageProcessor} of
 * the code that is published with the weights (moonshotai/Kimi-VL-A3B-Instruct), restated.
 */
final class KimiVl {
  private static final float EPS = 1e-5f;
  private static final int MAX_PATCHES = 4096;

  /** Sides of this many patches and more are refused. */
  private static final int MAX_SIDE = 512;

  private KimiVl() {}

  static VisionArchitecture of(GgufMetadata metadata, Weights weights) {
    ConfigReader c = ConfigReader.ofVision(metadata);
    TowerConfig tower = TowerConfig.of(metadata, EPS, Activation.GELU_TANH);
    TowerConfig.heads(c, tower.nEmbd(), 4);
    int merge = c.integer("projector.scale_factor", 1, 16, 2);
    int area = tower.patchSize() * tower.patchSize();
    int maxPixels = c.integer("image_max_pixels", area, 1 << 28, MAX_PATCHES * area);
    return new VisionArchitecture(
        "kimi-vl",
        new FixedPromptFormat(
            ImagePlaceholder.of("<|media_pad|>")
                .written("<|media_start|>image<|media_content|><|media_pad|><|media_end|>"),
            ChatTemplateName.CHATML),
        new Preprocessor(
            new KimiPatches(tower.patchSize(), merge, c.normalize(Normalize.HALF)),
            maxPixels / area),
        MoonVitGraph.of(tower, merge, MoonVit.PairOrder.BY_TURNS, weights));
  }

  private record Preprocessor(KimiPatches patches, int maxPatches) implements ImagePreprocessor {
    @Override
    public boolean hasTokenLimits() {
      return true;
    }

    @Override
    public Normalize normalize() {
      return patches.normalize();
    }

    @Override
    public ImageInput prepare(RgbImage image, ImageOptions options) {
      ImageSize size = size(image.size(), options);
      int max = MAX_SIDE * patches.patchSize() - 1;
      if (Math.max(size.width(), size.height()) > max) {
        throw new ImageFormatException(
                ImageFormatException.Kind.TOO_LARGE,
                "An image of %s pixels would be encoded at %s: expected at most %d pixels a side. Lower the max tokens of an image."
                    .formatted(image.size(), size, max))
            .about(Setting.IMAGE_MAX_TOKENS);
      }
      patches.requireRoom(image.size(), size);
      boolean same = size.equals(image.size());
      return patches.of(same ? image : Resize.resize(image, size, ResizeFilter.BICUBIC));
    }

    @Override
    public ImageFit fit(ImageSize size, ImageInput input, ImageOptions options) {
      ImageSize scaled = size(size, options);
      return ImageFit.onCanvas(size, scaled, patches.padded(scaled), false);
    }

    /** Only what has too many patches is made smaller. */
    private ImageSize size(ImageSize image, ImageOptions options) {
      int merge = patches.merge();
      long max = options.maxTokens() > 0 ? (long) options.maxTokens() * merge * merge : maxPatches;
      long columns = image.width() / patches.patchSize();
      long lines = image.height() / patches.patchSize();
      if (columns * lines <= max) {
        return image;
      }
      double scale = Math.sqrt((double) max / (columns * lines));
      return new ImageSize(
          Math.max(1, (int) (image.width() * scale)), Math.max(1, (int) (image.height() * scale)));
    }
  }
}
