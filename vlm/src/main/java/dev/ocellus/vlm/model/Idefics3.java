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
import dev.ocellus.vlm.model.tiling.FramePixels;
import dev.ocellus.vlm.model.tiling.FrameSampling;
import dev.ocellus.vlm.model.tiling.NumberWords;
import dev.ocellus.vlm.model.tiling.WholeTiles;
import dev.ocellus.vlm.model.tower.SiglipTower;
import dev.ocellus.vlm.model.tower.TowerConfig;
import dev.ocellus.vlm.nn.Linear;
import dev.ocellus.vlm.nn.PixelShuffle;
import dev.ocellus.vlm.vision.ChatTemplateName;
import dev.ocellus.vlm.vision.ConfigReader;
import dev.ocellus.vlm.vision.EncoderGraph;
import dev.ocellus.vlm.vision.ImageInput;
import dev.ocellus.vlm.vision.ImageOptions;
import dev.ocellus.vlm.vision.ImagePiece;
import dev.ocellus.vlm.vision.ImagePlaceholder;
import dev.ocellus.vlm.vision.ImagePreprocessor;
import dev.ocellus.vlm.vision.ImagePromptFormat;
import dev.ocellus.vlm.vision.OcrForm;
import dev.ocellus.vlm.vision.OcrNotation;
import dev.ocellus.vlm.vision.OcrPrompt;
import dev.ocellus.vlm.vision.Tiles;
import dev.ocellus.vlm.vision.VisionArchitecture;
import dev.ocellus.vlm.vision.VisionGraph;
import java.util.ArrayList;
import java.util.List;

/**
 * Idefics3 (arXiv:2408.12637) and SmolVLM (arXiv:2504.05299): an image is cut into tiles, followed
 * by the whole of it as one tile; each goes through a SigLIP tower, squares of its patches are put
 * side by side (pixel shuffle), and one linear layer projects them. Weights under {@code v.} and
 * {@code mm.model.fc}.
 *
 * <p>The reference is {@code Idefics3ForConditionalGeneration} of transformers with its processor:
 * <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/idefics3/image_processing_pil_idefics3.py">image_processing_pil_idefics3.py</a>,
 * <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/idefics3/processing_idefics3.py">processing_idefics3.py</a>.
 * SmolVLM computes the same; the two differ in sizes, which their files tell, and in the beginning
 * of a conversation, which the text model's vocabulary tells. With {@code do_image_splitting}
 * false, a key of the processor's, there is only the whole.
 *
 * <p>The reference finds a patch's position by rounding its place in the tile, as a fraction, down
 * to one of the table. All tiles are whole (its padding is of other images of a batch), so that is
 * the place itself, but for rounding errors of F32 fractions: computed with torch 2.13 there are
 * none for grids of up to 18 patches and for those of published models (26, 27, 32), and a few
 * places are one too low for some others, such as 19, 25 or 29. Here they never are.
 */
final class Idefics3 {
  /** Tiles along a side that published models are trained on are 6. */
  private static final int MAX_GRID = 32;

  /** Of videos: frames of a second, and of all of it, in the published models of SmolVLM2. */
  private static final double FPS = 1;

  private static final int MAX_FRAMES = 64;

  private Idefics3() {}

  static VisionArchitecture of(GgufMetadata metadata, Weights weights) {
    Config config = Config.of(metadata);
    Preprocessor preprocessor = Preprocessor.of(metadata, config);
    return new VisionArchitecture(
        "idefics3", new PromptFormat(preprocessor.videos), preprocessor, Graph.of(config, weights));
  }

  /**
   * @param tower sizes
   * @param shuffle the pixel shuffle
   */
  private record Config(TowerConfig tower, PixelShuffle shuffle) {
    static Config of(GgufMetadata metadata) {
      TowerConfig tower = SiglipTower.config(metadata);
      ConfigReader c = ConfigReader.ofVision(metadata);
      int factor = c.integer("projector.scale_factor", 1, tower.grid(), 2);
      if (tower.grid() % factor != 0) {
        throw c.invalid(
            "projector.scale_factor",
            "a divisor of the tile's %d patches".formatted(tower.grid()),
            Integer.toString(factor));
      }
      return new Config(tower, new PixelShuffle(factor));
    }

