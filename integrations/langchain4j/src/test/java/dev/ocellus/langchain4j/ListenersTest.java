package dev.ocellus.langchain4j;

import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.common.AbstractChatModelListenerIT;
import dev.langchain4j.model.chat.listener.ChatModelListener;

/** LangChain4j's own test kit for listeners. */
class ListenersTest extends AbstractChatModelListenerIT {
  private OcellusChatModel.Builder asked(
      OcellusChatModel.Builder builder, ChatModelListener listener) {
    return builder
        .temperature(temperature())
        .topP(topP())
        .maxOutputTokens(maxTokens())
        .listeners(listener);
  }

  @Override
  protected ChatModel createModel(ChatModelListener listener) {
    return asked(KitModels.knowing(OcellusChatModel.builder()), listener).build();
  }

  @Override
  protected String modelName() {
    return KitModels.NAME;
  }

  @Override
  protected ChatModel createFailingModel(ChatModelListener listener) {
    return asked(KitModels.failing(OcellusChatModel.builder()), listener).build();
  }

  @Override
  protected Class<? extends Exception> expectedExceptionClass() {
    return InvalidRequestException.class;
  }
}
