package dev.ocellus.vlm.model;

import dev.ocellus.UnsupportedArchitectureException;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.Normalize;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.model.tiling.AnyRes;
import dev.ocellus.vlm.model.tower.SiglipTower;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.Linear;
import dev.ocellus.vlm.nn.Mlp;
import dev.ocellus.vlm.vision.ConfigReader;
import dev.ocellus.vlm.vision.EncoderGraph;
import dev.ocellus.vlm.vision.ImageInput;
import dev.ocellus.vlm.vision.ImagePiece;
import dev.ocellus.vlm.vision.Tiles;
import dev.ocellus.vlm.vision.VisionArchitecture;
import java.util.List;
import java.util.Objects;

/**
 * LLaVA-OneVision (arXiv:2408.03326): LLaVA-NeXT's tiles through a SigLIP tower. Where the canvas
 * has more rows than so many tiles have, its grid of rows is made smaller by linear interpolation.
 * Weights under {@code v.}, {@code mm.} and {@code model.image_newline}.
 *
 * <p>The reference is {@code LlavaOnevisionForConditionalGeneration} of transformers with its
 * {@code LlavaOnevisionImageProcessorPil}: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/llava_onevision/modeling_llava_onevision.py">modeling_llava_onevision.py</a>,
 * <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/llava_onevision/image_processing_pil_llava_onevision.py">image_processing_pil_llava_onevision.py</a>.
 * Each image is cut as if it were alone; the reference does so for images given as one list, and
 * gives each image a single tile where they are given as a list for every conversation.
 */
final class LlavaOneVision implements VisionArchitecture {
  /** How the value of {@link AnyRes#ASPECT_RATIO} begins; the number of tiles follows. */
  static final String ASPECT_RATIO = "anyres_max_";

  private static final double[] HALF = {0.5, 0.5, 0.5};

  private static final String TEMPLATE =
      "{% for message in messages %}{{ '<|im_start|>' + message['role'] + ' ' }}"
          + "{% for part in message['content'] if part['type'] == 'image' %}{{ '<image>' }}{% endfor %}"
          + "{% for part in message['content'] if part['type'] == 'text' %}{{ '\\n' + part['text'] }}{% endfor %}"
          + "{{ '<|im_end|>' }}{% endfor %}"
          + "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

  private final SiglipTower.Config config;
  private final AnyRes anyRes;
  private final int maxTiles;
  private final Normalize normalize;
  private final SiglipTower tower;
  private final Mlp projector;
  private final Tensor newline;
  private final int width;

  LlavaOneVision(GgufMetadata metadata, Weights weights) {
    maxTiles = maxTiles(metadata.string(AnyRes.ASPECT_RATIO));
    var all = SiglipTower.Config.of(metadata);
    config = all.withLayers(nLayer(metadata, all.nLayer()));
    anyRes = AnyRes.of(metadata, config.imageSize(), config.patchSize());
    var c = new ConfigReader(metadata, "clip.vision.");
    normalize =
        Normalize.of(
            c.perChannel("image_mean", 0, 1, HALF), c.perChannel("image_std", 1e-3, 1e3, HALF));
    tower = SiglipTower.withoutPostNorm(config, weights.at("v"));
    Weights mm = weights.at("mm");
    long[] shape = mm.at(0).shape("weight");
    int hidden = (int) (shape.length > 1 ? shape[1] : 1);
    shape = mm.at(2).shape("weight");
    width = (int) (shape.length > 1 ? shape[1] : 1);
    projector =
        new Mlp(
            Linear.of(mm.at(0), config.nEmbd(), hidden),
            Activation.GELU,
            Linear.of(mm.at(2), hidden, width));
    newline = weights.at("model").f32("image_newline", width);
  }

  private static int maxTiles(String aspectRatio) {
    String digits = aspectRatio.substring(ASPECT_RATIO.length());
    if (!digits.matches("[1-9][0-9]{0,2}")) {
      throw new UnsupportedArchitectureException(
          "%s: '%s' is not known; known is %sN with a number of tiles N, 1 to 999"
              .formatted(AnyRes.ASPECT_RATIO, aspectRatio, ASPECT_RATIO));
    }
    return Integer.parseInt(digits);
  }

  /** Layers up to the one whose hidden state is projected. */
  private static int nLayer(GgufMetadata metadata, int nBlock) {
    String key = "clip.vision.feature_layer";
    long[] layers = metadata.findIntegers(key).orElse(new long[] {nBlock});
    if (layers.length != 1 || layers[0] < 1 || layers[0] > nBlock) {
      throw new UnsupportedArchitectureException(
          "%s: %d numbers, the first of them %s; known for files with %s is one from 1 to %d"
              .formatted(
                  key,
                  layers.length,
                  layers.length == 0 ? "missing" : Long.toString(layers[0]),
                  AnyRes.PINPOINTS,
                  nBlock));
    }
    return (int) layers[0];
  }

