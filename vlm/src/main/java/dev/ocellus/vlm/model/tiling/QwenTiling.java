package dev.ocellus.vlm.model.tiling;

import dev.ocellus.Setting;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.Normalize;
import dev.ocellus.vlm.image.Resize;
import dev.ocellus.vlm.image.ResizeFilter;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.vision.ConfigReader;
import dev.ocellus.vlm.vision.ImageInput;
import dev.ocellus.vlm.vision.ImageOptions;
import dev.ocellus.vlm.vision.ImagePiece;
import dev.ocellus.vlm.vision.ImagePreprocessor;
import dev.ocellus.vlm.vision.Tiles;
import java.util.List;

/**
 * How the Qwen-VL generations from 2 on prepare images: they keep their aspect ratio and become a
 * grid of patches, which come in squares of {@code mergeSize} by {@code mergeSize} that a projector
 * joins.
 *
 * <p>The reference is {@code Qwen2VLImageProcessorPil} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/qwen2_vl/image_processing_pil_qwen2_vl.py">image_processing_pil_qwen2_vl.py</a>.
 * It gives every patch two frames, as of a video; those of an image are equal, so the tiles hold
 * one. Processors of other families are made after it, some with one frame.
 *
 * @param patchSize pixels of a patch's side
 * @param mergeSize patches of a token's side
 * @param minPixels of an image
 * @param maxPixels of an image
 * @param normalize how pixels are normalized
 * @param filter that images are resized with
 * @param layout how the reference's processor gives patches
 */
