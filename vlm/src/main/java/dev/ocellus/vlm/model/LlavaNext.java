package dev.ocellus.vlm.model;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.image.ImageFit;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.Normalize;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.model.tiling.AnyRes;
import dev.ocellus.vlm.model.tower.LlavaTower;
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
import dev.ocellus.vlm.vision.ImagePreprocessor;
import dev.ocellus.vlm.vision.Tiles;
import dev.ocellus.vlm.vision.VisionArchitecture;
import dev.ocellus.vlm.vision.VisionGraph;
import java.util.List;
import java.util.Objects;

/**
 * LLaVA-NeXT, also called LLaVA 1.6 (arXiv:2310.03744 and <a
 * href="https://llava-vl.github.io/blog/2024-01-30-llava-next/">its page</a>): LLaVA's tower and
 * projector on tiles of a canvas of nearly the image's aspect ratio. The embeddings of the whole
 * image come first, then those of the canvas line by line without its padding, with a learned one
 * after every line. Weights under {@code v.}, {@code mm.} and {@code model.image_newline}.
 *
 * <p>The reference is {@code LlavaNextForConditionalGeneration} of transformers with its {@code
 * LlavaNextImageProcessorPil}: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/llava_next/modeling_llava_next.py">modeling_llava_next.py</a>,
 * <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/llava_next/image_processing_pil_llava_next.py">image_processing_pil_llava_next.py</a>.
 */
final class LlavaNext {
  private LlavaNext() {}

  static VisionArchitecture of(GgufMetadata metadata, Weights weights) {
    AnyRes.requireSetting(metadata, AnyRes.ASPECT_RATIO, "anyres");
    LlavaTower tower = LlavaTower.of(metadata, weights.at("v"));
    TowerConfig config = tower.config();
    AnyRes anyRes = AnyRes.of(metadata, config.imageSize(), config.patchSize());
    return new VisionArchitecture(
        "llava-next",
        new FixedPromptFormat(Llava.PLACE, ChatTemplateName.VICUNA),
        new Preprocessor(config, anyRes, ConfigReader.ofVision(metadata).normalize(Normalize.CLIP)),
        Graph.of(tower, anyRes, weights));
  }

  /** Tiles of a canvas, and the rows that are left when its padding is cut away. */
  record Preprocessor(TowerConfig tower, AnyRes anyRes, Normalize normalize)
      implements ImagePreprocessor {
    @Override
    public ImageFit fit(ImageSize size, ImageInput input, ImageOptions options) {
      return anyRes.fit(size);
    }

    @Override
    public ImageInput prepare(RgbImage image, ImageOptions options) {
      int side = tower.imageSize();
      List<RgbImage> tiles = anyRes.tiles(image);
      ImageSize canvas = anyRes.canvas(image.size());
      AnyRes.Window window = anyRes.window(image.size());
      return new ImageInput(
          List.of(Tiles.ofImages(tiles, normalize, tower.patchSize())),
          List.of(1, tiles.size(), 3, side, side),
          canvas.width() / side,
          canvas.height() / side,
          List.of(ImagePiece.Embeddings.of(anyRes.grid() * anyRes.grid() + window.nRows())),
          1,
          image.size());
    }
  }

  private record Graph(LlavaTower tower, AnyRes anyRes, Mlp projector, Tensor newline, int width)
      implements VisionGraph {
    static Graph of(LlavaTower tower, AnyRes anyRes, Weights weights) {
      Weights mm = weights.at("mm");
      int width = mm.at(2).outputs("weight");
      return new Graph(
          tower,
          anyRes,
          Mlp.projector(mm.at(0), mm.at(2), tower.nOut(), Activation.GELU),
          weights.at("model").f32("image_newline", width),
          width);
    }

    /** The embedding that goes behind lines comes after those of each tile. */
    @Override
    public Tensor forward(EncoderGraph graph) {
      Tensor x = tower.patches(graph.pixels()); // [nOut, nPatches, n]
      x = projector.forward(x).named("projector.raw"); // [width, nPatches, n]
      return x.concat(newline.inGraphOf(x).repeat(width, 1, x.size(2)), 1).named("projector.out");
    }

    @Override
    public float[] arrange(ImageInput image, float[] embeddings) {
      return arranged(anyRes, image, embeddings, width);
    }
  }

  /**
   * The embeddings of the whole, then those of the canvas line by line without its padding.
   *
   * @param embeddings of each tile's patches, and of the end of a line
   */
  static float[] arranged(AnyRes anyRes, ImageInput image, float[] embeddings, int width) {
    int nPatches = anyRes.grid() * anyRes.grid();
    int perTile = nPatches + 1; // with the newline
    AnyRes.Window window =
        anyRes.window(Objects.requireNonNull(image.originalSize(), "originalSize"));
    float[] arranged = new float[image.nTokens() * width];
    System.arraycopy(embeddings, 0, arranged, 0, nPatches * width);
    int to = nPatches;
    for (int y = window.y(); y < window.y() + window.lines(); y++) {
      for (int x = window.x(); x < window.x() + window.columns(); x++) {
        int from = anyRes.row(x, y, image.gridX(), perTile);
        System.arraycopy(embeddings, from * width, arranged, to++ * width, width);
      }
      System.arraycopy(embeddings, nPatches * width, arranged, to++ * width, width);
    }
    return arranged;
  }
}