    ImagePiece embeddingsOfTile() {
      int perSide = tower.grid() / shuffle.factor();
      return ImagePiece.Embeddings.of(perSide * perSide);
    }
  }

  private static String heading(Video video, int frame) {
    long seconds = (long) video.seconds(frame);
    return "\nFrame from %02d:%02d:".formatted(seconds / 60, seconds % 60);
  }

  /**
   * @param longestSide of a frame after the first resize
   */
  private record Videos(FramePixels pixels, double fps, int maxFrames, int longestSide) {
    static Videos of(
        GgufMetadata metadata, ResizeFilter filter, Normalize ofImages, int longestSide) {
      ConfigReader video = FramePixels.reader(metadata);
      return new Videos(
          FramePixels.of(metadata, filter, ofImages),
          video.rate("fps", FPS),
          video.integer("max_frames", 1, 1 << 20, MAX_FRAMES),
          video.integer("preproc_image_size", 1, 1 << 16, longestSide));
    }

    Video sampled(Video video) {
      return FrameSampling.withinMargins(video, fps, maxFrames);
    }

    /** A frame as one tile: it is resized twice, first as an image is. */
    RgbImage tile(RgbImage frame, int side) {
      ImageSize first =
          WholeTiles.longSide(frame.size(), Math.min(longestSide, WholeTiles.MAX_SIDE));
      return pixels.resized(pixels.resized(frame, first), new ImageSize(side, side));
    }
  }

  private record PromptFormat(Videos videos) implements ImagePromptFormat {
    private static final ImagePlaceholder IMAGE = ImagePlaceholder.of("<image>").written("<image>");

    private static final String VIDEO_MARKER = "<video>";

    @Override
    public String imageMarker() {
      return IMAGE.marker();
    }

    @Override
    public String videoMarker() {
      return VIDEO_MARKER;
    }

    /** Of granite-docling and SmolDocling, whose tower this is, too. */
    @Override
    public List<OcrPrompt> ocrPrompts() {
      return List.of(
          OcrPrompt.of(OcrForm.MARKDOWN, "Convert this page to docling.")
              .withNotation(OcrNotation.DOCTAGS)
              .onlyWith("<otsl>"));
    }

    @Override
    public ChatTemplateName defaultTemplate() {
      return ChatTemplateName.IDEFICS3;
    }

    @Override
    public ImagePlaceholder place(RgbImage image, int nImages, ImageOptions options) {
      return IMAGE;
    }

    @Override
    public ImagePlaceholder place(Video video, int nVideos) {
      Video sampled = videos.sampled(video);
      long seconds = (long) video.duration();
      String intro =
          "You are provided the following series of %s frames from a %d:%02d:%02d [H:MM:SS] video.\n"
              .formatted(
                  NumberWords.of(sampled.nFrames()),
                  seconds / 3600,
                  seconds / 60 % 60,
                  seconds % 60);
      return new ImagePlaceholder(VIDEO_MARKER, intro + heading(sampled, 0), "\n\n", VIDEO_MARKER);
    }
  }

