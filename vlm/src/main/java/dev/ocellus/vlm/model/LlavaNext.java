package dev.ocellus.vlm.model;

import dev.ocellus.UnsupportedArchitectureException;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.Normalize;
import dev.ocellus.vlm.image.Preprocess;
import dev.ocellus.vlm.image.ResizeFilter;
import dev.ocellus.vlm.image.Rgb;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.Linear;
import dev.ocellus.vlm.nn.Mlp;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * LLaVA-NeXT, also called LLaVA 1.6 (arXiv:2310.03744 and <a
 * href="https://llava-vl.github.io/blog/2024-01-30-llava-next/">its page</a>): LLaVA's tower and
 * projector on tiles of a canvas of nearly the picture's aspect ratio. The rows of the whole
 * picture come first, then those of the canvas line by line without its padding, with a learned row
 * after every line. Weights under {@code v.}, {@code mm.} and {@code model.image_newline}.
 *
 * <p>The reference is {@code LlavaNextForConditionalGeneration} of transformers with its {@code
 * LlavaNextImageProcessorPil}: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/llava_next/modeling_llava_next.py">modeling_llava_next.py</a>,
 * <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/llava_next/image_processing_pil_llava_next.py">image_processing_pil_llava_next.py</a>.
 */
final class LlavaNext implements VisionArchitecture {
  /** Sizes that a canvas may have. */
  static final String PINPOINTS = "clip.vision.image_grid_pinpoints";

  /** Most tiles of a canvas; the published models have 4. */
  private static final int MAX_TILES = 64;

  /** What is left of a canvas when the padding is cut away, in patches. */
  record Window(int x, int y, int columns, int lines) {
    /** Rows of embeddings, with one after every line. */
    int nRows() {
      return lines * (columns + 1);
    }
  }

  private final ClipTower.Config config;
  private final List<ImageSize> canvases;
  private final Normalize normalize;
  private final ClipTower tower;
  private final Mlp projector;
  private final Tensor newline;
  private final int width;

  LlavaNext(GgufMetadata metadata, Weights weights) {
    requireSetting(metadata, "clip.vision.image_aspect_ratio", "anyres");
    requireSetting(metadata, "clip.vision.mm_patch_merge_type", "spatial_unpad");
    config = ClipTower.Config.of(metadata);
    var c = new ConfigReader(metadata, "clip.vision.");
    canvases = canvases(c, metadata.integers(PINPOINTS), config.imageSize());
    normalize =
        Normalize.of(
            c.perChannel("image_mean", 0, 1, Llava.CLIP_MEAN),
            c.perChannel("image_std", 1e-3, 1e3, Llava.CLIP_STD));
    tower = new ClipTower(config, weights.at("v"));
    Weights mm = weights.at("mm");
    long[] shape = mm.at(0).shape("weight");
    int hidden = (int) (shape.length > 1 ? shape[1] : 1);
    shape = mm.at(2).shape("weight");
    width = (int) (shape.length > 1 ? shape[1] : 1);
    projector =
        new Mlp(
            Linear.of(mm.at(0), config.nOut(), hidden),
            Activation.GELU,
            Linear.of(mm.at(2), hidden, width));
    newline = weights.at("model").f32("image_newline", width);
  }

