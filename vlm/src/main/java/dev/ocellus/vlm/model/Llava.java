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
import dev.ocellus.vlm.model.tower.LlavaTower;
import dev.ocellus.vlm.model.tower.TowerConfig;
import dev.ocellus.vlm.nn.Activation;
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
import org.jspecify.annotations.Nullable;

/**
 * LLaVA 1 and 1.5 (arXiv:2304.08485, arXiv:2310.03744): a CLIP tower, the CLS token dropped, or a
 * SigLIP tower, which has none, and a projector of one linear layer or of two with a GELU between.
 * Weights under {@code v.} and {@code mm.}.
 *
 * <p>The reference is {@code LlavaForConditionalGeneration} of transformers with its {@code
 * CLIPImageProcessor}: shortest side to the image size, or to {@code preproc_image_size}, then a
 * centre crop. A file can ask for another fit by {@code clip.vision.image_aspect_ratio}, a key of
 * LLaVA's own configuration: {@code pad} (to a square, in the mean colour) or {@code stretch}, and
 * by {@code clip.vision.mm_vision_select_feature}, another, for the first token to be kept ({@code
 * cls_patch}) or dropped ({@code patch}).
 */
final class Llava {
  /** The place of an image in LLaVA and in the families that came from it. */
  static final ImagePlaceholder PLACE = ImagePlaceholder.of("<image>");

  private Llava() {}

  static VisionArchitecture of(GgufMetadata metadata, Weights weights) {
    LlavaTower tower = LlavaTower.of(metadata, weights.at("v"));
    boolean dropsFirst = dropsFirst(metadata, tower.nCls() == 1);
    int nRows = tower.nCls() + tower.config().nPatches() - (dropsFirst ? 1 : 0);
    return new VisionArchitecture(
        "llava",
        new FixedPromptFormat(PLACE, ChatTemplateName.VICUNA),
        Preprocessor.of(metadata, tower.config(), nRows),
        Graph.of(tower, dropsFirst ? 1 : 0, nRows, weights.at("mm")));
  }

  /** The CLS token says nothing about a place, so it is dropped unless the file asks for it. */
  private static boolean dropsFirst(GgufMetadata metadata, boolean hasCls) {
    String key = "clip.vision.mm_vision_select_feature";
    String value = metadata.string(key, "");
    return switch (value) {
      case "" -> hasCls;
      case "patch" -> true;
      case "cls_patch" -> false;
      default ->
          throw new UnsupportedArchitectureException(
              "%s: '%s' is not known; known are patch, cls_patch".formatted(key, value));
    };
  }

  private record Preprocessor(SquareFit fit, int side, int nRows) implements ImagePreprocessor {
    static Preprocessor of(GgufMetadata metadata, TowerConfig tower, int nRows) {
      int side = tower.imageSize();
      return new Preprocessor(
          SquareFit.of(metadata, side, tower.patchSize(), SquareFit.Kind.CROP, Normalize.CLIP),
          side,
          nRows);
    }

    @Override
    public ImageInput prepare(RgbImage image, ImageOptions options) {
      return new ImageInput(
          List.of(fit.tile(image)),
          List.of(1, 3, side, side),
          1,
          1,
          List.of(ImagePiece.Embeddings.of(nRows)));
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

  /**
   * @param from first token that is projected
   * @param nRows how many are
   */
  private record Graph(
      LlavaTower tower, int from, int nRows, Linear first, @Nullable Linear second, int width)
      implements VisionGraph {
    static Graph of(LlavaTower tower, int from, int nRows, Weights mm) {
      int hidden = mm.at(0).outputs("weight");
      Linear first = Linear.of(mm.at(0), tower.nOut(), hidden);
      if (!mm.has("2.weight")) {
        return new Graph(tower, from, nRows, first, null, hidden);
      }
      int width = mm.at(2).outputs("weight");
      return new Graph(tower, from, nRows, first, Linear.of(mm.at(2), hidden, width), width);
    }

    @Override
    public Tensor forward(EncoderGraph graph) {
      Tensor x = tower.forward(graph.pixels()); // [nOut, nCls + nPatches, n]
      if (from > 0) {
        x = x.slice(new long[] {0, from}, x.size(0), nRows, x.size(2)).contiguous();
      }
      x = first.forward(x);
      if (second != null) {
        x = second.forward(Activation.GELU.apply(x));
      }
      return x.named("projector.out");
    }
  }
}
