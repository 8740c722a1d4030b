package dev.ocellus.vlm.model.tiling;

import dev.ocellus.UnsupportedArchitectureException;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.image.ImageFit;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.Normalize;
import dev.ocellus.vlm.image.Preprocess;
import dev.ocellus.vlm.image.ResizeFilter;
import dev.ocellus.vlm.image.Rgb;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.vision.ConfigReader;
import dev.ocellus.vlm.vision.Tiles;

/**
 * Any image as one square tile: the shorter side to a size and the middle of it ({@code crop}), to
 * a square in the mean colour ({@code pad}), whatever its aspect ratio ({@code stretch}), or the
 * longer side to a size in the middle of a colour ({@code longest}), as {@code
 * clip.vision.image_aspect_ratio} says, a key of LLaVA's own configuration.
 *
 * <p>The reference is {@code CLIPImageProcessor} of transformers for the first, {@code
 * SiglipImageProcessor} for the third, {@code image_transform} of open_clip for the last. {@code
 * preproc_image_size} is the shorter side, where it is not the square's.
 */
public final class SquareFit {
  /** How an image is brought to a square. */
  public enum Kind {
    CROP,
    PAD,
    STRETCH,
    LONGEST
  }

  private final Kind kind;
  private final int side;
  private final int patchSize;
  private final int shortestSide;
  private final ResizeFilter filter;
  private final Normalize normalize;
  private final Rgb fill;

  private SquareFit(Kind kind, int side, int patchSize, ConfigReader c, Normalize defaultColours) {
    this.kind = kind;
    this.side = side;
    this.patchSize = patchSize;
    shortestSide = c.integer("preproc_image_size", 1, 1 << 14, side);
    filter = c.filter(ResizeFilter.BICUBIC);
    normalize = c.normalize(defaultColours);
    int grey = c.integer("image_fill", 0, 255, 0);
    fill = new Rgb(grey, grey, grey);
  }

  /**
   * Reads how it is done.
   *
   * @param side pixels of the square
   * @param kind where the file does not say
   * @param colours mean and deviation where the file has none
   */
  public static SquareFit of(
      GgufMetadata metadata, int side, int patchSize, Kind kind, Normalize colours) {
    ConfigReader c = ConfigReader.ofVision(metadata);
    return new SquareFit(kind(metadata, kind), side, patchSize, c, colours);
  }

  private static Kind kind(GgufMetadata metadata, Kind defaultValue) {
    String key = "clip.vision.image_aspect_ratio";
    String value = metadata.string(key, "");
    return switch (value) {
      case "" -> defaultValue;
      case "crop" -> Kind.CROP;
      case "pad" -> Kind.PAD;
      case "stretch" -> Kind.STRETCH;
      case "longest" -> Kind.LONGEST;
      default ->
          throw new UnsupportedArchitectureException(
              "%s: '%s' is not known; known are crop, pad, stretch, longest".formatted(key, value));
    };
  }

  /**
   * The image as one tile.
   *
   * @throws dev.ocellus.vlm.image.ImageFormatException if it is too thin to be resized
   */
  public Tiles tile(RgbImage image) {
    float[] pixels = normalize.apply(square(image));
    return Tiles.ofRgb(pixels, side, side, 1, patchSize);
  }

  /** What {@link #tile} does with an image of a size. */
  public ImageFit fit(ImageSize size) {
    return switch (kind) {
      case CROP -> ImageFit.cropped(size, Preprocess.shortestEdgeSize(size, shortestSide), side);
      case PAD, LONGEST -> ImageFit.squared(size);
      case STRETCH -> ImageFit.resized(size, new ImageSize(side, side));
    };
  }

  /** How pixels are normalized. */
  public Normalize normalize() {
    return normalize;
  }

  private RgbImage square(RgbImage image) {
    return switch (kind) {
      case CROP -> Preprocess.resizeAndCropToSquare(image, shortestSide, side, filter);
      case PAD -> {
        Rgb background = Rgb.ofMean(normalize.mean());
        yield Preprocess.stretch(Preprocess.padToSquare(image, background), side, side, filter);
      }
      case STRETCH -> Preprocess.stretch(image, side, side, filter);
      case LONGEST -> Preprocess.resizeLongestAndPad(image, side, filter, fill);
    };
  }
}
