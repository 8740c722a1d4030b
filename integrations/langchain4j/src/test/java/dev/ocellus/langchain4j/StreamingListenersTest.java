package dev.ocellus.langchain4j;

import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.common.AbstractStreamingChatModelListenerIT;
import dev.langchain4j.model.chat.listener.ChatModelListener;

/** LangChain4j's own test kit for listeners of streams. */
class StreamingListenersTest extends AbstractStreamingChatModelListenerIT {
  private OcellusStreamingChatModel.Builder asked(
      OcellusStreamingChatModel.Builder builder, ChatModelListener listener) {
    return builder
        .temperature(temperature())
        .topP(topP())
        .maxOutputTokens(maxTokens())
        .listeners(listener);
  }

  @Override
  protected StreamingChatModel createModel(ChatModelListener listener) {
    return asked(KitModels.knowing(OcellusStreamingChatModel.builder()), listener).build();
  }

  @Override
  protected String modelName() {
    return KitModels.NAME;
  }

  @Override
  protected StreamingChatModel createFailingModel(ChatModelListener listener) {
    return asked(KitModels.failing(OcellusStreamingChatModel.builder()), listener).build();
  }

  @Override
  protected Class<? extends Exception> expectedExceptionClass() {
    return InvalidRequestException.class;
  }
}
