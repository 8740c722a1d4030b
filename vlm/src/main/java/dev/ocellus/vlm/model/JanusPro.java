package dev.ocellus.vlm.model;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.image.ImageFit;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.Normalize;
import dev.ocellus.vlm.image.Preprocess;
import dev.ocellus.vlm.image.ResizeFilter;
import dev.ocellus.vlm.image.Rgb;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.model.tower.SiglipTower;
import dev.ocellus.vlm.model.tower.TowerConfig;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.Linear;
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
import java.util.ArrayList;
import java.util.List;

/**
 * The understanding half of Janus and Janus-Pro (arXiv:2410.13848, arXiv:2501.17811): a SigLIP
 * tower without its pooling, and a projector of linear layers with an activation between them.
 * Weights under {@code v.} and {@code mm.}.
 *
 * <p>The reference is {@code JanusForConditionalGeneration} of transformers with its {@code
 * JanusImageProcessorPil}: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/janus/modeling_janus.py">modeling_janus.py</a>,
 * <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/janus/image_processing_pil_janus.py">image_processing_pil_janus.py</a>.
 */
final class JanusPro {
  /** {@code min_size} of the published processors: no side gets shorter than this. */
  private static final int MIN_SIDE = 14;

  private JanusPro() {}

  static VisionArchitecture of(GgufMetadata metadata, Weights weights) {
    boolean silu = metadata.bool("clip.use_silu", false);
    TowerConfig config = SiglipTower.config(metadata, silu ? Activation.SILU : Activation.GELU);
    return new VisionArchitecture(
        "janus-pro",
        new FixedPromptFormat(ImagePlaceholder.of("<image_placeholder>"), ChatTemplateName.JANUS),
        Preprocessor.of(metadata, config),
        Graph.of(config, weights));
  }

  private record Preprocessor(
      TowerConfig tower, int minSide, Normalize normalize, ResizeFilter filter)
      implements ImagePreprocessor {
    static Preprocessor of(GgufMetadata metadata, TowerConfig tower) {
      ConfigReader c = ConfigReader.ofVision(metadata);
      int side = tower.imageSize();
      return new Preprocessor(
          tower,
          c.integer("preproc_min_size", 1, side, Math.min(MIN_SIDE, side)),
          c.normalize(Normalize.HALF),
          c.filter(ResizeFilter.BICUBIC));
    }

    /** The longer side to the image size, the shorter one filled up in the mean colour. */
    @Override
    public ImageInput prepare(RgbImage image, ImageOptions options) {
      int side = tower.imageSize();
      ImageSize size = fitted(image.size(), side, minSide);
      RgbImage fitted = Preprocess.stretch(image, size.width(), size.height(), filter);
      RgbImage square = Preprocess.padToSquare(fitted, Rgb.ofMean(normalize.mean()));
      return new ImageInput(
          List.of(Tiles.ofRgb(normalize.apply(square), side, side, 1, tower.patchSize())),
          List.of(1, 3, side, side),
          1,
          1,
          List.of(
              new ImagePiece.Text("<begin_of_image>"),
              ImagePiece.Embeddings.of(tower.nPatches()),
              new ImagePiece.Text("<end_of_image>")));
    }

    @Override
    public ImageFit fit(ImageSize size, ImageInput input, ImageOptions options) {
      return ImageFit.squared(size);
    }
  }

  /** The longer side becomes {@code side}, the other one at least {@code min}. */
  static ImageSize fitted(ImageSize size, int side, int min) {
    double scale = (double) side / Math.max(size.width(), size.height());
    return new ImageSize(scaled(size.width(), scale, min), scaled(size.height(), scale, min));
  }

  /** Rounds halves to even, as Python does. */
  private static int scaled(int length, double scale, int min) {
    return Math.max((int) Math.rint(length * scale), min);
  }

  /**
   * @param activation between the layers of the projector
   */
  private record Graph(
      SiglipTower.Normed tower, List<Linear> projector, Activation activation, int width)
      implements VisionGraph {
    static Graph of(TowerConfig config, Weights weights) {
      Weights mm = weights.at("mm");
      int width = mm.at(0).outputs("weight");
      List<Linear> projector = new ArrayList<>();
      projector.add(Linear.of(mm.at(0), config.nEmbd(), width));
      do { // two layers in the published models
        projector.add(Linear.of(mm.at(projector.size()), width, width));
      } while (mm.has(projector.size() + ".weight"));
      return new Graph(
          SiglipTower.Normed.of(config, weights.at("v")),
          List.copyOf(projector),
          config.activation(),
          width);
    }

    @Override
    public Tensor forward(EncoderGraph graph) {
      Tensor x = tower.forward(graph.pixels()); // [nEmbd, nPatches, 1]
      x = projector.getFirst().forward(x);
      for (Linear layer : projector.subList(1, projector.size())) {
        x = layer.forward(activation.apply(x));
      }
      return x.named("projector.out");
    }
  }
}
