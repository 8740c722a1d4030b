package dev.ocellus.vlm.model;

import dev.ocellus.UnsupportedArchitectureException;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.image.ImageFit;
import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.Normalize;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.Video;
import dev.ocellus.vlm.model.tiling.AnyRes;
import dev.ocellus.vlm.model.tiling.FrameChoice;
import dev.ocellus.vlm.model.tiling.FramePixels;
import dev.ocellus.vlm.model.tiling.FrameSampling;
import dev.ocellus.vlm.model.tower.SiglipTower;
import dev.ocellus.vlm.model.tower.TowerConfig;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.Mlp;
import dev.ocellus.vlm.vision.ChatTemplateName;
import dev.ocellus.vlm.vision.ConfigReader;
import dev.ocellus.vlm.vision.EncoderGraph;
import dev.ocellus.vlm.vision.FixedPromptFormat;
import dev.ocellus.vlm.vision.ImageInput;
import dev.ocellus.vlm.vision.ImageOptions;
import dev.ocellus.vlm.vision.ImagePiece;
import dev.ocellus.vlm.vision.ImagePlaceholder;
import dev.ocellus.vlm.vision.ImagePreprocessor;
import dev.ocellus.vlm.vision.Tiles;
import dev.ocellus.vlm.vision.VisionArchitecture;
import dev.ocellus.vlm.vision.VisionGraph;
import java.util.List;

/**
 * LLaVA-OneVision (arXiv:2408.03326): LLaVA-NeXT's tiles through a SigLIP tower. Where the canvas
 * has more patches than so many tiles have, its grid of embeddings is made smaller by linear
 * interpolation. Weights under {@code v.}, {@code mm.} and {@code model.image_newline}.
 *
 * <p>The reference is {@code LlavaOnevisionForConditionalGeneration} of transformers with its
 * {@code LlavaOnevisionImageProcessorPil}: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/llava_onevision/modeling_llava_onevision.py">modeling_llava_onevision.py</a>,
 * <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/llava_onevision/image_processing_pil_llava_onevision.py">image_processing_pil_llava_onevision.py</a>.
 * Each image is cut as if it were alone; the reference does so for images given as one list, and
 * gives each image a single tile where they are given as a list for every conversation. Of each
 * frame of a video a grid of half the side is left.
 */
final class LlavaOneVision {
  /** How the value of {@link AnyRes#ASPECT_RATIO} begins; the number of tiles follows. */
  static final String ASPECT_RATIO = "anyres_max_";

  private LlavaOneVision() {}

