package dev.ocellus.vlm.model;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.Normalize;
import dev.ocellus.vlm.image.Preprocess;
import dev.ocellus.vlm.image.ResizeFilter;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.model.tower.PixtralTower;
import dev.ocellus.vlm.model.tower.TowerConfig;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.Linear;
import dev.ocellus.vlm.nn.Mlp;
import dev.ocellus.vlm.nn.RmsNorm;
import dev.ocellus.vlm.vision.ChatTemplateName;
import dev.ocellus.vlm.vision.ConfigReader;
import dev.ocellus.vlm.vision.EncoderGraph;
import dev.ocellus.vlm.vision.FixedPromptFormat;
import dev.ocellus.vlm.vision.ImageInput;
import dev.ocellus.vlm.vision.ImageOptions;
import dev.ocellus.vlm.vision.ImagePiece;
import dev.ocellus.vlm.vision.ImagePlaceholder;
import dev.ocellus.vlm.vision.ImagePreprocessor;
import dev.ocellus.vlm.vision.OcrForm;
import dev.ocellus.vlm.vision.OcrPrompt;
import dev.ocellus.vlm.vision.Tiles;
import dev.ocellus.vlm.vision.VisionArchitecture;
import dev.ocellus.vlm.vision.VisionGraph;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Pixtral (arXiv:2410.07073) and Mistral Small 3: an image keeps its aspect ratio, its lines stand
 * in the prompt with a token behind each, and two linear layers project. Mistral 3 first merges
 * squares of patches. Weights under {@code v.} and {@code mm.}.
 *
 * <p>The reference is {@code LlavaForConditionalGeneration} of transformers with a Pixtral tower,
 * and {@code Mistral3ForConditionalGeneration}: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/pixtral/image_processing_pil_pixtral.py">image_processing_pil_pixtral.py</a>,
 * <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/mistral3/modeling_mistral3.py">modeling_mistral3.py</a>.
 * The reference pads the images of a prompt to one size and cuts the padding off again; here there
 * is none. {@code v.token_embd.img_break}, which files carry for others, is not needed: the text
 * model has that embedding.
 */
final class Pixtral {
  /** Of the published text models, whose epsilon the reference takes for the merger's norm. */
  private static final float MERGER_EPS = 1e-5f;

  private static final float QWEN3_EPS = 1e-6f;

  private Pixtral() {}

  static VisionArchitecture of(GgufMetadata metadata, Weights weights) {
    return of(
        metadata,
        weights,
        "pixtral",
        new FixedPromptFormat(
            ImagePlaceholder.of("[IMG]").written("[IMG]"), ChatTemplateName.MISTRAL),
        new Lines("[IMG_BREAK]", "[IMG_END]", MERGER_EPS));
  }

  /**
   * LightOnOCR: the same encoder in front of Qwen3, with nothing between the lines of an image. The
   * reference is {@code LightOnOcrForConditionalGeneration}: <a
   * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/lighton_ocr/modeling_lighton_ocr.py">modeling_lighton_ocr.py</a>.
   */
  static VisionArchitecture lightOnOcr(GgufMetadata metadata, Weights weights) {
    return of(
        metadata,
        weights,
        "lighton-ocr",
        new FixedPromptFormat(
                ImagePlaceholder.of("<|image_pad|>").written("<|image_pad|>"),
                ChatTemplateName.CHATML)
            .withOcr(OcrPrompt.of(OcrForm.MARKDOWN, "")), // its page asks with the image alone
        new Lines("", "", QWEN3_EPS));
  }

  private static VisionArchitecture of(
      GgufMetadata metadata, Weights weights, String name, FixedPromptFormat format, Lines lines) {
    var config = PixtralTower.Config.of(metadata);
    int mergeSize = ConfigReader.ofVision(metadata).integer("spatial_merge_size", 1, 16, 1);
    return new VisionArchitecture(
        name,
        format,
        Preprocessor.of(metadata, config.tower(), mergeSize, lines),
        Graph.of(metadata, config, mergeSize, lines.mergerEps, weights));
  }

  /**
   * What differs between the families.
   *
   * @param between what stands between lines of embeddings; empty for nothing
   * @param end what stands behind the last one
   * @param mergerEps of the merger's norm where the file does not say: the text model's
   */
  private record Lines(String between, String end, float mergerEps) {}

