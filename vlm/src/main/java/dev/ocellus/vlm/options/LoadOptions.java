package dev.ocellus.vlm.options;

import dev.ocellus.compute.Accelerator;
import dev.ocellus.compute.MatrixPrecision;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.llama.ModelOptions;
import dev.ocellus.vlm.vision.ImageOptions;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What to load and how.
 *
 * @param model GGUF file of the text model
 * @param mmproj GGUF file of the image encoder; null for text alone
 * @param modelOptions how the text model is loaded
 * @param contextOptions how its contexts are made
 * @param chatTemplate template to use instead of the one in the file; null for that one
 * @param vision how images are prepared and encoded
 * @param sessions how its sessions work
 */
public record LoadOptions(
    Path model,
    @Nullable Path mmproj,
    ModelOptions modelOptions,
    ContextOptions contextOptions,
    @Nullable String chatTemplate,
    VisionOptions vision,
    SessionOptions sessions) {

  /** With images as the model wants them, exact vision and one session at a time. */
  public LoadOptions(
      Path model,
      @Nullable Path mmproj,
      ModelOptions modelOptions,
      ContextOptions contextOptions,
      @Nullable String chatTemplate) {
    this(
        model,
        mmproj,
        modelOptions,
        contextOptions,
        chatTemplate,
        VisionOptions.defaults(),
        SessionOptions.defaults());
  }

  /** A text model with an image encoder. */
  public static LoadOptions of(Path model, Path mmproj) {
    return new LoadOptions(model, mmproj, ModelOptions.defaults(), ContextOptions.defaults(), null);
  }

  /** A text model alone. */
  public static LoadOptions of(Path model) {
    return new LoadOptions(model, null, ModelOptions.defaults(), ContextOptions.defaults(), null);
  }

  /** A builder that begins with these options. */
  public LoadOptionsBuilder toBuilder() {
    return new LoadOptionsBuilder(this);
  }

  public LoadOptions withModelOptions(ModelOptions modelOptions) {
    return toBuilder().modelOptions(modelOptions).build();
  }

  public LoadOptions withContextOptions(ContextOptions contextOptions) {
    return toBuilder().contextOptions(contextOptions).build();
  }

  public LoadOptions withChatTemplate(@Nullable String chatTemplate) {
    return toBuilder().chatTemplate(chatTemplate).build();
  }

  public LoadOptions withVision(VisionOptions vision) {
    return toBuilder().vision(vision).build();
  }

  public LoadOptions withImageOptions(ImageOptions images) {
    return withVision(vision.withImages(images));
  }

  public LoadOptions withVisionPrecision(MatrixPrecision precision) {
    return withVision(vision.withPrecision(precision));
  }

  /** With what multiplies large matrices of floats on a CPU, for text and images. */
  public LoadOptions withAccelerator(Accelerator accelerator) {
    return withModelOptions(modelOptions.withAccelerator(accelerator));
  }

  /**
   * With text architectures let through that have not been checked: a damaged file of one can end
   * the process. For files that are trusted.
   */
  public LoadOptions withUncheckedArchitecture() {
    return withModelOptions(modelOptions.withUncheckedArchitecture());
  }

  public LoadOptions withSessions(SessionOptions sessions) {
    return toBuilder().sessions(sessions).build();
  }
}
