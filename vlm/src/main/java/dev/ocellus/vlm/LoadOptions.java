package dev.ocellus.vlm;

import dev.ocellus.llama.ContextOptions;
import dev.ocellus.llama.ModelOptions;
import dev.ocellus.vlm.model.TokenLimits;
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
 * @param imageTokens limits for the tokens of a picture, where the model leaves a choice
 * @param sessions how its sessions work
 */
public record LoadOptions(
    Path model,
    @Nullable Path mmproj,
    ModelOptions modelOptions,
    ContextOptions contextOptions,
    @Nullable String chatTemplate,
    TokenLimits imageTokens,
    SessionOptions sessions) {

  /** With the model's own limits for the tokens of a picture. */
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
        TokenLimits.NONE,
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

  public LoadOptions withModelOptions(ModelOptions modelOptions) {
    return new LoadOptions(
        model, mmproj, modelOptions, contextOptions, chatTemplate, imageTokens, sessions);
  }

  public LoadOptions withContextOptions(ContextOptions contextOptions) {
    return new LoadOptions(
        model, mmproj, modelOptions, contextOptions, chatTemplate, imageTokens, sessions);
  }

  public LoadOptions withChatTemplate(@Nullable String chatTemplate) {
    return new LoadOptions(
        model, mmproj, modelOptions, contextOptions, chatTemplate, imageTokens, sessions);
  }

  public LoadOptions withImageTokens(TokenLimits imageTokens) {
    return new LoadOptions(
        model, mmproj, modelOptions, contextOptions, chatTemplate, imageTokens, sessions);
  }

  public LoadOptions withSessions(SessionOptions sessions) {
    return new LoadOptions(
        model, mmproj, modelOptions, contextOptions, chatTemplate, imageTokens, sessions);
  }
}
