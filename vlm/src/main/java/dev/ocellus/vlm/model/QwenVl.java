package dev.ocellus.vlm.model;

import dev.ocellus.UnsupportedArchitectureException;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.image.ImageFit;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.Normalize;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.model.tiling.SquareFit;
import dev.ocellus.vlm.model.tower.BigGTower;
import dev.ocellus.vlm.model.tower.TowerConfig;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.Linear;
import dev.ocellus.vlm.nn.Resampler;
import dev.ocellus.vlm.vision.ChatTemplateName;
import dev.ocellus.vlm.vision.EncoderGraph;
import dev.ocellus.vlm.vision.ImageInput;
import dev.ocellus.vlm.vision.ImageOptions;
import dev.ocellus.vlm.vision.ImagePiece;
import dev.ocellus.vlm.vision.ImagePlaceholder;
import dev.ocellus.vlm.vision.ImagePreprocessor;
import dev.ocellus.vlm.vision.ImagePromptFormat;
import dev.ocellus.vlm.vision.VisionArchitecture;
import dev.ocellus.vlm.vision.VisionGraph;
import java.util.List;

/**
 * Qwen-VL and Qwen-VL-Chat of 2023 (arXiv:2308.12966): every image is stretched to one square, goes
 * through a ViT-bigG, and a resampler makes a fixed number of embeddings of it, 256 in the
 * published models. Weights under {@code v.} and {@code resampler.}.
 *
 * <p>The reference is the code that comes with the published checkpoints, <a
 * href="https://huggingface.co/Qwen/Qwen-VL-Chat/blob/main/visual.py">visual.py</a> and <a
 * href="https://huggingface.co/Qwen/Qwen-VL-Chat/blob/main/modeling_qwen.py">modeling_qwen.py</a>.
 * There the file name of an image stands between {@code <img>} and {@code </img>}, filled up with
 * {@code <imgpad>}, and the embeddings replace all of it; so the name makes no difference, and is
 * left out here.
 */
final class QwenVl {
  private static final float EPS = 1e-6f;

  /** Width of an attention head of the resampler, which the files do not say. */
  private static final int HEAD_SIZE = 128;

  private QwenVl() {}

  static VisionArchitecture of(GgufMetadata metadata, Weights weights) {
    TowerConfig config = TowerConfig.of(metadata, EPS, Activation.GELU);
    Graph graph = Graph.of(config, weights);
    int side = config.imageSize();
    SquareFit fit =
        SquareFit.of(metadata, side, config.patchSize(), SquareFit.Kind.STRETCH, Normalize.CLIP);
    return new VisionArchitecture(
        "qwen-vl",
        new PromptFormat(),
        new Preprocessor(fit, side, graph.resampler.nQueries()),
        graph);
  }

  private static final class PromptFormat implements ImagePromptFormat {
    private static final ImagePlaceholder PLACE = ImagePlaceholder.of("<img></img>");

    @Override
    public String imageMarker() {
      return PLACE.marker();
    }

    @Override
    public ChatTemplateName defaultTemplate() {
      return ChatTemplateName.QWEN_VL_CHAT;
    }

    @Override
    public ImagePlaceholder place(RgbImage image, int nImages, ImageOptions options) {
      return PLACE.written("Picture %d: %s\n".formatted(nImages + 1, PLACE.marker()));
    }
  }

  private record Preprocessor(SquareFit fit, int side, int nQueries) implements ImagePreprocessor {
    @Override
    public ImageInput prepare(RgbImage image, ImageOptions options) {
      return new ImageInput(
          List.of(fit.tile(image)),
          List.of(1, 3, side, side),
          1,
          1,
          List.of(
              new ImagePiece.Text("<img>"),
              ImagePiece.Embeddings.of(nQueries),
              new ImagePiece.Text("</img>")));
    }

    @Override
    public ImageFit fit(ImageSize size, ImageInput input, ImageOptions options) {
      return fit.fit(size);
    }

    @Override
    public Normalize normalize() {
      return fit.normalize();
    }
  }

  private record Graph(
      BigGTower tower, Resampler resampler, Tensor positions, Linear projection, int width)
      implements VisionGraph {
    static Graph of(TowerConfig config, Weights weights) {
      Weights w = weights.at("resampler");
      int width = w.outputs("proj.weight");
      if (width % HEAD_SIZE != 0) {
        throw new UnsupportedArchitectureException(
            "%s is %d wide; a multiple of %d is expected"
                .formatted(w.name("proj.weight"), width, HEAD_SIZE));
      }
      return new Graph(
          new BigGTower(config, weights.at("v")),
          Resampler.of(w, config.nEmbd(), width, width / HEAD_SIZE, EPS),
          w.f32("pos_k", width, config.nPatches()),
          Linear.of(w.at("proj"), width, width),
          width);
    }

    @Override
    public Tensor forward(EncoderGraph graph) {
      Tensor x = tower.forward(graph.pixels()); // [nEmbd, nPatches, n]
      x = resampler.forward(x, positions).named("resampler");
      return projection.forward(x).named("projector.out");
    }
  }
}
