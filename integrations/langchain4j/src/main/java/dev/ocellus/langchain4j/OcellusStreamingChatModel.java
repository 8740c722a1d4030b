package dev.ocellus.langchain4j;

import dev.langchain4j.internal.InternalStreamingChatResponseHandlerUtils;
import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.spi.ServiceHelper;

/**
 * As {@link OcellusChatModel}, with answers that come while they are generated.
 *
 * <p>A handler is called by one thread that is not the caller's. Cancelling stops the answer within
 * one token, and then neither the complete response nor an error follows. Calls of tools come
 * whole.
 */
public final class OcellusStreamingChatModel extends ConfiguredModel implements StreamingChatModel {
  private OcellusStreamingChatModel(Builder builder) {
    super(builder);
  }

  @Override
  public void doChat(ChatRequest request, StreamingChatResponseHandler handler) {
    Chats.Prepared prepared = chats.prepare(request);
    Thread.ofPlatform() // native code would hold a carrier of virtual threads
        .daemon()
        .name("ocellus-langchain4j")
        .start(() -> stream(prepared, handler));
  }

  private void stream(Chats.Prepared prepared, StreamingChatResponseHandler handler) {
    Streaming streaming = new Streaming(handler);
    ChatResponse response;
    try {
      response = chats.answer(prepared, streaming, streaming::runs);
    } catch (RuntimeException | Error e) {
      InternalStreamingChatResponseHandlerUtils.withLoggingExceptions(() -> handler.onError(e));
      return;
    }
    if (!streaming.isCancelled()) {
      InternalStreamingChatResponseHandlerUtils.onCompleteResponse(handler, response);
    }
  }

  /** A builder; one of {@link OcellusStreamingChatModelBuilderFactory}, if there is any. */
  public static Builder builder() {
    for (OcellusStreamingChatModelBuilderFactory factory :
        ServiceHelper.loadFactories(OcellusStreamingChatModelBuilderFactory.class)) {
      return factory.get();
    }
    return new Builder();
  }

  /** Makes streaming chat models. */
  public static class Builder extends ChatModelBuilder<Builder> {
    /** For factories of frameworks. */
    public Builder() {}

    @Override
    Builder self() {
      return this;
    }

    /** As {@link OcellusChatModel.Builder#build}. */
    public OcellusStreamingChatModel build() {
      return new OcellusStreamingChatModel(this);
    }
  }
}
