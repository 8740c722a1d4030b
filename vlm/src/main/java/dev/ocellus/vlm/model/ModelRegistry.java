package dev.ocellus.vlm.model;

import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.vlm.codes.GanArchitecture;
import dev.ocellus.vlm.codes.PixelArchitecture;
import dev.ocellus.vlm.codes.VqArchitecture;
import dev.ocellus.vlm.dual.DualArchitecture;
import dev.ocellus.vlm.fusion.CaptionArchitecture;
import dev.ocellus.vlm.fusion.MatchArchitecture;
import dev.ocellus.vlm.fusion.QuestionArchitecture;
import dev.ocellus.vlm.model.text.TextGraphs;
import dev.ocellus.vlm.vision.VisionArchitecture;

/**
 * What Ocellus can open: kinds of models first, and for each kind its families. Text models are
 * opened by {@link dev.ocellus.llama.LlamaModel}; each other kind has a method here.
 */
public final class ModelRegistry {
  private ModelRegistry() {}

  /**
   * Refuses a file of another kind.
   *
   * @throws WrongModelKindException with what it is, and where it belongs
   */
  public static void require(GgufFile file, ModelKind expected) {
    if (!expected.isServedBy(file.metadata())) {
      throw new WrongModelKindException(file, expected, ModelKind.of(file.metadata()));
    }
  }

  /** Whether a text model is computed by a graph of ours, as libllama has none of use here. */
  public static boolean isTextGraph(GgufFile file) {
    return TextGraphs.isOne(file);
  }

  /**
   * The image encoder of an mmproj file.
   *
   * @throws WrongModelKindException if the file is of another kind
   * @throws dev.ocellus.UnsupportedArchitectureException if its family is not known
   * @throws dev.ocellus.gguf.GgufFormatException if its metadata are incomplete
   * @throws dev.ocellus.compute.GgmlException if weights are missing or have another shape
   */
  public static VisionArchitecture imageEncoder(GgufFile file, Weights weights) {
    return VisionFamilies.ALL.open(file, weights);
  }

  /**
   * The two encoders of a model that gives vectors.
   *
   * @throws WrongModelKindException if the file is of another kind
   * @throws dev.ocellus.UnsupportedArchitectureException if its family is not known
   * @throws dev.ocellus.gguf.GgufFormatException if its metadata are incomplete
   * @throws dev.ocellus.compute.GgmlException if weights are missing or have another shape
   */
  public static DualArchitecture dualEncoder(GgufFile file, Weights weights) {
    return DualFamilies.ALL.open(file, weights);
  }

  /**
   * The two encoders of a file that holds several models, such as InternVL-C and InternVL-G.
   *
   * @param type which, as {@code clip.model_type} names them
   * @throws dev.ocellus.InvalidSettingException if the file holds no such model
   */
  public static DualArchitecture dualEncoder(GgufFile file, Weights weights, String type) {
    return DualFamilies.open(file, weights, type);
  }

  /**
   * A model that captions images.
   *
   * @throws WrongModelKindException if the file is of another kind
   * @throws dev.ocellus.UnsupportedArchitectureException if its family is not known
   * @throws dev.ocellus.gguf.GgufFormatException if its metadata are incomplete
   * @throws dev.ocellus.compute.GgmlException if weights are missing or have another shape
   */
  public static CaptionArchitecture captioner(GgufFile file, Weights weights) {
    return FusionFamilies.CAPTIONERS.open(file, weights);
  }

  /** A model that answers questions about images; throws as {@link #captioner}. */
  public static QuestionArchitecture questionAnswerer(GgufFile file, Weights weights) {
    return FusionFamilies.QUESTION_ANSWERERS.open(file, weights);
  }

  /** A model that matches images and texts; throws as {@link #captioner}. */
  public static MatchArchitecture matcher(GgufFile file, Weights weights) {
    return FusionFamilies.MATCHERS.open(file, weights);
  }

  /** A VQ model; throws as {@link #captioner}. */
  public static VqArchitecture vq(GgufFile file, Weights weights) {
    return VqFamilies.ALL.open(file, weights);
  }

  /** An autoregressive model of pixels; throws as {@link #captioner}. */
  public static PixelArchitecture pixels(GgufFile file, Weights weights) {
    return PixelFamilies.ALL.open(file, weights);
  }

  /** A generator or critic of adversarial training; throws as {@link #captioner}. */
  public static GanArchitecture gan(GgufFile file, Weights weights) {
    return GanFamilies.ALL.open(file, weights);
  }
}
