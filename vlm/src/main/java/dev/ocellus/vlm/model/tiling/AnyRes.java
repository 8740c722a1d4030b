package dev.ocellus.vlm.model.tiling;

import dev.ocellus.UnsupportedArchitectureException;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.image.ImageFit;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.Preprocess;
import dev.ocellus.vlm.image.ResizeFilter;
import dev.ocellus.vlm.image.Rgb;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.vision.ConfigReader;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * How LLaVA-NeXT and LLaVA-OneVision cut an image: it is put on a canvas of nearly its aspect
 * ratio, which is cut into tiles, and its whole is one tile more, the first.
 *
 * <p>The reference is {@code get_image_patches} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/llava_next/image_processing_pil_llava_next.py">image_processing_pil_llava_next.py</a>.
 *
 * @param tile pixels of a tile's side
 * @param grid patches of a tile's side
 * @param canvases sizes that a canvas may have
 * @param filter that images are resized with
 */
public record AnyRes(int tile, int grid, List<ImageSize> canvases, ResizeFilter filter) {
  /** Pairs of height and width in pixels. */
  public static final String PINPOINTS = "clip.vision.image_grid_pinpoints";

  /** A key of LLaVA's own configuration. */
  public static final String ASPECT_RATIO = "clip.vision.image_aspect_ratio";

  private static final String MERGE_TYPE = "clip.vision.mm_patch_merge_type";

  /** Most tiles of a canvas; the published models have 4 and 36. */
  private static final int MAX_TILES = 64;

  /** What is left of a canvas when the padding is cut away, in patches. */
  public record Window(int x, int y, int columns, int lines) {
    /** Embeddings, with one after every line. */
    public int nRows() {
      return lines * (columns + 1);
    }
  }

  /**
   * Reads the canvases.
   *
   * @throws UnsupportedArchitectureException if patches are not merged in the one known way
   */
  public static AnyRes of(GgufMetadata metadata, int tile, int patchSize) {
    requireSetting(metadata, MERGE_TYPE, "spatial_unpad");
    var c = new ConfigReader(metadata, "clip.vision.");
    return new AnyRes(
        tile,
        tile / patchSize,
        canvases(c, metadata.integers(PINPOINTS), tile),
        c.filter(ResizeFilter.BICUBIC));
  }

  /**
   * The same with canvases that the file gives width first.
   *
   * @param grid rows of a tile's side
   */
  public static AnyRes widthFirst(GgufMetadata metadata, int tile, int grid) {
    AnyRes read = of(metadata, tile, 1);
    List<ImageSize> turned =
        read.canvases.stream().map(c -> new ImageSize(c.height(), c.width())).toList();
    return new AnyRes(tile, grid, turned, read.filter);
  }

  public static void requireSetting(GgufMetadata metadata, String key, String known) {
    String value = metadata.string(key, known);
    if (!value.equals(known)) {
      throw new UnsupportedArchitectureException(
          "%s: '%s' is not known for files with %s; known is %s"
              .formatted(key, value, PINPOINTS, known));
    }
  }

  /** Pairs of height and width, as transformers reads them. */
  private static List<ImageSize> canvases(ConfigReader c, long[] pinpoints, int tile) {
    boolean ok = pinpoints.length >= 2 && pinpoints.length % 2 == 0 && pinpoints.length <= 512;
    List<ImageSize> sizes = new ArrayList<>();
    for (int i = 0; ok && i < pinpoints.length; i += 2) {
      long height = pinpoints[i];
      long width = pinpoints[i + 1];
      ok =
          isSide(height, tile)
              && isSide(width, tile)
              && (height / tile) * (width / tile) <= MAX_TILES;
      if (ok) {
        sizes.add(new ImageSize((int) width, (int) height));
      }
    }
    if (!ok) {
      throw c.invalid(
          "image_grid_pinpoints",
          "pairs of multiples of %d, of up to %d tiles".formatted(tile, MAX_TILES),
          Arrays.toString(Arrays.copyOf(pinpoints, Math.min(32, pinpoints.length))));
    }
    return List.copyOf(sizes);
  }

  private static boolean isSide(long length, int tile) {
    return length > 0 && length % tile == 0 && length / tile <= MAX_TILES;
  }