public record QwenTiling(
    int patchSize,
    int mergeSize,
    long minPixels,
    long maxPixels,
    Normalize normalize,
    ResizeFilter filter,
    Layout layout)
    implements ImagePreprocessor {
  /** Of families that take videos too, each in its own way. */
  public interface WithVideos extends ImagePreprocessor {
    /** What becomes of images. */
    QwenTiling tiling();

    @Override
    default ImageInput prepare(RgbImage image, ImageOptions options) {
      return tiling().prepare(image, options);
    }

    @Override
    default Normalize normalize() {
      return tiling().normalize();
    }

    @Override
    default boolean takesVideos() {
      return true;
    }

    @Override
    default boolean hasTokenLimits() {
      return true;
    }
  }

  /** Colours and sizes of a generation, for files that do not say. */
  public record Defaults(Normalize normalize, int minPixels, int maxPixels) {}

  /**
   * How the reference's processor gives patches, and what becomes of them in a prompt.
   *
   * @param sizes how it finds the size at which an image is encoded
   * @param nFrames frames of a patch
   * @param byTokens whether the patches of a token follow each other; else they come line by line
   * @param planes whether a patch keeps its three planes, [n, 3, side, side]; else [n, length]
   * @param pieces what stands in a prompt
   */
  public record Layout(
      SmartResize sizes, int nFrames, boolean byTokens, boolean planes, Pieces pieces) {
    /** Of Qwen-VL. */
    public static final Layout QWEN =
        new Layout(SmartResize.QWEN, FRAMES, true, false, Pieces.GRID);
  }

  /** What stands in a prompt for tokens on a grid. */
  @FunctionalInterface
  public interface Pieces {
    /** The grid alone. */
    Pieces GRID = (nx, ny) -> List.of(ImagePiece.Embeddings.grid(nx, ny));

    /**
     * The pieces.
     *
     * @param nx tokens across
     * @param ny tokens down
     */
    List<ImagePiece> of(int nx, int ny);
  }

  /** Frames that become one grid of tokens. */
  public static final int FRAMES = 2;

  /** More patches than this have no room in an array of pixels, nor in any context. */
  private static final long MAX_PATCHES = 1 << 20;

  /** The tiling that a file describes, with the patches of Qwen-VL. */
  public static QwenTiling of(GgufMetadata metadata, Defaults defaults) {
    return of(metadata, defaults, Layout.QWEN);
  }

  /**
   * The tiling that a file describes.
   *
   * @throws dev.ocellus.vlm.vision.InvalidConfigException if no model can have such sizes
   */
  public static QwenTiling of(GgufMetadata metadata, Defaults defaults, Layout layout) {
    ConfigReader c = ConfigReader.ofVision(metadata);
    int minPixels = c.integer("image_min_pixels", 1, 1 << 28, defaults.minPixels);
    int maxPixels = c.integer("image_max_pixels", 1, 1 << 28, defaults.maxPixels);
    if (minPixels > maxPixels) {
      throw c.invalid("image_min_pixels", "at most " + maxPixels, Long.toString(minPixels));
    }
    return new QwenTiling(
        c.integer("patch_size", 1, 256),
        c.integer("spatial_merge_size", 1, 16, 2),
        minPixels,
        maxPixels,
        c.normalize(defaults.normalize),
        c.filter(ResizeFilter.BICUBIC),
        layout);
  }

  /** The same for frames of videos, where a file gives these limits of their own. */
  public QwenTiling ofFrames(ConfigReader video) {
    long max = video.integer("max_pixels", 1, 1 << 28, (int) maxPixels);
    int usual = (int) Math.min(minPixels, max);
    long min = video.integer("min_pixels", 1, (int) max, usual);
    return withLimits(min, max);
  }

  /** The same with other limits. */
  QwenTiling withLimits(long min, long max) {
    return new QwenTiling(patchSize, mergeSize, min, max, normalize, filter, layout);
  }

  /** Patches that become one token. */
  public int merged() {
    return mergeSize * mergeSize;
  }

  /** An image in its aspect ratio: one tile of patches. */
  @Override
  public ImageInput prepare(RgbImage image, ImageOptions options) {
    ImageSize size = size(image.size(), options);
    int gridX = size.width() / patchSize;
    int gridY = size.height() / patchSize;
    float[] planes = normalize.apply(Resize.resize(image, size, filter));
    long nPatches = (long) gridX * gridY;
    long rowLength = 3L * patchSize * patchSize;
    List<Integer> shape =
        layout.planes
            ? List.of((int) nPatches, 3, patchSize, patchSize)
            : List.of((int) nPatches, (int) (layout.nFrames * rowLength));
    return new ImageInput(
        List.of(
            new Tiles(
                patches(planes, gridX, gridY),
                List.of(rowLength, nPatches, 1L, 1L),
                gridX,
                gridY,
                square())),
        shape,
        1,
        1,
        layout.pieces.of(gridX / mergeSize, gridY / mergeSize),
        layout.nFrames,
        null);
  }

  /** The patches of an image in the order in which the tiles have them. */
  public PatchOrder order(int gridX, int gridY) {
    return PatchOrder.of(gridX, gridY, square());
  }

  /** Side of the squares of patches that follow each other. */
  int square() {
    return layout.byTokens ? mergeSize : 1;
  }

  @Override
  public boolean hasTokenLimits() {
    return true;
  }

  /** The size at which an image, or a frame of a video, is encoded. */
  public ImageSize size(ImageSize size, ImageOptions options) {
    int factor = patchSize * mergeSize;
    long perToken = (long) factor * factor;
    long min = options.minTokens() > 0 ? options.minTokens() * perToken : minPixels;
    long max = options.maxTokens() > 0 ? options.maxTokens() * perToken : Math.max(maxPixels, min);
    ImageSize resized = layout.sizes.resize(size, factor, Math.min(min, max), max);
    if (resized.pixels() > MAX_PATCHES * patchSize * patchSize
        || 3 * resized.pixels() > Integer.MAX_VALUE / 4) {
      throw new ImageFormatException(
              ImageFormatException.Kind.TOO_LARGE,
              "An image of %d x %d pixels would be encoded at %d x %d, which is too large. Lower the max tokens of an image."
                  .formatted(size.width(), size.height(), resized.width(), resized.height()))
          .about(Setting.IMAGE_MAX_TOKENS);
    }
    return resized;
  }

  /** From planes to [nPatches][channel, y, x], patches in the order of {@link PatchOrder}. */
  float[] patches(float[] planes, int gridX, int gridY) {
    int width = gridX * patchSize;
    int plane = planes.length / 3;
    float[] out = new float[planes.length];
    PatchOrder order = order(gridX, gridY);
    int to = 0;
    for (int patch = 0; patch < order.n(); patch++) {
      int corner = order.rows()[patch] * patchSize * width + order.columns()[patch] * patchSize;
      for (int channel = 0; channel < 3; channel++) {
        for (int y = 0; y < patchSize; y++) {
          System.arraycopy(planes, channel * plane + corner + y * width, out, to, patchSize);
          to += patchSize;
        }
      }
    }
    return out;
  }
}
