package dev.ocellus.langchain4j;

import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.common.AbstractChatModelIT;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import java.util.List;

/** LangChain4j's own test kit. */
class OcellusChatModelTest extends AbstractChatModelIT {
  private static OcellusChatModel.Builder builder() {
    return KitModels.knowing(OcellusChatModel.builder());
  }

  @Override
  protected List<ChatModel> models() {
    return List.of(builder().build());
  }

  @Override
  protected ChatModel createModelWith(ChatRequestParameters parameters) {
    return builder().defaultRequestParameters(parameters).build();
  }

  @Override
  protected ChatRequestParameters createIntegrationSpecificParameters(int maxOutputTokens) {
    return KitModels.maxOutputTokens(maxOutputTokens);
  }

  /** One model is one model. */
  @Override
  protected boolean supportsModelNameParameter() {
    return false;
  }

  /** A format binds the whole answer, and would forbid calls. */
  @Override
  protected boolean supportsToolsAndJsonResponseFormatWithSchema() {
    return false;
  }

  /** No address is fetched unless an ImageLoader is set: see ImagesTest. */
  @Override
  protected boolean supportsSingleImageInputAsPublicURL() {
    return false;
  }

  @Override
  protected boolean supportsMultipleImageInputsAsPublicURLs() {
    return false;
  }
}
