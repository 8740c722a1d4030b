package dev.ocellus.vlm.model;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.image.Normalize;
import dev.ocellus.vlm.image.Preprocess;
import dev.ocellus.vlm.image.ResizeFilter;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.model.tower.SiglipTower;
import dev.ocellus.vlm.model.tower.TowerConfig;
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
import dev.ocellus.vlm.vision.OcrForm;
import dev.ocellus.vlm.vision.OcrPrompt;
import dev.ocellus.vlm.vision.PromptAttention;
import dev.ocellus.vlm.vision.Tiles;
import dev.ocellus.vlm.vision.VisionArchitecture;
import dev.ocellus.vlm.vision.VisionGraph;
import java.util.List;

/**
 * PaliGemma (arXiv:2407.07726) and PaliGemma 2 (arXiv:2412.03555): every image is stretched to one
 * square and goes through a SigLIP tower and one linear layer. The text model, Gemma or Gemma 2,
 * takes all of the prompt as a bidirectional prefix. Weights under {@code v.} and {@code
 * mm.model.fc}.
 *
 * <p>The reference is {@code PaliGemmaForConditionalGeneration} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/paligemma/modeling_paligemma.py">modeling_paligemma.py</a>,
 * <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/paligemma/processing_paligemma.py">processing_paligemma.py</a>.
 *
 * <p>Gemma multiplies the embeddings of tokens by the root of their width. libllama's graphs do so
 * with whatever comes in, so the embeddings of an image are divided by it here.
 */
final class PaliGemma {
  private PaliGemma() {}

  static VisionArchitecture of(GgufMetadata metadata, Weights weights) {
    TowerConfig config = SiglipTower.config(metadata);
    return new VisionArchitecture(
        "paligemma",
        new FixedPromptFormat(ImagePlaceholder.of("<image>"), ChatTemplateName.PALIGEMMA)
            .withOcr(OcrPrompt.of(OcrForm.TEXT, "ocr")),
        Preprocessor.of(metadata, config),
        Graph.of(config, weights),
        PromptAttention.BIDIRECTIONAL_PREFIX);
  }

  private record Preprocessor(TowerConfig tower, Normalize normalize, ResizeFilter filter)
      implements ImagePreprocessor {
    static Preprocessor of(GgufMetadata metadata, TowerConfig tower) {
      ConfigReader c = ConfigReader.ofVision(metadata);
      return new Preprocessor(tower, c.normalize(Normalize.HALF), c.filter(ResizeFilter.BICUBIC));
    }

    @Override
    public int longestRows(ImageOptions options) {
      return tower.nPatches();
    }

    @Override
    public ImageInput prepare(RgbImage image, ImageOptions options) {
      int side = tower.imageSize();
      RgbImage square = Preprocess.stretch(image, side, side, filter);
      return new ImageInput(
          List.of(Tiles.ofRgb(normalize.apply(square), side, side, 1, tower.patchSize())),
          List.of(1, 3, side, side),
          1,
          1,
          List.of(ImagePiece.Embeddings.of(tower.nPatches())));
    }
  }

  private record Graph(SiglipTower.Normed tower, Linear projector, int width)
      implements VisionGraph {
    static Graph of(TowerConfig config, Weights weights) {
      Weights fc = weights.at("mm").at("model").at("fc");
      int width = fc.outputs("weight");
      return new Graph(
          SiglipTower.Normed.of(config, weights.at("v")),
          Linear.of(fc, config.nEmbd(), width),
          width);
    }

    @Override
    public Tensor forward(EncoderGraph graph) {
      Tensor x = projector.forward(tower.forward(graph.pixels())).named("projector.raw");
      return x.scale((float) (1 / Math.sqrt(width))).named("projector.out");
    }
  }
}
