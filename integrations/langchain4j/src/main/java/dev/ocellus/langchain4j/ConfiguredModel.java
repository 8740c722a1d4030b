package dev.ocellus.langchain4j;

import static dev.langchain4j.model.chat.Capability.RESPONSE_FORMAT_JSON_SCHEMA;

import dev.langchain4j.model.ModelProvider;
import dev.langchain4j.model.chat.Capability;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import java.util.List;
import java.util.Set;

/** What both chat models are asked beside answers. */
abstract class ConfiguredModel implements AutoCloseable {
  final Chats chats;
  private final ChatRequestParameters defaults;
  private final List<ChatModelListener> listeners;

  ConfiguredModel(ChatModelBuilder<?> builder) {
    this.chats = Chats.of(builder);
    this.defaults = builder.parameters(chats);
    this.listeners = builder.listeners;
  }

  /** Parameters of requests that say nothing else. */
  public ChatRequestParameters defaultRequestParameters() {
    return defaults;
  }

  /** Told of every request. */
  public List<ChatModelListener> listeners() {
    return listeners;
  }

  /** None that LangChain4j knows. */
  public ModelProvider provider() {
    return ModelProvider.OTHER;
  }

  /** JSON schemas are kept to. */
  public Set<Capability> supportedCapabilities() {
    return Set.of(RESPONSE_FORMAT_JSON_SCHEMA);
  }

  /** Frees the model, if it was loaded for this. */
  @Override
  public void close() {
    chats.close();
  }
}
