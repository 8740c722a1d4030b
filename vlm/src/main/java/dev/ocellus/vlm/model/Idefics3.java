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
import dev.ocellus.vlm.model.tiling.FrameSampling;
import dev.ocellus.vlm.model.tiling.NumberWords;
import dev.ocellus.vlm.model.tower.SiglipTower;
import dev.ocellus.vlm.nn.Linear;
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
 * Idefics3 (arXiv:2408.12637) and SmolVLM (arXiv:2504.05299): an image is cut into tiles, followed
 * by the whole of it as one tile; each goes through a SigLIP tower, squares of its patches are put
 * side by side (pixel shuffle), and one linear map projects them. Weights under {@code v.} and
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
final class Idefics3 implements VisionArchitecture {
  /** Longest side after the first resize, whatever the configuration says; the reference's own. */
  private static final int MAX_SIDE = 4096;

  /** Tiles along a side that published models are trained on are 6. */
  private static final int MAX_GRID = 32;

  /** Of videos: frames of a second, and of all of it, in the published models of SmolVLM2. */
  private static final double FPS = 1;

  private static final int MAX_FRAMES = 64;

  private static final double[] HALF = {0.5, 0.5, 0.5};

  private static final String TEMPLATE =
      "{{ bos_token }}{% for message in messages %}{{ message['role'] | capitalize }}"
          + "{{ ':' if message['content'][0]['type'] == 'image' else ': ' }}"
          + "{% for part in message['content'] %}{{ '<image>' if part['type'] == 'image' else '<video>' if part['type'] == 'video' else part['text'] }}{% endfor %}"
          + "{{ '<end_of_utterance>\\n' }}{% endfor %}"
          + "{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}";

  private final SiglipTower.Config config;
  private final int longestSide;
  private final int scale;
  private final boolean splits;
  private final ResizeFilter filter;
  private final Normalize normalize;
  private final SiglipTower tower;
  private final Linear projection;
  private final int width;

  Idefics3(GgufMetadata metadata, Weights weights) {
    config = SiglipTower.Config.of(metadata);
    var c = new ConfigReader(metadata, "clip.vision.");
    int side = config.imageSize();
    // without the key: four tiles along the longer side, as published preprocessors have it
    longestSide = c.integer("preproc_image_size", 1, side * MAX_GRID, 4 * side);
    if (Math.min(longestSide, MAX_SIDE) > side * MAX_GRID) {
      throw c.invalid("image_size", "at least 128 for these tiles", Integer.toString(side));
    }
    scale = c.integer("projector.scale_factor", 1, config.grid(), 2);
    if (config.grid() % scale != 0) {
      throw c.invalid(
          "projector.scale_factor",
          "a divisor of the tile's %d patches".formatted(config.grid()),
          Integer.toString(scale));
    }
    splits = metadata.bool("clip.vision.do_image_splitting", true);
    filter = c.filter(ResizeFilter.LANCZOS);
    normalize =
        Normalize.of(
            c.perChannel("image_mean", 0, 1, HALF), c.perChannel("image_std", 1e-3, 1e3, HALF));
    tower = new SiglipTower(config, weights.at("v"));
    Weights fc = weights.at("mm").at("model").at("fc");
    long[] shape = fc.shape("weight");
    width = (int) (shape.length > 1 ? shape[1] : 1);
    projection = Linear.of(fc, (long) config.nEmbd() * scale * scale, width);
  }

  @Override
  public String name() {
    return "idefics3";
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
    ImageSize first = firstSize(image.size(), longestSide);
    ImageSize whole = splits ? wholeTiles(first, side) : new ImageSize(side, side);
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
    int perTile = 3 * side * side;
    float[] pixels = new float[Math.multiplyExact(perTile, tiles.size())];
    for (int i = 0; i < tiles.size(); i++) {
      normalize.apply(tiles.get(i), pixels, i * perTile);
    }
    return new ImageInput(
        List.of(Tiles.ofRgb(pixels, side, side, tiles.size(), config.patchSize())),
        List.of(1, tiles.size(), 3, side, side),
        nx,
        ny,
        layout(nx, ny));
  }

  private RgbImage stretch(RgbImage image, ImageSize size) {
    return Preprocess.stretch(image, size.width(), size.height(), filter);
  }

  /** What an image is resized to first: the longer side becomes {@code longestSide}. */
  static ImageSize firstSize(ImageSize size, int longestSide) {
    return atMost(longSide(size, longestSide), MAX_SIDE);
  }

  /** The longer side becomes {@code length}, the other one even. */
  private static ImageSize longSide(ImageSize size, int length) {
    double ratio = (double) size.width() / size.height();
    boolean lying = size.width() >= size.height();
    int shorter = (int) (lying ? length / ratio : length * ratio);
    shorter = Math.max(1, shorter + shorter % 2);
    return lying ? new ImageSize(length, shorter) : new ImageSize(shorter, length);
  }