  /**
   * @param longestSide of an image after the first resize
   * @param splits whether large images are cut into tiles
   */
  private record Preprocessor(
      Config config,
      int longestSide,
      boolean splits,
      ResizeFilter filter,
      Normalize normalize,
      Videos videos)
      implements ImagePreprocessor {
    static Preprocessor of(GgufMetadata metadata, Config config) {
      ConfigReader c = ConfigReader.ofVision(metadata);
      int side = config.tower.imageSize();
      // without the key: four tiles along the longer side, as published preprocessors have it
      int longestSide = c.integer("preproc_image_size", 1, side * MAX_GRID, 4 * side);
      if (Math.min(longestSide, WholeTiles.MAX_SIDE) > side * MAX_GRID) {
        throw c.invalid("image_size", "at least 128 for these tiles", Integer.toString(side));
      }
      ResizeFilter filter = c.filter(ResizeFilter.LANCZOS);
      Normalize normalize = c.normalize(Normalize.HALF);
      return new Preprocessor(
          config,
          longestSide,
          metadata.bool("clip.vision.do_image_splitting", true),
          filter,
          normalize,
          Videos.of(metadata, filter, normalize, longestSide));
    }

    @Override
    public boolean takesVideos() {
      return true;
    }

    @Override
    public ImageInput prepare(RgbImage image, ImageOptions options) {
      int side = config.tower.imageSize();
      ImageSize first = WholeTiles.firstSize(image.size(), longestSide);
      ImageSize whole = splits ? WholeTiles.wholeTiles(first, side) : new ImageSize(side, side);
      RgbImage resized = stretch(stretch(image, first), whole);
      int nx = whole.width() / side;
      int ny = whole.height() / side;
      List<RgbImage> tiles = new ArrayList<>();
      if (nx * ny > 1) {
        for (int y = 0; y < ny; y++) {
          for (int x = 0; x < nx; x++) {
            tiles.add(resized.crop(x * side, y * side, side, side));
          }
        }
      }
      tiles.add(stretch(resized, new ImageSize(side, side)));
      return new ImageInput(
          List.of(Tiles.ofImages(tiles, normalize, config.tower.patchSize())),
          List.of(1, tiles.size(), 3, side, side),
          nx,
          ny,
          layout(nx, ny));
    }

    private RgbImage stretch(RgbImage image, ImageSize size) {
      return Preprocess.stretch(image, size.width(), size.height(), filter);
    }

    /** The tiles row by row, each behind its place; then the whole image. */
    private List<ImagePiece> layout(int nx, int ny) {
      ImagePiece tile = config.embeddingsOfTile();
      List<ImagePiece> pieces = new ArrayList<>();
      String lineEnd = "";
      if (nx * ny > 1) {
        for (int y = 1; y <= ny; y++) {
          for (int x = 1; x <= nx; x++) {
            String place = "<fake_token_around_image><row_%d_col_%d>".formatted(y, x);
            pieces.add(new ImagePiece.Text(lineEnd + place));
            pieces.add(tile);
            lineEnd = "";
          }
          lineEnd = "\n";
        }
        lineEnd = "\n\n";
      }
      pieces.add(new ImagePiece.Text(lineEnd + "<fake_token_around_image><global-img>"));
      pieces.add(tile);
      pieces.add(new ImagePiece.Text("<fake_token_around_image>"));
      return pieces;
    }

    /** A frame of a second, each one tile behind its time ({@code SmolVLMVideoProcessor}). */
    @Override
    public ImageInput prepare(Video video, ImageOptions options) {
      int side = config.tower.imageSize();
      Video sampled = videos.sampled(video);
      FramePixels.requireRoom(sampled, 3L * side * side);
      List<RgbImage> tiles =
          sampled.frames().stream().map(frame -> videos.tile(frame, side)).toList();
      String around = "<fake_token_around_image>";
      List<ImagePiece> layout = new ArrayList<>();
      for (int i = 0; i < tiles.size(); i++) {
        String before = i == 0 ? "" : around + heading(sampled, i);
        layout.add(new ImagePiece.Text(before + around + "<global-img>"));
        layout.add(config.embeddingsOfTile());
      }
      layout.add(new ImagePiece.Text(around));
      return new ImageInput(
          List.of(Tiles.ofImages(tiles, videos.pixels.normalize(), config.tower.patchSize())),
          List.of(1, tiles.size(), 3, side, side),
          1,
          1,
          layout);
    }
  }

  private record Graph(Config config, SiglipTower.Normed tower, Linear projection, int width)
      implements VisionGraph {
    static Graph of(Config config, Weights weights) {
      Weights fc = weights.at("mm").at("model").at("fc");
      int width = fc.outputs("weight");
      int factor = config.shuffle.factor();
      return new Graph(
          config,
          SiglipTower.Normed.of(config.tower, weights.at("v")),
          Linear.of(fc, (long) config.tower.nEmbd() * factor * factor, width),
          width);
    }

    @Override
    public Tensor forward(EncoderGraph graph) {
      Tensor x = tower.forward(graph.pixels()); // [nEmbd, grid * grid, n]
      int grid = config.tower.grid();
      return projection.forward(config.shuffle.forward(x, grid, grid)).named("projector.out");
    }
  }
}
