package dev.ocellus.vlm.model;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.Normalize;
import dev.ocellus.vlm.image.Preprocess;
import dev.ocellus.vlm.image.ResizeFilter;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.Video;
import dev.ocellus.vlm.model.tower.InternVit;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.LayerNorm;
import dev.ocellus.vlm.nn.Linear;
import dev.ocellus.vlm.nn.Mlp;
import dev.ocellus.vlm.nn.PixelShuffle;
import dev.ocellus.vlm.vision.ConfigReader;
import dev.ocellus.vlm.vision.EncoderGraph;
import dev.ocellus.vlm.vision.ImageInput;
import dev.ocellus.vlm.vision.ImageOptions;
import dev.ocellus.vlm.vision.ImagePiece;
import dev.ocellus.vlm.vision.ImagePlaceholder;
import dev.ocellus.vlm.vision.Tiles;
import dev.ocellus.vlm.vision.VisionArchitecture;
import java.util.ArrayList;
import java.util.List;

/**
 * InternVL 1.5 to 3.5 (arXiv:2312.14238, arXiv:2404.16821, arXiv:2504.10479): an image is cut into
 * tiles, a thumbnail of the whole follows them, and a pixel shuffle makes fewer rows of each.
 * Weights under {@code v.} and {@code mm.model.mlp.}.
 *
 * <p>The reference is {@code InternVLForConditionalGeneration} of transformers with its {@code
 * GotOcr2ImageProcessorPil}: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/internvl/modeling_internvl.py">modeling_internvl.py</a>,
 * <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/got_ocr2/image_processing_pil_got_ocr2.py">image_processing_pil_got_ocr2.py</a>.
 */
final class InternVl implements VisionArchitecture {
  /** Mean and deviation of ImageNet, which all published models have. */
  private static final double[] MEAN = {0.485, 0.456, 0.406};

  private static final double[] STD = {0.229, 0.224, 0.225};

  /** Most pixels of all tiles; the published models have 2.4 million. */
  private static final long MAX_PIXELS = 1 << 25;

  /** PyTorch's default, which the projector's norm has. */
  private static final float PROJECTOR_EPS = 1e-5f;

  private static final String CHAT_ML =
      "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content']"
          + " + '<|im_end|>\\n' }}{% endfor %}"
          + "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

  /**
   * @param tower of the vision transformer
   * @param shuffle the pixel shuffle
   * @param minTiles least tiles of an image, without the thumbnail
   * @param maxTiles most tiles of an image, without the thumbnail; 12 in the published models
   */
  private record Config(InternVit.Config tower, PixelShuffle shuffle, int minTiles, int maxTiles) {
    static Config of(GgufMetadata metadata) {
      var c = new ConfigReader(metadata, "clip.vision.");
      InternVit.Config tower = InternVit.Config.of(metadata);
      int factor = c.integer("projector.scale_factor", 1, tower.grid(), 2);
      if (tower.grid() % factor != 0) {
        throw c.invalid(
            "projector.scale_factor", "a divisor of " + tower.grid(), Integer.toString(factor));
      }
      int maxTiles = c.integer("preproc_max_tiles", 1, mostTiles(tower.imageSize()), 12);
      return new Config(
          tower,
          new PixelShuffle(factor),
          c.integer("preproc_min_tiles", 1, maxTiles, 1),
          maxTiles);
    }

    /** A file that asks for more pixels than anybody has memory for is damaged. */
    private static int mostTiles(int imageSize) {
      return (int) Math.min(256, MAX_PIXELS / ((long) imageSize * imageSize));
    }

    /** Rows of embeddings of a tile. */
    int nRows() {
      int side = tower.grid() / shuffle.factor();
      return side * side;
    }
  }

  private final Config config;
  private final Normalize normalize;
  private final ResizeFilter filter;
  private final InternVit tower;
  private final LayerNorm projectorNorm;
  private final Mlp projector;
  private final int width;

  InternVl(GgufMetadata metadata, Weights weights) {
    Config c = Config.of(metadata);
    config = c;
    var reader = new ConfigReader(metadata, "clip.vision.");
    normalize =
        Normalize.of(
            reader.perChannel("image_mean", 0, 1, MEAN),
            reader.perChannel("image_std", 1e-3, 1e3, STD));
    filter = reader.filter(ResizeFilter.BICUBIC);
    tower = new InternVit(c.tower, weights.at("v"));
    Weights mlp = weights.at("mm").at("model").at("mlp");
    long nIn = (long) c.tower.nEmbd() * c.shuffle.factor() * c.shuffle.factor();
    projectorNorm = LayerNorm.of(mlp.at(0), nIn, PROJECTOR_EPS);
    long[] shape = mlp.at(1).shape("weight");
    width = (int) (shape.length > 1 ? shape[1] : 1);
    projector =
        new Mlp(
            Linear.of(mlp.at(1), nIn, width), Activation.GELU, Linear.of(mlp.at(3), width, width));
  }