  private static ImageSize atMost(ImageSize size, int length) {
    if (Math.max(size.width(), size.height()) <= length) {
      return size;
    }
    double ratio = (double) size.width() / size.height();
    return size.width() >= size.height()
        ? new ImageSize(length, Math.max(1, (int) (length / ratio)))
        : new ImageSize(Math.max(1, (int) (length * ratio)), length);
  }

  /** Both sides rounded up to whole tiles, the shorter one after it has followed the longer one. */
  static ImageSize wholeTiles(ImageSize size, int side) {
    double ratio = (double) size.width() / size.height();
    if (size.width() >= size.height()) {
      int width = roundUp(size.width(), side);
      return new ImageSize(width, roundUp((int) (width / ratio), side));
    }
    int height = roundUp(size.height(), side);
    return new ImageSize(roundUp((int) (height * ratio), side), height);
  }

  private static int roundUp(int length, int side) {
    return Math.max(1, Math.ceilDiv(length, side)) * side;
  }

  private ImagePiece rowsOfTile() {
    int perSide = config.grid() / scale;
    return ImagePiece.Rows.of(perSide * perSide);
  }

  /** The tiles row by row, each behind its place; then the whole image. */
  private List<ImagePiece> layout(int nx, int ny) {
    ImagePiece rows = rowsOfTile();
    List<ImagePiece> pieces = new ArrayList<>();
    String lineEnd = "";
    if (nx * ny > 1) {
      for (int y = 1; y <= ny; y++) {
        for (int x = 1; x <= nx; x++) {
          String place = "<fake_token_around_image><row_%d_col_%d>".formatted(y, x);
          pieces.add(new ImagePiece.Text(lineEnd + place));
          pieces.add(rows);
          lineEnd = "";
        }
        lineEnd = "\n";
      }
      lineEnd = "\n\n";
    }
    pieces.add(new ImagePiece.Text(lineEnd + "<fake_token_around_image><global-img>"));
    pieces.add(rows);
    pieces.add(new ImagePiece.Text("<fake_token_around_image>"));
    return pieces;
  }

  @Override
  public String writtenImage() {
    return imageMarker();
  }

  @Override
  public String videoMarker() {
    return "<video>";
  }

  @Override
  public ImagePlaceholder place(Video video) {
    Video sampled = FrameSampling.withinMargins(video, FPS, MAX_FRAMES);
    long seconds = (long) video.duration();
    String intro =
        "You are provided the following series of %s frames from a %d:%02d:%02d [H:MM:SS] video.\n"
            .formatted(
                NumberWords.of(sampled.nFrames()), seconds / 3600, seconds / 60 % 60, seconds % 60);
    return new ImagePlaceholder(videoMarker(), intro + heading(sampled, 0), "\n\n", videoMarker());
  }

  private static String heading(Video video, int frame) {
    long seconds = (long) video.seconds(frame);
    return "\nFrame from %02d:%02d:".formatted(seconds / 60, seconds % 60);
  }

  /**
   * A frame of a second, each one tile behind its time ({@code SmolVLMVideoProcessor}). It is
   * resized twice, first as an image is.
   */
  @Override
  public ImageInput prepare(Video video, ImageOptions options) {
    int side = config.imageSize();
    Video sampled = FrameSampling.withinMargins(video, FPS, MAX_FRAMES);
    ImageSize first = longSide(video.size(), Math.min(longestSide, MAX_SIDE));
    List<RgbImage> tiles =
        sampled.frames().stream()
            .map(frame -> stretch(stretch(frame, first), new ImageSize(side, side)))
            .toList();
    String around = "<fake_token_around_image>";
    List<ImagePiece> layout = new ArrayList<>();
    for (int i = 0; i < tiles.size(); i++) {
      String before = i == 0 ? "" : around + heading(sampled, i);
      layout.add(new ImagePiece.Text(before + around + "<global-img>"));
      layout.add(rowsOfTile());
    }
    layout.add(new ImagePiece.Text(around));
    return new ImageInput(
        List.of(Tiles.ofImages(tiles, normalize, config.patchSize())),
        List.of(1, tiles.size(), 3, side, side),
        1,
        1,
        layout);
  }

  @Override
  public Tensor forward(EncoderGraph graph) {
    Tensor x = tower.forward(graph.pixels()); // [nEmbd, grid * grid, n]
    long n = x.size(2);
    long perSide = config.grid() / scale;
    x =
        x.reshape((long) config.nEmbd() * scale, perSide, scale, perSide * n)
            .permute(0, 2, 1, 3)
            .contiguous() // [x in square and nEmbd, y in square, square x, square y and tile]
            .reshape((long) config.nEmbd() * scale * scale, perSide * perSide, n);
    return projection.forward(x).named("projector.out");
  }
}
