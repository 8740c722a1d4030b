package dev.ocellus.langchain4j;

import static dev.langchain4j.model.chat.Capability.RESPONSE_FORMAT_JSON_SCHEMA;

import dev.langchain4j.model.ModelProvider;
import dev.langchain4j.model.chat.Capability;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.spi.ServiceHelper;
import dev.ocellus.vlm.chat.AnswerListener;
import java.util.List;
import java.util.Set;

/**
 * A vision-language model in this process as a chat model of LangChain4j: images, tools, JSON
 * schemas, reasoning.
 *
 * <pre>{@code
 * ChatModel model = OcellusChatModel.builder()
 *     .loadOptions(LoadOptions.of(Path.of("model.gguf"), Path.of("mmproj.gguf")))
 *     .temperature(0.0)
 *     .build();
 * model.chat(UserMessage.from(TextContent.from("What is it?"), ImageContent.from(base64, "image/png")));
 * }</pre>
 *
 * <p>Thread-safe. A further turn of a conversation costs its own tokens only. Not supported, and
 * refused with {@link dev.langchain4j.exception.UnsupportedFeatureException}: another model's name
 * in a request, tools together with a JSON response format, contents other than text and images.
 */
public final class OcellusChatModel implements ChatModel, AutoCloseable {
  private final Chats chats;
  private final ChatRequestParameters defaults;
  private final List<ChatModelListener> listeners;

  private OcellusChatModel(Builder builder) {
    this.chats = Chats.of(builder);
    this.defaults = builder.parameters(chats);
    this.listeners = builder.listeners;
  }

  @Override
  public ChatResponse doChat(ChatRequest request) {
    return chats.answer(chats.prepare(request), AnswerListener.NONE, session -> {});
  }

  @Override
  public ChatRequestParameters defaultRequestParameters() {
    return defaults;
  }

  @Override
  public List<ChatModelListener> listeners() {
    return listeners;
  }

  @Override
  public ModelProvider provider() {
    return ModelProvider.OTHER;
  }

  @Override
  public Set<Capability> supportedCapabilities() {
    return Set.of(RESPONSE_FORMAT_JSON_SCHEMA);
  }

  /** Frees the model, if it was loaded for this. */
  @Override
  public void close() {
    chats.close();
  }

  /** A builder; one of {@link OcellusChatModelBuilderFactory}, if there is any. */
  public static Builder builder() {
    for (OcellusChatModelBuilderFactory factory :
        ServiceHelper.loadFactories(OcellusChatModelBuilderFactory.class)) {
      return factory.get();
    }
    return new Builder();
  }

  /** Makes chat models. */
  public static class Builder extends ChatModelBuilder<Builder> {
    /** For factories of frameworks. */
    public Builder() {}

    @Override
    Builder self() {
      return this;
    }

    /**
     * Loads the model, unless one was given.
     *
     * @throws dev.ocellus.OcellusException if its files are damaged or do not belong together
     * @throws java.io.UncheckedIOException if they cannot be read
     */
    public OcellusChatModel build() {
      return new OcellusChatModel(this);
    }
  }
}