  private static void requireSetting(GgufMetadata metadata, String key, String known) {
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

  @Override
  public String name() {
    return "llava-next";
  }

  @Override
  public int width() {
    return width;
  }

  @Override
  public String imageMarker() {
    return "<image>";
  }

  @Override
  public String defaultChatTemplate() {
    return Llava.VICUNA;
  }

  @Override
  public ImageInput prepare(RgbImage image) {
    int side = config.imageSize();
    ImageSize canvas = canvas(image.size(), canvases);
    List<RgbImage> tiles = new ArrayList<>();
    tiles.add(Preprocess.stretch(image, side, side, ResizeFilter.BICUBIC));
    RgbImage padded = fit(image, canvas);
    for (int y = 0; y < canvas.height(); y += side) {
      for (int x = 0; x < canvas.width(); x += side) {
        tiles.add(padded.crop(x, y, side, side));
      }
    }
    int nRows = config.nPatches() + window(image.size(), canvas).nRows();
    return new ImageInput(
        List.of(Tiles.ofImages(tiles, normalize, config.patchSize())),
        List.of(1, tiles.size(), 3, side, side),
        canvas.width() / side,
        canvas.height() / side,
        List.of(ImagePiece.Rows.of(nRows)),
        1,
        image.size());
  }

  /**
   * The canvas on which most pixels of the picture are left, and of those the one with least
   * padding ({@code select_best_resolution}).
   */
  static ImageSize canvas(ImageSize image, List<ImageSize> canvases) {
    ImageSize best = canvases.getFirst();
    long mostUsed = 0;
    long leastWasted = Long.MAX_VALUE;
    for (ImageSize canvas : canvases) {
      double scale =
          Math.min(
              (double) canvas.width() / image.width(), (double) canvas.height() / image.height());
      long scaled = (long) (image.width() * scale) * (long) (image.height() * scale);
      long used = Math.min(scaled, image.pixels());
      long wasted = canvas.pixels() - used;
      if (used > mostUsed || (used == mostUsed && wasted < leastWasted)) {
        mostUsed = used;
        leastWasted = wasted;
        best = canvas;
      }
    }
    return best;
  }

  /** The picture as large as it can be, in the middle of a black canvas. */
  private static RgbImage fit(RgbImage image, ImageSize canvas) {
    ImageSize size = fitted(image.size(), canvas);
    int spareX = canvas.width() - size.width();
    int spareY = canvas.height() - size.height();
    int left = spareX / 2;
    int top = spareY / 2;
    return Preprocess.stretch(image, size.width(), size.height(), ResizeFilter.BICUBIC)
        .pad(left, top, spareX - left, spareY - top, Rgb.BLACK);
  }

  /** The largest size of the picture's aspect ratio that a canvas has room for. */
  static ImageSize fitted(ImageSize image, ImageSize canvas) {
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
   * The patches of a canvas that show the picture ({@code unpad_image}). There are no columns, or
   * no lines, where the picture is too narrow to fill a patch.
   */
  private Window window(ImageSize image, ImageSize canvas) {
    return window(
        image,
        canvas.width() / config.imageSize() * config.grid(),
        canvas.height() / config.imageSize() * config.grid());
  }

  /**
   * @param columns patches across the canvas
   * @param lines patches down the canvas
   */
  static Window window(ImageSize image, int columns, int lines) {
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

  /** The row that goes behind lines comes after the rows of each tile. */
  @Override
  public Tensor forward(EncoderGraph graph) {
    Tensor x = tower.forward(graph.pixels()); // [nOut, 1 + nPatches, n]
    x = x.slice(new long[] {0, 1}, x.size(0), x.size(1) - 1, x.size(2)).contiguous();
    x = projector.forward(x).named("projector.raw"); // [width, nPatches, n]
    return x.concat(newline.inGraphOf(x).repeat(width, 1, x.size(2)), 1);
  }

  @Override
  public float[] arrange(ImageInput image, float[] rows) {
    int grid = config.grid();
    int perTile = config.nPatches() + 1; // with the newline
    ImageSize original = Objects.requireNonNull(image.originalSize(), "originalSize");
    Window window = window(original, canvas(original, canvases));
    float[] arranged = new float[image.nTokens() * width];
    System.arraycopy(rows, 0, arranged, 0, config.nPatches() * width);
    int to = config.nPatches();
    for (int y = window.y; y < window.y + window.lines; y++) {
      for (int x = window.x; x < window.x + window.columns; x++) {
        int tile = 1 + y / grid * image.gridX() + x / grid; // behind the whole picture
        copyRow(rows, tile * perTile + y % grid * grid + x % grid, arranged, to++);
      }
      copyRow(rows, config.nPatches(), arranged, to++);
    }
    return arranged;
  }

  private void copyRow(float[] from, int fromRow, float[] to, int toRow) {
    System.arraycopy(from, fromRow * width, to, toRow * width, width);
  }

  @Override
  public int maxNodes() {
    return tower.maxNodes() + 32;
  }
}
