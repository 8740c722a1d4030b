package dev.ocellus.vlm.model;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.image.Normalize;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.model.tiling.SquareFit;
import dev.ocellus.vlm.model.tower.BlipTower;
import dev.ocellus.vlm.model.tower.QFormer;
import dev.ocellus.vlm.model.tower.TowerConfig;
import dev.ocellus.vlm.nn.Linear;
import dev.ocellus.vlm.vision.ChatTemplateName;
import dev.ocellus.vlm.vision.EncoderGraph;
import dev.ocellus.vlm.vision.FixedPromptFormat;
import dev.ocellus.vlm.vision.ImageInput;
import dev.ocellus.vlm.vision.ImageOptions;
import dev.ocellus.vlm.vision.ImagePiece;
import dev.ocellus.vlm.vision.ImagePlaceholder;
import dev.ocellus.vlm.vision.ImagePreprocessor;
import dev.ocellus.vlm.vision.VisionArchitecture;
import dev.ocellus.vlm.vision.VisionGraph;
import java.util.List;

/**
 * BLIP-2 (arXiv:2301.12597): every image is stretched to one square and goes through a vision
 * transformer, whose states the learned queries of a {@link QFormer} read; a linear layer makes
 * image embeddings of the queries. They stand in front of the text, also of the token that begins
 * it. Weights under {@code v.}, {@code qf.} and {@code mm.model.fc}.
 *
 * <p>The reference is {@code Blip2ForConditionalGeneration} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/blip_2/modeling_blip_2.py">modeling_blip_2.py</a>,
 * <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/blip_2/processing_blip_2.py">processing_blip_2.py</a>.
 */
final class Blip2 {
  private Blip2() {}

  static VisionArchitecture of(GgufMetadata metadata, Weights weights) {
    TowerConfig config = BlipTower.config(metadata);
    var tower = new BlipTower(config, weights.at("v"));
    QFormer queries = QFormer.of(metadata, weights.at("qf"), tower.width(), false);
    return new VisionArchitecture(
        "blip2",
        promptFormat(),
        Preprocessor.of(metadata, config, queries.nQueries()),
        Graph.of(tower, queries, weights));
  }

  static FixedPromptFormat promptFormat() {
    return new FixedPromptFormat(ImagePlaceholder.of("<image>"), ChatTemplateName.BLIP2);
  }

  /** {@code BlipImageProcessor}: a square, whatever the aspect ratio. */
  record Preprocessor(SquareFit fit, int side, int nQueries) implements ImagePreprocessor {
    static Preprocessor of(GgufMetadata metadata, TowerConfig tower, int nQueries) {
      int side = tower.imageSize();
      return new Preprocessor(
          SquareFit.of(metadata, side, tower.patchSize(), SquareFit.Kind.STRETCH, Normalize.CLIP),
          side,
          nQueries);
    }

    @Override
    public ImageInput prepare(RgbImage image, ImageOptions options) {
      return new ImageInput(
          List.of(fit.tile(image)),
          List.of(1, 3, side, side),
          1,
          1,
          List.of(ImagePiece.Embeddings.of(nQueries)));
    }

    @Override
    public Normalize normalize() {
      return fit.normalize();
    }
  }

  private record Graph(BlipTower tower, QFormer queries, Linear projector, int width)
      implements VisionGraph {
    static Graph of(BlipTower tower, QFormer queries, Weights weights) {
      Weights fc = weights.at("mm").at("model").at("fc");
      int width = fc.outputs("weight");
      return new Graph(tower, queries, Linear.of(fc, queries.width(), width), width);
    }

    @Override
    public Tensor forward(EncoderGraph graph) {
      Tensor x = queries.forward(tower.forward(graph.pixels()));
      return projector.forward(x).named("projector.out");
    }
  }
}
