package dev.ocellus.vlm.model;

import dev.ocellus.InvalidSettingException;
import dev.ocellus.Setting;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.Normalize;
import dev.ocellus.vlm.image.Preprocess;
import dev.ocellus.vlm.image.ResizeFilter;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.Video;
import dev.ocellus.vlm.model.tower.Gemma4Tower;
import dev.ocellus.vlm.nn.Linear;
import dev.ocellus.vlm.nn.SquareMeans;
import dev.ocellus.vlm.vision.ChatTemplateName;
import dev.ocellus.vlm.vision.ConfigReader;
import dev.ocellus.vlm.vision.EncoderGraph;
import dev.ocellus.vlm.vision.ImageInput;
import dev.ocellus.vlm.vision.ImageOptions;
import dev.ocellus.vlm.vision.ImagePiece;
import dev.ocellus.vlm.vision.ImagePlaceholder;
import dev.ocellus.vlm.vision.ImagePreprocessor;
import dev.ocellus.vlm.vision.ImagePromptFormat;
import dev.ocellus.vlm.vision.PromptAttention;
import dev.ocellus.vlm.vision.Tiles;
import dev.ocellus.vlm.vision.VisionArchitecture;
import dev.ocellus.vlm.vision.VisionGraph;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Gemma 4: an image keeps its aspect ratio, enlarged or made smaller to what a number of tokens
 * holds, which can be chosen; squares of patches are averaged, normed and projected. In some of the
 * text models the embeddings of an image attend to each other. Weights under {@code v.} and {@code
 * mm.}.
 *
 * <p>The reference is {@code Gemma4ForConditionalGeneration} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/gemma4/image_processing_pil_gemma4.py">image_processing_pil_gemma4.py</a>,
 * <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/gemma4/modeling_gemma4.py">modeling_gemma4.py</a>.
 */
final class Gemma4 {
  /** Numbers of tokens that the reference's processor takes. */
  private static final List<Integer> BUDGETS = List.of(70, 140, 280, 560, 1120);

  static final int USUAL_BUDGET = 280;
  static final int USUAL_POOL = 3;

  /** Widths of E2B and E4B, whose text models are causal throughout; no published key says it. */
  private static final List<Integer> CAUSAL_WIDTHS = List.of(1536, 2560);

  private Gemma4() {}

  static VisionArchitecture of(GgufMetadata metadata, Weights weights) {
    ConfigReader c = ConfigReader.ofVision(metadata);
    Gemma4Tower.Config tower = Gemma4Tower.Config.of(metadata, weights.at("v"));
    int pool = c.integer("projector.scale_factor", 1, 64, USUAL_POOL);
    Graph graph = Graph.of(tower, pool, weights);
    boolean usually = !CAUSAL_WIDTHS.contains(graph.width());
    Preprocessor preprocessor = Preprocessor.of(metadata, tower, pool);
    return new VisionArchitecture(
        "gemma4",
        new PromptFormat(preprocessor.videos),
        preprocessor,
        graph,
        metadata.bool("clip.vision.bidirectional_images", usually)
            ? PromptAttention.NON_CAUSAL_IMAGES
            : PromptAttention.CAUSAL);
  }

  record PromptFormat(Gemma4Videos videos) implements ImagePromptFormat {
    private static final ImagePlaceholder IMAGE =
        ImagePlaceholder.of("<|image|>").between("<|image>", "<image|>").written("<|image|>");

    private static final String VIDEO = "<|video|>";

    @Override
    public String imageMarker() {
      return IMAGE.marker();
    }

    @Override
    public List<String> paddedTokens() {
      return List.of("<|image|>", "<|audio|>", VIDEO);
    }

    @Override
    public String videoMarker() {
      return VIDEO;
    }

    @Override
    public ImagePlaceholder place(Video video, int nVideos) {
      return videos.place(VIDEO, video);
    }

    @Override
    public ChatTemplateName defaultTemplate() {
      return ChatTemplateName.GEMMA4;
    }

    @Override
    public ImagePlaceholder place(RgbImage image, int nImages, ImageOptions options) {
      return IMAGE;
    }
  }

  /**
   * @param nPositions patches that a side may have
   * @param budget tokens of an image, where nobody chooses
   */
  private record Preprocessor(
      int patchSize,
      int nPositions,
      int pool,
      int budget,
      Normalize normalize,
      ResizeFilter filter,
      Gemma4Videos videos)
      implements ImagePreprocessor {
    static Preprocessor of(GgufMetadata metadata, Gemma4Tower.Config tower, int pool) {
      int patchSize = tower.patchSize();
      ConfigReader c = ConfigReader.ofVision(metadata);
      int perToken = patchSize * pool * patchSize * pool;
      int usual = Math.multiplyExact(USUAL_BUDGET, perToken);
      int pixels = c.integer("image_max_pixels", perToken, Integer.MAX_VALUE, usual);
      Normalize normalize = c.normalize(Normalize.NONE);
      ResizeFilter filter = c.filter(ResizeFilter.BICUBIC);
      return new Preprocessor(
          patchSize,
          tower.nPositions(),
          pool,
          pixels / perToken,
          normalize,
          filter,
          Gemma4Videos.of(metadata, filter, normalize));
    }

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
      return videos.prepare(video, options, this::size, patchSize, pool);
    }

