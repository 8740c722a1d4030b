package dev.ocellus.langchain4j;

import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.spi.ServiceHelper;
import dev.ocellus.vlm.chat.AnswerListener;

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
 * in a request, tools together with a JSON response format, contents other than text, images and
 * PDF documents.
 */
public final class OcellusChatModel extends ConfiguredModel implements ChatModel {
  private OcellusChatModel(Builder builder) {
    super(builder);
  }

  @Override
  public ChatResponse doChat(ChatRequest request) {
    return chats.answer(chats.prepare(request), AnswerListener.NONE, session -> {});
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
