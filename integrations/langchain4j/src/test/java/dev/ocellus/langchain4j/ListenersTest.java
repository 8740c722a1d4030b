package dev.ocellus.langchain4j;

import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.common.AbstractChatModelListenerIT;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.ocellus.OcellusException;
import dev.ocellus.vlm.VisionLanguageModel;
import org.junit.jupiter.api.AfterAll;

/** LangChain4j's own test kit for listeners. */
class ListenersTest extends AbstractChatModelListenerIT {
  private static final VisionLanguageModel SCRIPTED = TestModels.scripted(KitScript::answer);
  private static final VisionLanguageModel FAILING =
      TestModels.scripted(prompt -> {
        throw new OcellusException("the disk is on fire");
      });

  @AfterAll
  static void close() {
    SCRIPTED.close();
    FAILING.close();
  }

  private OcellusChatModel.Builder builder(VisionLanguageModel model, ChatModelListener listener) {
    return OcellusChatModel.builder()
        .model(model)
        .modelName(modelName())
        .temperature(temperature())
        .topP(topP())
        .maxOutputTokens(maxTokens())
        .listeners(listener);
  }

  @Override
  protected ChatModel createModel(ChatModelListener listener) {
    return builder(SCRIPTED, listener).build();
  }

  @Override
  protected String modelName() {
    return "scripted";
  }

  @Override
  protected ChatModel createFailingModel(ChatModelListener listener) {
    return builder(FAILING, listener).build();
  }

  @Override
  protected Class<? extends Exception> expectedExceptionClass() {
    return InvalidRequestException.class;
  }
}