  private record Preprocessor(
      TowerConfig tower,
      int mergeSize,
      int longestSide,
      int unit,
      Normalize normalize,
      ResizeFilter filter,
      Lines lines)
      implements ImagePreprocessor {
    static Preprocessor of(GgufMetadata metadata, TowerConfig tower, int mergeSize, Lines lines) {
      ConfigReader c = ConfigReader.ofVision(metadata);
      return new Preprocessor(
          tower,
          mergeSize,
          c.integer("preproc_image_size", 1, 1 << 12, tower.imageSize()),
          unit(c, tower.patchSize(), tower.patchSize() * mergeSize),
          c.normalize(Normalize.CLIP),
          c.filter(ResizeFilter.BICUBIC),
          lines);
    }

    /** Pixels that sides are rounded up to, usually those of what becomes one embedding. */
    private static int unit(ConfigReader c, int patchSize, int usual) {
      String key = "preproc_patch_size";
      int unit = c.integer(key, 1, 1 << 12, usual);
      if (unit % patchSize != 0) {
        throw c.invalid(key, "a multiple of " + patchSize, Integer.toString(unit));
      }
      return unit;
    }

    @Override
    public ImageInput prepare(RgbImage image, ImageOptions options) {
      ImageSize size = resized(image.size(), longestSide, unit);
      if (Math.min(size.width(), size.height()) < tower.patchSize() * mergeSize) {
        throw new ImageFormatException(
            ImageFormatException.Kind.UNSUPPORTED,
            "An image of %s pixels becomes one of %s, of which nothing is left for embeddings of %d pixels a side. Crop it or cut it into parts."
                .formatted(image.size(), size, tower.patchSize() * mergeSize));
      }
      RgbImage whole = Preprocess.stretch(image, size.width(), size.height(), filter);
      Tiles tile =
          Tiles.alone(normalize.apply(whole), size.width(), size.height(), tower.patchSize());
      return new ImageInput(
          List.of(tile), List.of(1, 3, size.height(), size.width()), 1, 1, layout(tile));
    }

    private List<ImagePiece> layout(Tiles tile) {
      int nx = tile.gridX() / mergeSize;
      int ny = tile.gridY() / mergeSize;
      if (lines.end.isEmpty()) {
        return List.of(ImagePiece.Embeddings.of(nx * ny));
      }
      List<ImagePiece> pieces = new ArrayList<>();
      for (int y = 1; y <= ny; y++) {
        pieces.add(ImagePiece.Embeddings.of(nx));
        pieces.add(new ImagePiece.Text(y < ny ? lines.between : lines.end));
      }
      return pieces;
    }
  }

  /**
   * No side longer than allowed, then both rounded up to what becomes one embedding.
   *
   * @param unit pixels of an embedding's side
   */
  static ImageSize resized(ImageSize size, int longestSide, int unit) {
    int width = size.width();
    int height = size.height();
    double ratio = Math.max((double) height / longestSide, (double) width / longestSide);
    if (ratio > 1) {
      width = (int) Math.floor(width / ratio);
      height = (int) Math.floor(height / ratio);
    }
    if (width == 0 || height == 0) {
      throw new ImageFormatException(
          ImageFormatException.Kind.UNSUPPORTED,
          "An image of %s pixels is too thin: with a longer side of at most %d, which this model takes, nothing is left of the shorter one. Crop it or cut it into parts."
              .formatted(size, longestSide));
    }
    return new ImageSize(Math.ceilDiv(width, unit) * unit, Math.ceilDiv(height, unit) * unit);
  }

  /** Squares of patches become one embedding each. */
  private record Merger(RmsNorm norm, Linear linear, int nEmbd, int size) {
    static Merger of(Weights mm, int nEmbd, int size, float eps) {
      return new Merger(
          RmsNorm.of(mm.at("input_norm"), nEmbd, eps),
          Linear.of(mm.at("patch_merger"), (long) nEmbd * size * size, nEmbd),
          nEmbd,
          size);
    }

    /** In a square the channel is the slowest, the column the fastest. */
    Tensor forward(Tensor x, long gridX, long gridY) {
      long nx = gridX / size;
      long ny = gridY / size;
      long square = (long) size * size;
      Tensor whole = norm.forward(x);
      if (nx * size != gridX || ny * size != gridY) { // what fills no square is left out
        whole =
            whole
                .reshape(nEmbd, gridX, gridY)
                .slice(new long[] {}, nEmbd, nx * size, ny * size)
                .contiguous()
                .reshape(nEmbd, nx * size * ny * size);
      }
      x =
          whole
              .transpose()
              .contiguous() // [patch, channel]
              .reshape(size, nx, size, ny * nEmbd)
              .permute(0, 2, 1, 3)
              .contiguous() // [x in square, y in square, square x, square y and channel]
              .reshape(square, nx * ny, nEmbd)
              .permute(0, 2, 1, 3)
              .contiguous()
              .reshape(square * nEmbd, nx * ny);
      return linear.forward(x);
    }
  }

  private record Graph(PixtralTower tower, @Nullable Merger merger, Mlp projector, int width)
      implements VisionGraph {
    static Graph of(
        GgufMetadata metadata,
        PixtralTower.Config config,
        int mergeSize,
        float mergerEps,
        Weights weights) {
      Weights mm = weights.at("mm");
      int nEmbd = config.tower().nEmbd();
      boolean merges = mergeSize > 1 || mm.has("patch_merger.weight");
      float eps =
          ConfigReader.ofVision(metadata).positive("projector.layer_norm_epsilon", mergerEps);
      return new Graph(
          new PixtralTower(config, weights.at("v")),
          merges ? Merger.of(mm, nEmbd, mergeSize, eps) : null,
          Mlp.projector(mm.at(1), mm.at(2), nEmbd, Activation.GELU),
          mm.at(2).outputs("weight"));
    }

    @Override
    public Tensor forward(EncoderGraph graph) {
      Tensor x = tower.forward(graph);
      if (merger != null) {
        x = merger.forward(x, graph.gridX(), graph.gridY());
      }
      return projector.forward(x).named("projector.out");
    }
  }
}
