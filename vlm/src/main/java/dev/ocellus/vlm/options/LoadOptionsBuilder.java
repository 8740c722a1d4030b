package dev.ocellus.vlm.options;

import dev.ocellus.llama.ContextOptions;
import dev.ocellus.llama.ModelOptions;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Makes {@link LoadOptions}; begins with those that it was made from. */
public final class LoadOptionsBuilder {
  private Path model;
  private @Nullable Path mmproj;
  private ModelOptions modelOptions;
  private ContextOptions contextOptions;
  private @Nullable String chatTemplate;
  private VisionOptions vision;
  private SessionOptions sessions;

  LoadOptionsBuilder(LoadOptions options) {
    this.model = options.model();
    this.mmproj = options.mmproj();
    this.modelOptions = options.modelOptions();
    this.contextOptions = options.contextOptions();
    this.chatTemplate = options.chatTemplate();
    this.vision = options.vision();
    this.sessions = options.sessions();
  }

  /** GGUF file of the text model. */
  public LoadOptionsBuilder model(Path value) {
    this.model = value;
    return this;
  }

  /** GGUF file of the image encoder; null for text alone. */
  public LoadOptionsBuilder mmproj(@Nullable Path value) {
    this.mmproj = value;
    return this;
  }

  /** How the text model is loaded. */
  public LoadOptionsBuilder modelOptions(ModelOptions value) {
    this.modelOptions = value;
    return this;
  }

  /** How its contexts are made. */
  public LoadOptionsBuilder contextOptions(ContextOptions value) {
    this.contextOptions = value;
    return this;
  }

  /** Template to use instead of the one in the file; null for that one. */
  public LoadOptionsBuilder chatTemplate(@Nullable String value) {
    this.chatTemplate = value;
    return this;
  }

  /** How images are prepared and encoded. */
  public LoadOptionsBuilder vision(VisionOptions value) {
    this.vision = value;
    return this;
  }

  /** How its sessions work. */
  public LoadOptionsBuilder sessions(SessionOptions value) {
    this.sessions = value;
    return this;
  }

  /**
   * The options.
   *
   * @throws IllegalArgumentException for values that are out of range or do not go together
   */
  public LoadOptions build() {
    return new LoadOptions(
        model, mmproj, modelOptions, contextOptions, chatTemplate, vision, sessions);
  }
}