  @Override
  public String name() {
    return "internvl";
  }

  @Override
  public int width() {
    return width;
  }

  @Override
  public String imageMarker() {
    return "<IMG_CONTEXT>";
  }

  @Override
  public String defaultChatTemplate() {
    return CHAT_ML;
  }

  @Override
  public ImageInput prepare(RgbImage image) {
    int side = config.tower.imageSize();
    ImageSize grid = tileGrid(image.size(), side, config.minTiles, config.maxTiles);
    int n = grid.width() * grid.height();
    RgbImage canvas = Preprocess.stretch(image, grid.width() * side, grid.height() * side, filter);
    List<RgbImage> tiles = new ArrayList<>();
    for (int i = 0; i < n; i++) {
      int x = i % grid.width() * side;
      int y = i / grid.width() * side;
      tiles.add(canvas.crop(x, y, side, side));
    }
    if (n > 1) {
      tiles.add(Preprocess.stretch(image, side, side, filter));
    }
    return new ImageInput(
        List.of(Tiles.ofImages(tiles, normalize, config.tower.patchSize())),
        List.of(tiles.size(), 3, side, side),
        grid.width(),
        grid.height(),
        List.of(
            new ImagePiece.Text("<img>"),
            ImagePiece.Rows.of(tiles.size() * config.nRows()),
            new ImagePiece.Text("</img>")));
  }

  @Override
  public String videoMarker() {
    return "<video>";
  }

  @Override
  public ImagePlaceholder place(Video video) {
    return new ImagePlaceholder(videoMarker(), "Frame1: ", "", videoMarker() + "\n");
  }

  /** All frames, each one tile behind its number ({@code InternVLProcessor}). */
  @Override
  public ImageInput prepare(Video video, ImageOptions options) {
    int side = config.tower.imageSize();
    List<RgbImage> tiles =
        video.frames().stream()
            .map(frame -> Preprocess.stretch(frame, side, side, filter))
            .toList();
    List<ImagePiece> layout = new ArrayList<>();
    for (int i = 1; i <= tiles.size(); i++) {
      layout.add(new ImagePiece.Text(i == 1 ? "<img>" : "</img>\nFrame" + i + ": <img>"));
      layout.add(ImagePiece.Rows.of(config.nRows()));
    }
    layout.add(new ImagePiece.Text("</img>"));
    return new ImageInput(
        List.of(Tiles.ofImages(tiles, normalize, config.tower.patchSize())),
        List.of(tiles.size(), 3, side, side),
        1,
        1,
        layout);
  }

  /**
   * Tiles across and down: the grid whose aspect ratio is nearest to the image's. Of grids that are
   * equally near, a larger one wins as long as the image has more than half of its pixels.
   *
   * @param side pixels of a tile's side
   */
  static ImageSize tileGrid(ImageSize image, int side, int minTiles, int maxTiles) {
    double ratio = (double) image.width() / image.height();
    double area = (double) image.width() * image.height();
    double halfTile = 0.5 * side * side;
    double nearest = Double.POSITIVE_INFINITY;
    ImageSize best = new ImageSize(1, 1);
    // by number of tiles, and in that by tiles across
    for (int n = minTiles; n <= maxTiles; n++) {
      for (int x = 1; x <= n; x++) {
        if (n % x != 0) {
          continue;
        }
        double distance = Math.abs(ratio - (double) x / (n / x));
        if (distance < nearest || (distance == nearest && area > halfTile * n)) {
          nearest = distance;
          best = new ImageSize(x, n / x);
        }
      }
    }
    return best;
  }

  @Override
  public Tensor forward(EncoderGraph graph) {
    Tensor x = tower.forward(graph.pixels()); // [nEmbd, 1 + nPatches, n]
    x = x.slice(new long[] {0, 1}, x.size(0), x.size(1) - 1, x.size(2));
    x = config.shuffle.forward(x, config.tower.grid(), config.tower.grid());
    return projector.forward(projectorNorm.forward(x)).named("projector.out");
  }
}
