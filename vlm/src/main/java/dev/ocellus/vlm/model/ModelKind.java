package dev.ocellus.vlm.model;

import dev.ocellus.gguf.GgufMetadata;
import java.util.Map;
import java.util.Set;

/**
 * What a GGUF file holds, and so where it belongs. A kind has its families in {@link
 * ModelRegistry}, or none where it is only known to be told apart.
 */
public enum ModelKind {
  /** A text model, which libllama computes. */
  TEXT("a text model", "Open it as the text model."),
  /** An image encoder with the projector to a text model (mmproj). */
  IMAGE_ENCODER(
      "an image encoder (mmproj)", "Open it as the mmproj, beside the text model it belongs to."),
  /** An encoder of images and one of texts, into vectors of one space, such as CLIP. */
  DUAL_ENCODER(
      "a dual encoder of images and texts",
      "It gives vectors and cannot answer; a chat needs a text model and its mmproj."),
  /** A model that captions images, such as BLIP. */
  CAPTIONER(
      "a model that captions images",
      "It writes about one image and cannot converse; open it as an image captioner."),
  /** A model that answers questions about images, such as BLIP. */
  QUESTION_ANSWERER(
      "a model that answers questions about images",
      "It answers one question about one image; open it as a visual question answerer."),
  /** A model that says whether an image and a text belong together, such as BLIP. */
  MATCHER(
      "a model that matches images and texts",
      "It gives scores and cannot write; open it as an image-text matcher."),
  /** A model that makes codes of images and back, such as VQGAN; Janus' head may be with it. */
  VQ(
      "a VQ model (images to codes and back)",
      "It makes codes and images and cannot answer; open it as a VQ model (VqModel), or as the"
          + " generator of a text-to-image model."),
  /** An autoregressive model of pixels, such as ImageGPT. */
  PIXEL_MODEL(
      "an autoregressive model of pixels",
      "It draws and scores images and cannot answer; open it as a model of pixels (PixelModel)."),
  /** A generator or a critic of adversarial training. */
  GAN(
      "a generator or critic (GAN)",
      "It makes or judges images and cannot answer; open it as a noise generator or a critic."),
  /** An audio encoder with the projector to a text model. */
  AUDIO_ENCODER("an audio encoder", "Ocellus takes images and videos, and no sound."),
  /** A model that draws images, such as those of diffusion. */
  IMAGE_GENERATOR(
      "a model that generates images", "Ocellus has no family for it; a chat needs a text model."),
  /** Weights that are added to those of a text model (LoRA). */
  ADAPTER("an adapter (LoRA)", "Open the text model that it was trained for."),
  /** Statistics for quantization. */
  IMPORTANCE_MATRIX("an importance matrix", "It is for quantizing the model it was measured on."),
  /** A file that does not say what it is. */
  UNKNOWN(
      "a GGUF file of an unknown kind",
      "Its metadata do not say what it holds: it was converted incompletely or for another program.");

  /** As the converters of stable-diffusion.cpp and ComfyUI-GGUF name them. */
  private static final Set<String> GENERATORS =
      Set.of(
          "aura",
          "cosmos",
          "flux",
          "hidream",
          "hyvid",
          "ltxv",
          "lumina2",
          "pixart",
          "qwen_image",
          "sd1",
          "sd3",
          "sdxl",
          "wan");

  /** By {@code clip.model_type}, a key of ours. */
  private static final Map<String, ModelKind> BY_TYPE =
      Map.of("blip-caption", CAPTIONER, "blip-vqa", QUESTION_ANSWERER, "blip-itm", MATCHER);

  private final String description;
  private final String advice;

  ModelKind(String description, String advice) {
    this.description = description;
    this.advice = advice;
  }

  /** The kind of a file, by its metadata. */
  public static ModelKind of(GgufMetadata metadata) {
    String architecture = metadata.string("general.architecture", "");
    String type = metadata.string("general.type", "");
    if (type.equals("adapter")) {
      return ADAPTER;
    }
    if (type.equals("imatrix")) {
      return IMPORTANCE_MATRIX;
    }
    if (architecture.equals("clip")) {
      return encoder(metadata);
    }
    switch (architecture) {
      case "vq":
        return VQ;
      case "imagegpt":
        return PIXEL_MODEL;
      case "dcgan":
        return GAN;
      default:
        break;
    }
    if (GENERATORS.contains(architecture)) {
      return IMAGE_GENERATOR;
    }
    return architecture.isEmpty() ? UNKNOWN : TEXT;
  }

  /**
   * Whether a file is of this kind or can be opened as one of it, as some hold several models:
   * InternVL 1.0 gives vectors, and captions and matches images, too.
   */
  public boolean isServedBy(GgufMetadata metadata) {
    ModelKind kind = of(metadata);
    if (kind == DUAL_ENCODER && (this == CAPTIONER || this == MATCHER)) {
      return InternVlDual.TYPES.contains(metadata.string("clip.model_type", ""));
    }
    return this == kind;
  }

  /** What of {@code clip.cpp}'s architecture a file has; a projector makes it one for chats. */
  private static ModelKind encoder(GgufMetadata metadata) {
    ModelKind named = BY_TYPE.get(metadata.string("clip.model_type", ""));
    if (named != null) {
      return named;
    }
    if (!metadata.bool("clip.has_vision_encoder", true)) {
      return metadata.bool("clip.has_audio_encoder", false) ? AUDIO_ENCODER : UNKNOWN;
    }
    boolean projects =
        metadata.contains(VisionFamilies.PROJECTOR)
            || metadata.contains(VisionFamilies.VISION_PROJECTOR)
            || metadata.bool("clip.has_llava_projector", false);
    return metadata.bool("clip.has_text_encoder", false) && !projects
        ? DUAL_ENCODER
        : IMAGE_ENCODER;
  }

  /** What it is, in words, such as {@code a text model}. */
  public String description() {
    return description;
  }

  /** Where it belongs, a sentence. */
  public String advice() {
    return advice;
  }
}
