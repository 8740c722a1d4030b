package dev.ocellus.vlm.model;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.Normalize;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.model.tiling.AnyRes;
import dev.ocellus.vlm.model.tower.ClipTower;
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
 * LLaVA-NeXT, also called LLaVA 1.6 (arXiv:2310.03744 and <a
 * href="https://llava-vl.github.io/blog/2024-01-30-llava-next/">its page</a>): LLaVA's tower and
 * projector on tiles of a canvas of nearly the image's aspect ratio. The rows of the whole image
 * come first, then those of the canvas line by line without its padding, with a learned row after
 * every line. Weights under {@code v.}, {@code mm.} and {@code model.image_newline}.
 *
 * <p>The reference is {@code LlavaNextForConditionalGeneration} of transformers with its {@code
 * LlavaNextImageProcessorPil}: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/llava_next/modeling_llava_next.py">modeling_llava_next.py</a>,
 * <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/llava_next/image_processing_pil_llava_next.py">image_processing_pil_llava_next.py</a>.
 */
final class LlavaNext implements VisionArchitecture {
  private final ClipTower.Config config;
  private final AnyRes anyRes;
  private final Normalize normalize;
  private final ClipTower tower;
  private final Mlp projector;
  private final Tensor newline;
  private final int width;

  LlavaNext(GgufMetadata metadata, Weights weights) {
    AnyRes.requireSetting(metadata, AnyRes.ASPECT_RATIO, "anyres");
    config = ClipTower.Config.of(metadata);
    var c = new ConfigReader(metadata, "clip.vision.");
    anyRes = AnyRes.of(metadata, config.imageSize(), config.patchSize());
    normalize =
        Normalize.of(
            c.perChannel("image_mean", 0, 1, Llava.CLIP_MEAN),
            c.perChannel("image_std", 1e-3, 1e3, Llava.CLIP_STD));
    tower = new ClipTower(metadata, config, weights.at("v"));
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
    List<RgbImage> tiles = anyRes.tiles(image);
    ImageSize canvas = anyRes.canvas(image.size());
    AnyRes.Window window = anyRes.window(image.size());
    int nRows = config.nPatches() + window.nRows();
    return new ImageInput(
        List.of(Tiles.ofImages(tiles, normalize, config.patchSize())),
        List.of(1, tiles.size(), 3, side, side),
        canvas.width() / side,
        canvas.height() / side,
        List.of(ImagePiece.Rows.of(nRows)),
        1,
        image.size());
  }

  /** The row that goes behind lines comes after the rows of each tile. */
  @Override
  public Tensor forward(EncoderGraph graph) {
    Tensor x = tower.forward(graph.pixels()); // [nOut, nClass + nPatches, n]
    int n = config.nPatches();
    x = x.slice(new long[] {0, tower.nClass()}, x.size(0), n, x.size(2)).contiguous();
    x = projector.forward(x).named("projector.raw"); // [width, nPatches, n]
    return x.concat(newline.inGraphOf(x).repeat(width, 1, x.size(2)), 1);
  }

  @Override
  public float[] arrange(ImageInput image, float[] rows) {
    int perTile = config.nPatches() + 1; // with the newline
    AnyRes.Window window =
        anyRes.window(Objects.requireNonNull(image.originalSize(), "originalSize"));
    float[] arranged = new float[image.nTokens() * width];
    System.arraycopy(rows, 0, arranged, 0, config.nPatches() * width);
    int to = config.nPatches();
    for (int y = window.y(); y < window.y() + window.lines(); y++) {
      for (int x = window.x(); x < window.x() + window.columns(); x++) {
        copyRow(rows, anyRes.row(x, y, image.gridX(), perTile), arranged, to++);
      }
      copyRow(rows, config.nPatches(), arranged, to++);
    }
    return arranged;
  }

  private void copyRow(float[] from, int fromRow, float[] to, int toRow) {
    System.arraycopy(from, fromRow * width, to, toRow * width, width);
  }
}
