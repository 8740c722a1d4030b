package dev.ocellus.langchain4j;

import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.options.LoadOptions;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the builders of both chat models have in common.
 *
 * @param <B> the builder itself
 */
public abstract class ChatModelBuilder<B extends ChatModelBuilder<B>> {
  @Nullable VisionLanguageModel model;
  @Nullable LoadOptions loadOptions;
  @Nullable String modelName;
  ImageLoader imageLoader = ImageLoader.NONE;
  List<ChatModelListener> listeners = List.of();
  private final OcellusChatRequestParameters.Builder defaults =
      OcellusChatRequestParameters.builder();

  ChatModelBuilder() {}

  abstract B self();

  /** A model that is loaded already; whoever opened it closes it. Several may share one. */
  public B model(VisionLanguageModel model) {
    this.model = model;
    return self();
  }

  /** What to load; closed with the chat model. */
  public B loadOptions(LoadOptions loadOptions) {
    this.loadOptions = loadOptions;
    return self();
  }

  /** What responses call the model. Default: the name of its file. */
  public B modelName(String modelName) {
    this.modelName = modelName;
    return self();
  }

  /** How images are fetched of which a message has the address only. Default: not at all. */
  public B imageLoader(ImageLoader imageLoader) {
    this.imageLoader = imageLoader;
    return self();
  }

  public B listeners(List<ChatModelListener> listeners) {
    this.listeners = List.copyOf(listeners);
    return self();
  }

  public B listeners(ChatModelListener... listeners) {
    return listeners(List.of(listeners));
  }

  /**
   * Parameters of requests that say nothing else; may be {@link OcellusChatRequestParameters}.
   *
   * @throws UnsupportedFeatureException if they name a model; {@link #modelName} does that
   */
  public B defaultRequestParameters(ChatRequestParameters parameters) {
    if (parameters.modelName() != null) {
      throw new UnsupportedFeatureException(
          "'modelName' is not supported among the default parameters; name the model with modelName(…)");
    }
    defaults.overrideWith(parameters);
    return self();
  }

  public B temperature(Double temperature) {
    defaults.temperature(temperature);
    return self();
  }

  public B topP(Double topP) {
    defaults.topP(topP);
    return self();
  }

  public B topK(Integer topK) {
    defaults.topK(topK);
    return self();
  }

  public B maxOutputTokens(Integer maxOutputTokens) {
    defaults.maxOutputTokens(maxOutputTokens);
    return self();
  }

  public B stopSequences(List<String> stopSequences) {
    defaults.stopSequences(stopSequences);
    return self();
  }

  public B responseFormat(ResponseFormat responseFormat) {
    defaults.responseFormat(responseFormat);
    return self();
  }

  /** As of {@link OcellusChatRequestParameters#seed}. */
  public B seed(Long seed) {
    defaults.seed(seed);
    return self();
  }

  /** As of {@link OcellusChatRequestParameters#thinking}. */
  public B thinking(Boolean thinking) {
    defaults.thinking(thinking);
    return self();
  }

  /** What requests have that say nothing, with the name that the model has got. */
  ChatRequestParameters parameters(Chats chats) {
    return OcellusChatRequestParameters.builder()
        .modelName(chats.modelName())
        .overrideWith(defaults.build())
        .build();
  }
}