  static VisionArchitecture of(GgufMetadata metadata, Weights weights) {
    TowerConfig all = SiglipTower.config(metadata);
    TowerConfig tower = all.withLayers(nLayer(metadata, all.nLayer()));
    Canvas canvas =
        new Canvas(
            tower,
            AnyRes.of(metadata, tower.imageSize(), tower.patchSize()),
            maxTiles(metadata.string(AnyRes.ASPECT_RATIO)));
    Normalize normalize = ConfigReader.ofVision(metadata).normalize(Normalize.HALF);
    return new VisionArchitecture(
        "llava-onevision",
        new FixedPromptFormat(
            Llava.PLACE, ImagePlaceholder.of("<video>"), ChatTemplateName.CHATML_LLAVA_ONEVISION),
        new Preprocessor(
            canvas,
            normalize,
            FramePixels.of(metadata, canvas.anyRes.filter(), normalize),
            FrameChoice.onRequest(metadata, FrameSampling::inParts)),
        Graph.of(canvas, weights));
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

  /** Columns and lines of embeddings that are left of the canvas; either may be 0. */
  private record Grid(int columns, int lines) {}

  /**
   * How an image is cut, and what is left of it.
   *
   * @param maxTiles tiles whose embeddings the canvas may have, before its grid is made smaller
   */
  private record Canvas(TowerConfig tower, AnyRes anyRes, int maxTiles) {
    Grid grid(ImageSize image) {
      AnyRes.Window window = anyRes.window(image);
      double ratio =
          Math.sqrt((double) window.columns() * window.lines() / (maxTiles * tower.nPatches()));
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

    /** Embeddings of a side that are left of a frame of a video. */
    int frameSide() {
      return Math.ceilDiv(tower.grid(), 2);
    }

    /** Python's {@code a // b}, which may be one less than the rounded-down quotient. */
    private static int floorDiv(int a, double b) {
      return (int) Math.rint((a - a % b) / b);
    }
  }

  /**
   * @param choice of the frames of a video
   */
  private record Preprocessor(
      Canvas canvas, Normalize normalize, FramePixels frames, FrameChoice choice)
      implements ImagePreprocessor {
    @Override
    public boolean takesVideos() {
      return true;
    }

    /**
     * All frames, or those that are asked for, each one tile ({@code
     * LlavaOnevisionVideoProcessor}).
     */
    @Override
    public ImageInput prepare(Video whole, ImageOptions options) {
      Video video = choice.of(whole);
      TowerConfig tower = canvas.tower;
      int side = tower.imageSize();
      FramePixels.requireRoom(video, 3L * side * side);
      List<RgbImage> tiles =
          video.frames().stream()
              .map(frame -> frames.resized(frame, new ImageSize(side, side)))
              .toList();
      int perSide = canvas.frameSide();
      return new ImageInput(
          List.of(Tiles.ofImages(tiles, frames.normalize(), tower.patchSize())),
          List.of(1, tiles.size(), 3, side, side),
          1,
          1,
          List.of(ImagePiece.Embeddings.of(tiles.size() * perSide * perSide + 1)));
    }

    @Override
    public ImageFit fit(ImageSize size, ImageInput input, ImageOptions options) {
      return canvas.anyRes.fit(size);
    }

    @Override
    public ImageInput prepare(RgbImage image, ImageOptions options) {
      TowerConfig tower = canvas.tower;
      int side = tower.imageSize();
      Grid grid = canvas.grid(image.size()); // first, as it may be refused
      List<RgbImage> tiles = canvas.anyRes.tiles(image);
      ImageSize size = canvas.anyRes.canvas(image.size());
      return new ImageInput(
          List.of(Tiles.ofImages(tiles, normalize, tower.patchSize())),
          List.of(1, tiles.size(), 3, side, side),
          size.width() / side,
          size.height() / side,
          List.of(ImagePiece.Embeddings.of(tower.nPatches() + grid.lines * (grid.columns + 1))),
          1,
          image.size());
    }
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

  private record Graph(Canvas canvas, SiglipTower tower, Mlp projector, Tensor newline, int width)
      implements VisionGraph {
    static Graph of(Canvas canvas, Weights weights) {
      Weights mm = weights.at("mm");
      int width = mm.at(2).outputs("weight");
      return new Graph(
          canvas,
          new SiglipTower(canvas.tower, weights.at("v")),
          Mlp.projector(mm.at(0), mm.at(2), canvas.tower.nEmbd(), Activation.GELU),
          weights.at("model").f32("image_newline", width),
          width);
    }

    /** The embedding that goes behind lines comes after those of each tile. */
    @Override
    public Tensor forward(EncoderGraph graph) {
      // without the norm that SigLIP has behind it
      Tensor x = tower.forward(graph.pixels()).last().named("vision.last_hidden");
      x = projector.forward(x).named("projector.raw"); // [width, nPatches, n]
      return x.concat(newline.inGraphOf(x).repeat(width, 1, x.size(2)), 1).named("projector.out");
    }

    @Override
    public float[] arrange(ImageInput image, float[] embeddings) {
      float[] arranged = new float[image.nTokens() * width];
      return image.originalSize() == null
          ? arrangedFrames(image, embeddings, arranged)
          : arrangedTiles(image, image.originalSize(), embeddings, arranged);
    }

    private float[] arrangedTiles(
        ImageInput image, ImageSize original, float[] embeddings, float[] arranged) {
      AnyRes.Window window = canvas.anyRes.window(original);
      Grid grid = canvas.grid(original);
      int nPatches = canvas.tower.nPatches();
      int perTile = nPatches + 1; // with the newline
      System.arraycopy(embeddings, 0, arranged, 0, nPatches * width);
      int to = nPatches;
      Axis down = new Axis(window.y(), window.lines(), grid.lines);
      Axis across = new Axis(window.x(), window.columns(), grid.columns);
      for (int line = 0; line < grid.lines; line++) {
        for (int column = 0; column < grid.columns; column++) {
          for (int tap = 0; tap < 4; tap++) {
            int x = across.place(column, tap % 2);
            int y = down.place(line, tap / 2);
            float weight = down.weight(line, tap / 2) * across.weight(column, tap % 2);
            int row = canvas.anyRes.row(x, y, image.gridX(), perTile);
            addRow(embeddings, row, weight, arranged, to);
          }
          to++;
        }
        addRow(embeddings, nPatches, 1, arranged, to++);
      }
      return arranged;
    }

    /** Smaller grids of all frames one after the other, and one newline behind them. */
    private float[] arrangedFrames(ImageInput video, float[] embeddings, float[] arranged) {
      int side = canvas.tower.grid();
      int perTile = canvas.tower.nPatches() + 1;
      int left = canvas.frameSide();
      Axis axis = new Axis(0, side, left);
      int last = video.nTokens() - 1;
      for (int to = 0; to < last; to++) {
        int line = to / left % left;
        for (int tap = 0; tap < 4; tap++) {
          int x = axis.place(to % left, tap % 2);
          int y = axis.place(line, tap / 2);
          float weight = axis.weight(line, tap / 2) * axis.weight(to % left, tap % 2);
          int row = to / (left * left) * perTile + y * side + x;
          addRow(embeddings, row, weight, arranged, to);
        }
      }
      addRow(embeddings, perTile - 1, 1, arranged, last);
      return arranged;
    }

    private void addRow(float[] from, int fromRow, float weight, float[] to, int toRow) {
      if (weight == 0) {
        return;
      }
      for (int i = 0; i < width; i++) {
        to[toRow * width + i] += weight * from[fromRow * width + i];
      }
    }
  }
}
