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
import dev.ocellus.vlm.model.tiling.FrameChoice;
import dev.ocellus.vlm.model.tiling.FramePixels;
import dev.ocellus.vlm.model.tiling.FrameSampling;
import dev.ocellus.vlm.model.tower.InternVit;
import dev.ocellus.vlm.model.tower.TowerConfig;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.LayerNorm;
import dev.ocellus.vlm.nn.Linear;
import dev.ocellus.vlm.nn.Mlp;
import dev.ocellus.vlm.nn.PixelShuffle;
import dev.ocellus.vlm.vision.ChatTemplateName;
import dev.ocellus.vlm.vision.ConfigReader;
import dev.ocellus.vlm.vision.EncoderGraph;
import dev.ocellus.vlm.vision.FixedPromptFormat;
import dev.ocellus.vlm.vision.ImageInput;
import dev.ocellus.vlm.vision.ImageOptions;
import dev.ocellus.vlm.vision.ImagePiece;
import dev.ocellus.vlm.vision.ImagePlaceholder;
import dev.ocellus.vlm.vision.ImagePreprocessor;
import dev.ocellus.vlm.vision.ImagePromptFormat;
import dev.ocellus.vlm.vision.Tiles;
import dev.ocellus.vlm.vision.VisionArchitecture;
import dev.ocellus.vlm.vision.VisionGraph;
import java.util.ArrayList;
import java.util.List;

/**
 * InternVL 1.5 to 3.5 (arXiv:2312.14238, arXiv:2404.16821, arXiv:2504.10479): an image is cut into
 * tiles, a thumbnail of the whole follows them, and a pixel shuffle makes fewer embeddings of each.
 * Weights under {@code v.} and {@code mm.model.mlp.}.
 *
 * <p>The reference is {@code InternVLForConditionalGeneration} of transformers with its {@code
 * GotOcr2ImageProcessorPil}: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/internvl/modeling_internvl.py">modeling_internvl.py</a>,
 * <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/got_ocr2/image_processing_pil_got_ocr2.py">image_processing_pil_got_ocr2.py</a>.
 */
final class InternVl {
  /** Most pixels of all tiles; the published models have 2.4 million. */
  private static final long MAX_PIXELS = 1 << 25;

  /** PyTorch's default, which the projector's norm has. */
  private static final float PROJECTOR_EPS = 1e-5f;

  private static final ImagePromptFormat PROMPT_FORMAT =
      new FixedPromptFormat(
          ImagePlaceholder.of("<IMG_CONTEXT>"),
          ImagePlaceholder.of("<video>").between("Frame1: ", ""),
          ChatTemplateName.CHATML);

  private InternVl() {}

  static VisionArchitecture of(GgufMetadata metadata, Weights weights) {
    Config config = Config.of(metadata);
    return new VisionArchitecture(
        "internvl", PROMPT_FORMAT, Preprocessor.of(metadata, config), Graph.of(config, weights));
  }

  /**
   * @param tower of the vision transformer
   * @param shuffle the pixel shuffle
   * @param minTiles min tiles of an image, without the thumbnail
   * @param maxTiles max tiles of an image, without the thumbnail; 12 in the published models
   */
  private record Config(TowerConfig tower, PixelShuffle shuffle, int minTiles, int maxTiles) {
    static Config of(GgufMetadata metadata) {
      ConfigReader c = ConfigReader.ofVision(metadata);
      TowerConfig tower = InternVit.config(metadata);
      int factor = c.integer("projector.scale_factor", 1, tower.grid(), 2);
      if (tower.grid() % factor != 0) {
        throw c.invalid(
            "projector.scale_factor", "a divisor of " + tower.grid(), Integer.toString(factor));
      }
      int maxTiles = c.integer("preproc_max_tiles", 1, limit(tower.imageSize()), 12);
      return new Config(
          tower,
          new PixelShuffle(factor),
          c.integer("preproc_min_tiles", 1, maxTiles, 1),
          maxTiles);
    }