  /**
   * The canvas on which most pixels of the image are left, and of those the one with least padding
   * ({@code select_best_resolution}).
   */
  public ImageSize canvas(ImageSize image) {
    ImageSize best = canvases.getFirst();
    long maxUsed = 0;
    long minWasted = Long.MAX_VALUE;
    for (ImageSize canvas : canvases) {
      double scale =
          Math.min(
              (double) canvas.width() / image.width(), (double) canvas.height() / image.height());
      long scaled = (long) (image.width() * scale) * (long) (image.height() * scale);
      long used = Math.min(scaled, image.pixels());
      long wasted = canvas.pixels() - used;
      if (used > maxUsed || (used == maxUsed && wasted < minWasted)) {
        maxUsed = used;
        minWasted = wasted;
        best = canvas;
      }
    }
    return best;
  }

  /** The whole image stretched to a tile, then the tiles of its canvas, line by line. */
  public List<RgbImage> tiles(RgbImage image) {
    ImageSize canvas = canvas(image.size());
    List<RgbImage> tiles = new ArrayList<>();
    tiles.add(Preprocess.stretch(image, tile, tile, filter));
    RgbImage padded = fit(image, canvas);
    for (int y = 0; y < canvas.height(); y += tile) {
      for (int x = 0; x < canvas.width(); x += tile) {
        tiles.add(padded.crop(x, y, tile, tile));
      }
    }
    return tiles;
  }

  /** The image as large as it can be, in the middle of a black canvas. */
  private RgbImage fit(RgbImage image, ImageSize canvas) {
    ImageSize size = fitted(image.size(), canvas);
    int spareX = canvas.width() - size.width();
    int spareY = canvas.height() - size.height();
    int left = spareX / 2;
    int top = spareY / 2;
    return Preprocess.stretch(image, size.width(), size.height(), filter)
        .pad(left, top, spareX - left, spareY - top, Rgb.BLACK);
  }

  /** How an image is brought onto its canvas, whose border is cut away behind the encoder. */
  public ImageFit fit(ImageSize image) {
    ImageSize canvas = canvas(image);
    return ImageFit.onCanvas(image, fitted(image, canvas), canvas, true);
  }

  /** The largest size of the image's aspect ratio that a canvas has room for. */
  public static ImageSize fitted(ImageSize image, ImageSize canvas) {
    double scaleX = (double) canvas.width() / image.width();
    double scaleY = (double) canvas.height() / image.height();
    int width = canvas.width();
    int height = canvas.height();
    if (scaleX < scaleY) {
      height = Math.min((int) Math.ceil(image.height() * scaleX), height);
    } else {
      width = Math.min((int) Math.ceil(image.width() * scaleY), width);
    }
    return new ImageSize(width, height);
  }

  /**
   * The patches of the canvas that show the image ({@code unpad_image}). There are no columns, or
   * no lines, where the image is too narrow to fill a patch.
   */
  public Window window(ImageSize image) {
    ImageSize canvas = canvas(image);
    int columns = canvas.width() / tile * grid;
    int lines = canvas.height() / tile * grid;
    if ((double) image.width() / image.height() > (double) columns / lines) {
      int padding = (lines - floor7(image.height() * ((double) columns / image.width()))) / 2;
      return new Window(0, padding, columns, lines - 2 * padding);
    }
    int padding = (columns - floor7(image.width() * ((double) lines / image.height()))) / 2;
    return new Window(padding, 0, columns - 2 * padding, lines);
  }

  /** Python's {@code int(round(value, 7))}, for a value that is not negative. */
  private static int floor7(double value) {
    return new BigDecimal(value).setScale(7, RoundingMode.HALF_EVEN).intValue();
  }

  /**
   * Where a patch stands among those of all tiles.
   *
   * @param x column on the canvas
   * @param y line on the canvas
   * @param tilesAcross tiles across the canvas
   * @param perTile embeddings of a tile, of which the first grid² are patches
   */
  public int row(int x, int y, int tilesAcross, int perTile) {
    int inTile = y % grid * grid + x % grid;
    return (1 + y / grid * tilesAcross + x / grid) * perTile + inTile; // behind the whole image
  }
}