  @Override
  public String name() {
    return "llava-onevision";
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
    return TEMPLATE;
  }

  @Override
  public ImageInput prepare(RgbImage image) {
    int side = config.imageSize();
    Grid grid = grid(image.size()); // first, as it may be refused
    List<RgbImage> tiles = anyRes.tiles(image);
    ImageSize canvas = anyRes.canvas(image.size());
    return new ImageInput(
        List.of(Tiles.ofImages(tiles, normalize, config.patchSize())),
        List.of(1, tiles.size(), 3, side, side),
        canvas.width() / side,
        canvas.height() / side,
        List.of(ImagePiece.Rows.of(config.nPatches() + grid.lines * (grid.columns + 1))),
        1,
        image.size());
  }

  /** Columns and lines of rows that are left of the canvas; either may be 0. */
  private record Grid(int columns, int lines) {}

  private Grid grid(ImageSize image) {
    AnyRes.Window window = anyRes.window(image);
    double ratio =
        Math.sqrt((double) window.columns() * window.lines() / (maxTiles * config.nPatches()));
    if (ratio <= 1.1) {
      return new Grid(window.columns(), window.lines());
    }
    int columns = floorDiv(window.columns(), ratio);
    int lines = floorDiv(window.lines(), ratio);
    if (columns == 0 || lines == 0) {
      throw new ImageFormatException(
          ImageFormatException.Kind.UNSUPPORTED,
          "an image of %s is too thin for this model: %d x %d patches made smaller by %.2f have no %s left"
              .formatted(
                  image,
                  window.columns(),
                  window.lines(),
                  ratio,
                  lines == 0 ? "lines" : "columns"));
    }
    return new Grid(columns, lines);
  }

  /** Python's {@code a // b}, which may be one less than the rounded-down quotient. */
  private static int floorDiv(int a, double b) {
    return (int) Math.rint((a - a % b) / b);
  }

  /** The row that goes behind lines comes after the rows of each tile. */
  @Override
  public Tensor forward(EncoderGraph graph) {
    Tensor x = tower.forward(graph.pixels()); // [nEmbd, nPatches, n]
    x = projector.forward(x).named("projector.raw"); // [width, nPatches, n]
    return x.concat(newline.inGraphOf(x).repeat(width, 1, x.size(2)), 1).named("projector.out");
  }

  @Override
  public float[] arrange(ImageInput image, float[] rows) {
    ImageSize original = Objects.requireNonNull(image.originalSize(), "originalSize");
    AnyRes.Window window = anyRes.window(original);
    Grid grid = grid(original);
    int perTile = config.nPatches() + 1; // with the newline
    float[] arranged = new float[image.nTokens() * width];
    System.arraycopy(rows, 0, arranged, 0, config.nPatches() * width);
    int to = config.nPatches();
    Axis down = new Axis(window.y(), window.lines(), grid.lines);
    Axis across = new Axis(window.x(), window.columns(), grid.columns);
    for (int line = 0; line < grid.lines; line++) {
      for (int column = 0; column < grid.columns; column++) {
        for (int tap = 0; tap < 4; tap++) {
          float weight = down.weight(line, tap / 2) * across.weight(column, tap % 2);
          if (weight != 0) {
            int x = across.place(column, tap % 2);
            int y = down.place(line, tap / 2);
            addRow(rows, anyRes.row(x, y, image.gridX(), perTile), weight, arranged, to);
          }
        }
        to++;
      }
      addRow(rows, config.nPatches(), 1, arranged, to++);
    }
    return arranged;
  }

  /**
   * Linear interpolation along one side, as {@code torch.nn.functional.interpolate} does it without
   * aligned corners.
   *
   * @param from first place
   * @param size places there are
   * @param wanted places there shall be
   */
  private record Axis(int from, int size, int wanted) {
    private float at(int i) {
      return size == wanted ? i : Math.max(0, ((float) size / wanted) * (i + 0.5f) - 0.5f);
    }

    /** The place before, or behind, the one in between that is wanted. */
    int place(int i, int which) {
      return from + Math.min((int) at(i) + which, size - 1);
    }

    float weight(int i, int which) {
      float second = at(i) - (int) at(i);
      return which == 0 ? 1 - second : second;
    }
  }

  private void addRow(float[] from, int fromRow, float weight, float[] to, int toRow) {
    for (int i = 0; i < width; i++) {
      to[toRow * width + i] += weight * from[fromRow * width + i];
    }
  }
}
