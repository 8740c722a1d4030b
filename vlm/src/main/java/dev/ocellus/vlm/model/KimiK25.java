package dev.ocellus.vlm.model;

import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.image.ImageFit;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.Normalize;
import dev.ocellus.vlm.image.Resize;
import dev.ocellus.vlm.image.ResizeFilter;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.Video;
import dev.ocellus.vlm.model.tower.MoonVit;
import dev.ocellus.vlm.model.tower.TowerConfig;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.vision.ChatTemplateName;
import dev.ocellus.vlm.vision.ConfigReader;
import dev.ocellus.vlm.vision.ImageInput;
import dev.ocellus.vlm.vision.ImageOptions;
import dev.ocellus.vlm.vision.ImagePlaceholder;
import dev.ocellus.vlm.vision.ImagePreprocessor;
import dev.ocellus.vlm.vision.ImagePromptFormat;
import dev.ocellus.vlm.vision.VisionArchitecture;
import java.util.List;

/**
 * Kimi K2.5 (arXiv:2504.07491 for its tower): an image keeps its size if it is not too large, and
 * is padded to whole tokens; squares of its patches become one embedding each. Weights under {@code
 * v.} and {@code mm.}.
 *
 * <p>The reference is {@code Kimi_K25ForConditionalGeneration} of transformers with its {@code
 * Kimi_K25ImageProcessor}, which is made for torchvision alone: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/kimi_k25/image_processing_kimi_k25.py">image_processing_kimi_k25.py</a>.
 * Frames of a video go through the tower in groups, of which the mean is taken; {@link KimiVideos}
 * are its videos.
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
    Fit images = Fit.of(c, tower.patchSize(), merge);
    KimiVideos videos = KimiVideos.of(metadata, images);
    return new VisionArchitecture(
        "kimi-k2.5",
        new PromptFormat(videos),
        new Preprocessor(images, videos),
        MoonVitGraph.of(tower, merge, MoonVit.PairOrder.HALVES, weights));
  }

  private record PromptFormat(KimiVideos videos) implements ImagePromptFormat {
    private static final ImagePlaceholder IMAGE =
        ImagePlaceholder.of("<|media_pad|>")
            .written("<|media_begin|>image<|media_content|><|media_pad|><|media_end|>");

    @Override
    public String imageMarker() {
      return IMAGE.marker();
    }

    @Override
    public String videoMarker() {
      return KimiVideos.MARKER;
    }

    @Override
    public List<String> paddedTokens() {
      return List.of(IMAGE.marker(), KimiVideos.MARKER);
    }

    @Override
    public ChatTemplateName defaultTemplate() {
      return ChatTemplateName.CHATML;
    }

    @Override
    public ImagePlaceholder place(RgbImage image, int nImages, ImageOptions options) {
      return IMAGE;
    }

    @Override
    public ImagePlaceholder place(Video video, int nVideos) {
      return videos.place(video);
    }
  }

  /**
   * How large an image or a frame is encoded.
   *
   * @param patches that it is cut into
   * @param maxPatches of an image
   * @param maxSide patches of a side
   */
  record Fit(KimiPatches patches, int maxPatches, int maxSide, ResizeFilter filter) {
    static Fit of(ConfigReader c, int patchSize, int merge) {
      int area = patchSize * patchSize;
      int maxPixels = c.integer("image_max_pixels", area, 1 << 28, MAX_PATCHES * area);
      return new Fit(
          new KimiPatches(patchSize, merge, c.normalize(Normalize.HALF).fused()),
          maxPixels / area,
          c.integer("preproc_max_side_patches", 1, 1 << 12, MAX_SIDE),
          c.torchFilter(ResizeFilter.BICUBIC));
    }

    /** {@code navit_resize}: never enlarged. */
    ImageSize size(ImageSize image, ImageOptions options) {
      int merge = patches.merge();
      int patchSize = patches.patchSize();
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

    /** The image in that size. */
    RgbImage resized(RgbImage image, ImageSize size) {
      return Resize.resizeAsTorch(image, size, filter);
    }
  }

  private record Preprocessor(Fit fit, KimiVideos videos) implements ImagePreprocessor {
    @Override
    public boolean hasTokenLimits() {
      return true;
    }

    @Override
    public Normalize normalize() {
      return fit.patches.normalize();
    }

    @Override
    public boolean takesVideos() {
      return true;
    }

    @Override
    public ImageInput prepare(RgbImage image, ImageOptions options) {
      ImageSize size = fit.size(image.size(), options);
      fit.patches.requireRoom(image.size(), size);
      return fit.patches.of(fit.resized(image, size));
    }

    @Override
    public ImageFit fit(ImageSize size, ImageInput input, ImageOptions options) {
      ImageSize scaled = fit.size(size, options);
      return ImageFit.onCanvas(size, scaled, fit.patches.padded(scaled), false);
    }

    @Override
    public ImageInput prepare(Video video, ImageOptions options) {
      return videos.prepare(video, options);
    }
  }
}