    /** The size at which an image is encoded. */
    private ImageSize size(ImageSize image, int tokens) {
      ImageSize size = resized(image, patchSize, pool, tokens);
      if (Math.max(size.width(), size.height()) / patchSize > nPositions) {
        throw new ImageFormatException(
            ImageFormatException.Kind.UNSUPPORTED,
            "An image of %s pixels becomes one of %s for %d tokens, and this model knows %d positions of %d pixels. Crop it or choose fewer tokens."
                .formatted(image, size, tokens, nPositions, patchSize));
      }
      return size;
    }

    @Override
    public ImageInput prepare(RgbImage image, ImageOptions options) {
      int tokens = Gemma4.budget(budget, options);
      ImageSize size = size(image.size(), tokens);
      RgbImage whole = Preprocess.stretch(image, size.width(), size.height(), filter);
      Tiles tile = Tiles.alone(normalize.apply(whole), size.width(), size.height(), patchSize);
      int nRows = tile.gridX() / pool * (tile.gridY() / pool);
      return new ImageInput(
          List.of(tile),
          List.of(1, tokens * pool * pool, 3 * patchSize * patchSize),
          1,
          1,
          List.of(ImagePiece.Embeddings.of(nRows)));
    }
  }

  /** Tokens of an image: {@code usual}, or those that somebody has chosen of the known ones. */
  static int budget(int usual, ImageOptions options) {
    int wanted = options.maxTokens();
    if (wanted == 0) {
      return usual;
    }
    if (!BUDGETS.contains(wanted)) {
      throw new InvalidSettingException(
          "Gemma 4 takes images of at most 70, 140, 280, 560 or 1120 tokens, not %d"
              .formatted(wanted),
          Setting.IMAGE_MAX_TOKENS);
    }
    return wanted;
  }

  /**
   * The largest size of about this shape, on both sides a multiple of what becomes one token, that
   * has at most so many tokens.
   *
   * @throws ImageFormatException if the image is too long for that
   */
  static ImageSize resized(ImageSize size, int patchSize, int pool, int tokens) {
    long maxPatches = (long) tokens * pool * pool;
    long maxPixels = maxPatches * patchSize * patchSize;
    double factor = Math.sqrt((double) maxPixels / ((double) size.width() * size.height()));
    int unit = pool * patchSize;
    long width = (long) Math.floor(factor * size.width() / unit) * unit;
    long height = (long) Math.floor(factor * size.height() / unit) * unit;
    long longest = maxPatches / ((long) pool * pool) * unit;
    if (height == 0 && width > 0) {
      height = unit;
      width = Math.min(size.width() / size.height() * (long) unit, longest);
    } else if (width == 0 && height > 0) {
      width = unit;
      height = Math.min(size.height() / size.width() * (long) unit, longest);
    }
    if (width == 0 || width * height > maxPixels) {
      throw new ImageFormatException(
          ImageFormatException.Kind.UNSUPPORTED,
          "An image of %s pixels cannot be resized to %d tokens of %d x %d pixels. Crop it or cut it into parts."
              .formatted(size, tokens, unit, unit));
    }
    return new ImageSize(Math.toIntExact(width), Math.toIntExact(height));
  }

  /**
   * @param stdBias taken from the pooled rows, which are then multiplied by {@code stdScale}, in
   *     models that standardize them
   */
  private record Graph(
      Gemma4Tower.Config config,
      Gemma4Tower tower,
      int pool,
      @Nullable Tensor stdBias,
      @Nullable Tensor stdScale,
      Linear projection,
      int width)
      implements VisionGraph {
    static Graph of(Gemma4Tower.Config config, int pool, Weights weights) {
      Weights v = weights.at("v");
      Weights projection = weights.at("mm").at("input_projection");
      int width = projection.outputs("weight");
      boolean standardizes = v.has("std_bias") || v.has("std_scale");
      return new Graph(
          config,
          new Gemma4Tower(config, v),
          pool,
          standardizes ? v.f32("std_bias", config.nEmbd()) : null,
          standardizes ? v.f32("std_scale", config.nEmbd()) : null,
          Linear.of(projection, config.nEmbd(), width),
          width);
    }

    @Override
    public Tensor forward(EncoderGraph graph) {
      long nEmbd = config.nEmbd();
      Tensor x = tower.forward(graph).reshape(nEmbd, graph.gridX(), graph.gridY(), 1);
      x = SquareMeans.of(x, pool).scale((float) Math.sqrt((double) nEmbd));
      if (stdBias != null && stdScale != null) {
        x = x.sub(stdBias).mul(stdScale);
      }
      x = x.named("vision.last_hidden").rmsNorm(config.eps());
      return projection.forward(x).named("projector.out");
    }
  }
}
