package dev.ocellus.vlm.model.tiling;

import dev.ocellus.Setting;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.Resize;
import dev.ocellus.vlm.image.ResizeFilter;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.vision.ConfigReader;
import dev.ocellus.vlm.vision.ImageOptions;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How LFM2-VL cuts an image: one tile of its own shape where a number of tokens is enough for it,
 * else square tiles of a grid of nearly its aspect ratio, and a thumbnail of the whole.
 *
 * <p>The reference is {@code Lfm2VlImageProcessor} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/lfm2_vl/image_processing_lfm2_vl.py">image_processing_lfm2_vl.py</a>.
 * It is made for torchvision alone, whose resizing is followed.
 *
 * @param patchSize pixels of a patch's side
 * @param factor patches of a token's side
 * @param minTokens of an image that is one tile
 * @param maxTokens of an image that is one tile
 * @param tolerance how many times the pixels of {@code maxTokens} an image may have before it is
 *     cut
 * @param tileSize pixels of a tile's side
 * @param grids tiles across and down that an image may be cut into, in the order in which they are
 *     compared; none where images are not cut
 * @param thumbnail whether the whole follows the tiles
 * @param filter that images are resized with
 */
public record Lfm2Tiles(
    int patchSize,
    int factor,
    long minTokens,
    long maxTokens,
    double tolerance,
    int tileSize,
    List<ImageSize> grids,
    boolean thumbnail,
    ResizeFilter filter) {
  /** More patches than this have no room in an array of pixels, nor in any context. */
  private static final long MAX_PATCHES = 1 << 20;

  /** Most pixels of all tiles; the published models have 2.6 million. */
  private static final long MAX_PIXELS = 1 << 25;

  /**
   * An image that was cut.
   *
   * @param tiles line by line; empty where it was not
   * @param columns tiles across; 0 where it was not cut
   * @param whole the image as one tile; null where tiles have no thumbnail
   */
  public record Cut(List<RgbImage> tiles, int columns, @Nullable RgbImage whole) {}

  /**
   * Reads the sizes, those of the published models where the file does not say.
   *
   * @param factor patches of a token's side
   */
  public static Lfm2Tiles of(GgufMetadata metadata, int patchSize, int factor) {
    ConfigReader c = ConfigReader.ofVision(metadata);
    int token = patchSize * factor;
    int min = tokens(c, "image_min_pixels", token, 64);
    int max = tokens(c, "image_max_pixels", token, 256);
    int tileSize = c.integer("preproc_tile_size", token, 1 << 12, Math.max(token, 512));
    if (tileSize % token != 0) {
      throw c.invalid("preproc_tile_size", "a multiple of " + token, "" + tileSize);
    }
    int limit = (int) Math.min(256, MAX_PIXELS / ((long) tileSize * tileSize));
    int maxTiles = c.integer("preproc_max_tiles", 1, limit, Math.min(limit, 10));
    int minTiles = c.integer("preproc_min_tiles", 1, maxTiles, Math.min(maxTiles, 2));
    boolean splits = metadata.bool("clip.vision.do_image_splitting", true) && maxTiles > 1;
    return new Lfm2Tiles(
        patchSize,
        factor,
        min,
        max,
        c.positive("preproc_max_pixels_tolerance", 2),
        tileSize,
        splits ? grids(minTiles, maxTiles) : List.of(),
        metadata.bool("clip.vision.use_thumbnail", true),
        c.torchFilter(ResizeFilter.BILINEAR));
  }

  private static int tokens(ConfigReader c, String key, int token, int defaultValue) {
    int area = token * token;
    return c.integer(key, area, 1 << 28, defaultValue * area) / area;
  }

  /** {@code _target_ratios}, whose order is that of a Python set, sorted by the number of tiles. */
  static List<ImageSize> grids(int minTiles, int maxTiles) {
    List<ImageSize> grids = new ArrayList<>();
    for (int n = minTiles; n <= maxTiles; n++) {
      for (int width = 1; width <= n; width++) {
        for (int height = 1; height <= n; height++) {
          if (minTiles <= width * height && width * height <= maxTiles) {
            grids.add(new ImageSize(width, height));
          }
        }
      }
    }
    return TupleSet.ordered(grids).stream()
        .sorted(Comparator.comparingLong(ImageSize::pixels))
        .toList();
  }

  /**
   * Most patches of a tile that the reference makes room for.
   *
   * @param options which may limit the tokens
   */
  public int maxPatches(ImageOptions options) {
    long tile = grids.isEmpty() ? 0 : (long) (tileSize / patchSize) * (tileSize / patchSize);
    return Math.toIntExact(Math.max(max(options) * factor * factor, tile));
  }

  private long max(ImageOptions options) {
    return options.maxTokens() > 0 ? options.maxTokens() : Math.max(maxTokens, min(options));
  }

  private long min(ImageOptions options) {
    long min = options.minTokens() > 0 ? options.minTokens() : minTokens;
    return options.maxTokens() > 0 ? Math.min(min, options.maxTokens()) : min;
  }

  /**
   * Resizes and cuts an image.
   *
   * @throws ImageFormatException if it would have more pixels than anybody has memory for
   */
  public Cut cut(RgbImage image, ImageOptions options) {
    ImageSize size = wholeSize(image.size(), options);
    if (grids.isEmpty() || !isLarge(image.size(), options)) {
      return new Cut(List.of(), 0, resized(image, size));
    }
    ImageSize grid = grid(image.size());
    List<RgbImage> tiles = new ArrayList<>();
    RgbImage canvas =
        resized(image, new ImageSize(grid.width() * tileSize, grid.height() * tileSize));
    for (int y = 0; y < grid.height(); y++) {
      for (int x = 0; x < grid.width(); x++) {
        tiles.add(canvas.crop(x * tileSize, y * tileSize, tileSize, tileSize));
      }
    }
    if (tiles.size() == 1) {
      return new Cut(List.of(), 0, tiles.getFirst());
    }
    return new Cut(tiles, grid.width(), thumbnail ? resized(image, size) : null);
  }

  private RgbImage resized(RgbImage image, ImageSize size) {
    return Resize.resizeAsTorch(image, size, filter);
  }

  private ImageSize wholeSize(ImageSize image, ImageOptions options) {
    int token = patchSize * factor;
    long area = (long) token * token;
    ImageSize size = smartResize(image, token, min(options) * area, max(options) * area);
    if (size.pixels() > MAX_PATCHES * patchSize * patchSize || size.pixels() > 1 << 28) {
      throw new ImageFormatException(
              ImageFormatException.Kind.TOO_LARGE,
              "An image of %s pixels would be encoded at %s, which is too large. Lower the max tokens of an image, or cut it into parts."
                  .formatted(image, size))
          .about(Setting.IMAGE_MAX_TOKENS);
    }
    return size;
  }

  /** {@code smart_resize}: whole tokens, of which a short side has one at least. */
  private static ImageSize smartResize(ImageSize image, int token, long min, long max) {
    double pixels = image.pixels();
    long width = nearest(image.width(), token, token);
    long height = nearest(image.height(), token, token);
    if (width * height > max) {
      double beta = Math.sqrt(pixels / max);
      width = Math.max(token, (long) Math.floor(image.width() / beta / token) * token);
      height = Math.max(token, (long) Math.floor(image.height() / beta / token) * token);
    } else if (width * height < min) {
      double beta = Math.sqrt(min / pixels);
      width = (long) Math.ceil(image.width() * beta / token) * token;
      height = (long) Math.ceil(image.height() * beta / token) * token;
    }
    return new ImageSize(Math.toIntExact(width), Math.toIntExact(height));
  }

  /** The nearest multiple, a half to the even one, but at least {@code min}. */
  private static long nearest(long length, int factor, int min) {
    return Math.max(min, (long) Math.rint((double) length / factor) * factor);
  }

  private boolean isLarge(ImageSize image, ImageOptions options) {
    int token = patchSize * factor;
    long width = nearest(image.width(), token, patchSize);
    long height = nearest(image.height(), token, patchSize);
    return width * height > max(options) * token * token * tolerance;
  }

  /** {@code find_closest_aspect_ratio}. */
  private ImageSize grid(ImageSize image) {
    double ratio = (double) image.width() / image.height();
    double nearest = Double.POSITIVE_INFINITY;
    ImageSize best = new ImageSize(1, 1);
    for (ImageSize grid : grids) {
      double distance = Math.abs(ratio - (double) grid.width() / grid.height());
      boolean fills = image.pixels() > 0.5 * ((double) tileSize * tileSize * grid.pixels());
      if (distance < nearest || distance == nearest && fills) {
        nearest = distance;
        best = grid;
      }
    }
    return best;
  }
}