    /** A file that asks for more pixels than anybody has memory for is damaged. */
    private static int limit(int imageSize) {
      return (int) Math.min(256, MAX_PIXELS / ((long) imageSize * imageSize));
    }

    /** Embeddings of a tile. */
    int nRows() {
      int side = tower.grid() / shuffle.factor();
      return side * side;
    }
  }

  /**
   * @param frames of videos
   * @param choice of those frames
   */
  private record Preprocessor(
      Config config,
      Normalize normalize,
      ResizeFilter filter,
      FramePixels frames,
      FrameChoice choice)
      implements ImagePreprocessor {
    static Preprocessor of(GgufMetadata metadata, Config config) {
      ConfigReader c = ConfigReader.ofVision(metadata);
      Normalize normalize = c.normalize(Normalize.IMAGENET);
      ResizeFilter filter = c.filter(ResizeFilter.BICUBIC);
      double shift = FramePixels.reader(metadata).shift("initial_shift");
      return new Preprocessor(
          config,
          normalize,
          filter,
          FramePixels.of(metadata, filter, normalize),
          FrameChoice.onRequest(metadata, (v, n) -> FrameSampling.inSteps(v, n, shift)));
    }

    @Override
    public boolean takesVideos() {
      return true;
    }

    @Override
    public ImageInput prepare(RgbImage image, ImageOptions options) {
      int side = config.tower.imageSize();
      ImageSize grid = tileGrid(image.size(), side, config.minTiles, config.maxTiles);
      int n = grid.width() * grid.height();
      RgbImage canvas =
          Preprocess.stretch(image, grid.width() * side, grid.height() * side, filter);
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
              ImagePiece.Embeddings.of(tiles.size() * config.nRows()),
              new ImagePiece.Text("</img>")));
    }

    /**
     * All frames, or those that are asked for, each one tile behind its number ({@code
     * InternVLProcessor}).
     */
    @Override
    public ImageInput prepare(Video whole, ImageOptions options) {
      Video video = choice.of(whole);
      int side = config.tower.imageSize();
      FramePixels.requireRoom(video, 3L * side * side);
      List<RgbImage> tiles =
          video.frames().stream()
              .map(frame -> frames.resized(frame, new ImageSize(side, side)))
              .toList();
      List<ImagePiece> layout = new ArrayList<>();
      for (int i = 1; i <= tiles.size(); i++) {
        layout.add(new ImagePiece.Text(i == 1 ? "<img>" : "</img>\nFrame" + i + ": <img>"));
        layout.add(ImagePiece.Embeddings.of(config.nRows()));
      }
      layout.add(new ImagePiece.Text("</img>"));
      return new ImageInput(
          List.of(Tiles.ofImages(tiles, frames.normalize(), config.tower.patchSize())),
          List.of(tiles.size(), 3, side, side),
          1,
          1,
          layout);
    }
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

  private record Graph(Config config, InternVit tower, LayerNorm norm, Mlp projector, int width)
      implements VisionGraph {
    static Graph of(Config config, Weights weights) {
      Weights mlp = weights.at("mm").at("model").at("mlp");
      int factor = config.shuffle.factor();
      long nIn = (long) config.tower.nEmbd() * factor * factor;
      int width = mlp.at(1).outputs("weight");
      return new Graph(
          config,
          new InternVit(config.tower, weights.at("v")),
          LayerNorm.of(mlp.at(0), nIn, PROJECTOR_EPS),
          new Mlp(
              Linear.of(mlp.at(1), nIn, width),
              Activation.GELU,
              Linear.of(mlp.at(3), width, width)),
          width);
    }

    @Override
    public Tensor forward(EncoderGraph graph) {
      Tensor x = tower.forward(graph.pixels()); // [nEmbd, 1 + nPatches, n]
      x = x.slice(new long[] {0, 1}, x.size(0), x.size(1) - 1, x.size(2));
      x = config.shuffle.forward(x, config.tower.grid(), config.tower.grid());
      return projector.forward(norm.forward(x)).named("projector.out");
    }
  }
}
