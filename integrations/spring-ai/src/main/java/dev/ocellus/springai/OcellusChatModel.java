package dev.ocellus.springai;

import dev.ocellus.vlm.ChatSession;
import dev.ocellus.vlm.SessionPool;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.options.LoadOptions;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import io.micrometer.observation.contextpropagation.ObservationThreadLocalAccessor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.ai.chat.model.MessageAggregator;
import org.springframework.ai.chat.observation.ChatModelObservationContext;
import org.springframework.ai.chat.observation.ChatModelObservationConvention;
import org.springframework.ai.chat.observation.ChatModelObservationDocumentation;
import org.springframework.ai.chat.observation.DefaultChatModelObservationConvention;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.ai.model.tool.ToolCallingManager;
import reactor.core.publisher.Flux;
import reactor.core.publisher.FluxSink;

/**
 * A vision-language model in this process as a chat model of Spring AI: images, tools, JSON
 * schemas, reasoning.
 *
 * <pre>{@code
 * ChatModel model = OcellusChatModel.builder()
 *     .loadOptions(LoadOptions.of(Path.of("model.gguf"), Path.of("mmproj.gguf")))
 *     .build();
 * ChatClient.create(model).prompt()
 *     .user(user -> user.text("What is it?").media(MimeTypeUtils.IMAGE_PNG, new FileSystemResource("cat.png")))
 *     .call().content();
 * }</pre>
 *
 * <p>Calls of tools are given back, as all models of Spring AI 2 do; {@code ChatClient} executes
 * them. A stream generates no token that nobody asked for, and stops within one when it is
 * cancelled. Thread-safe. A further turn of a conversation costs its own tokens only.
 *
 * <p>Another model's name in a prompt, media of other types than images and PDF documents, and
 * tools together with an output schema are refused with {@link IllegalArgumentException}; what the
 * model itself cannot do, with a {@link dev.ocellus.OcellusException}.
 */
public final class OcellusChatModel implements ChatModel, AutoCloseable {
  private static final String PROVIDER = "ocellus";
  private static final ChatModelObservationConvention DEFAULT_CONVENTION =
      new DefaultChatModelObservationConvention();

  private final VisionLanguageModel model;
  private final boolean owned;
  private final SessionPool sessions;
  private final OcellusChatOptions options;
  private final String modelName;
  private final PromptMessages messages;
  private final ToolCallingManager tools;
  private final ObservationRegistry observations;
  private final ChatModelObservationConvention convention;

  /** What cancels the answers that are being generated. */
  private final Set<Runnable> running = ConcurrentHashMap.newKeySet();

  private OcellusChatModel(Builder builder, VisionLanguageModel model) {
    this.model = model;
    this.owned = builder.model == null;
    this.sessions = new SessionPool(model);
    this.modelName = builder.options.getModel() != null ? builder.options.getModel() : name(model);
    this.options = builder.options.mutate().model(modelName).build();
    this.messages = new PromptMessages(new MediaReader(builder.mediaLoader));
    this.tools = builder.toolCallingManager;
    this.observations = builder.observationRegistry;
    this.convention = builder.observationConvention;
  }

  private static String name(VisionLanguageModel model) {
    return String.valueOf(model.options().model().getFileName()).replaceFirst("\\.gguf$", "");
  }

  /** What is asked of the engine. */
  private record Request(List<Message> messages, GenerationOptions options) {}

  @Override
  public ChatResponse call(Prompt prompt) {
    Prompt asked = withOptions(prompt);
    ChatModelObservationContext context = context(asked, false);
    return Objects.requireNonNull(
        observation(context)
            .observe(() -> {
              ChatResponse response = new Responses(modelName).whole(wholeAnswer(request(asked)));
              context.setResponse(response);
              return response;
            }));
  }

  /**
   * An answer in pieces, generated anew for each subscriber. Reasoning comes as {@code thinking}
   * among the metadata of generations, calls of tools whole; the last piece has the finish reason
   * and the usage.
   */
  @Override
  public Flux<ChatResponse> stream(Prompt prompt) {
    return Flux.deferContextual(subscriber -> {
      Prompt asked = withOptions(prompt);
      ChatModelObservationContext context = context(asked, true);
      Observation observation = observation(context);
      Observation parent = subscriber.getOrDefault(ObservationThreadLocalAccessor.KEY, null);
      observation.parentObservation(parent);
      observation.start();
      // ended before the subscriber is told, with the whole answer, which the aggregator has then
      return new MessageAggregator()
          .aggregate(pieces(asked), context::setResponse)
          .doOnError(observation::error)
          .doOnTerminate(observation::stop)
          .doOnCancel(observation::stop)
          .contextWrite(c -> c.put(ObservationThreadLocalAccessor.KEY, observation));
    });
  }

  private Flux<ChatResponse> pieces(Prompt asked) {
    return Flux.<ChatResponse>create(
        sink -> {
          Request request = request(asked);
          AnswerStream.start(
              sink,
              new Responses(modelName),
              (listener, told) -> answer(request, listener, told),
              running);
        },
        FluxSink.OverflowStrategy.ERROR); // nothing is generated that nobody asked for
  }

  /** With the options of the model for what the prompt does not say. */
  private Prompt withOptions(Prompt prompt) {
    OcellusChatOptions merged = options.with(prompt.getOptions());
    if (!modelName.equals(merged.getModel())) {
      throw new IllegalArgumentException(
          "The model of a prompt cannot be chosen: this is %s, and not %s"
              .formatted(modelName, merged.getModel()));
    }
    return new Prompt(prompt.getInstructions(), merged);
  }

  private Request request(Prompt prompt) {
    var asked = (OcellusChatOptions) Objects.requireNonNull(prompt.getOptions());
    return new Request(
        messages.of(prompt.getInstructions()),
        Requests.options(asked, tools.resolveToolDefinitions(asked), model.defaultOptions()));
  }

  private Answer answer(
      Request request, AnswerListener listener, Consumer<@Nullable ChatSession> told) {
    return sessions.use(
        request.messages,
        session -> {
          told.accept(session);
          try {
            return session.complete(request.messages, request.options, listener);
          } finally {
            told.accept(null); // somebody else has it next
          }
        });
  }

  private Answer wholeAnswer(Request request) {
    return sessions.use(
        request.messages,
        session -> {
          Runnable cancel = session::cancel;
          running.add(cancel);
          try {
            return session.complete(request.messages, request.options, AnswerListener.NONE);
          } finally {
            running.remove(cancel);
          }
        });
  }

  private static ChatModelObservationContext context(Prompt prompt, boolean streaming) {
    return ChatModelObservationContext.builder()
        .prompt(prompt)
        .provider(PROVIDER)
        .streaming(streaming)
        .build();
  }

  private Observation observation(ChatModelObservationContext context) {
    return ChatModelObservationDocumentation.CHAT_MODEL_OPERATION.observation(
        convention, DEFAULT_CONVENTION, () -> context, observations);
  }

  /** What counts for prompts that say nothing else; the model's name included. */
  @Override
  public OcellusChatOptions getOptions() {
    return options;
  }

  /** Cancels what is being generated, and frees the model, if it was loaded for this. */
  @Override
  public void close() {
    sessions.close();
    running.forEach(Runnable::run);
    if (owned) {
      model.close();
    }
  }

  /** A builder. */
  public static Builder builder() {
    return new Builder();
  }

  /** Makes chat models. */
  public static final class Builder {
    private @Nullable VisionLanguageModel model;
    private @Nullable LoadOptions loadOptions;
    private OcellusChatOptions options = OcellusChatOptions.builder().build();
    private MediaLoader mediaLoader = MediaLoader.NONE;
    private ToolCallingManager toolCallingManager = ToolCallingManager.builder().build();
    private ObservationRegistry observationRegistry = ObservationRegistry.NOOP;
    private ChatModelObservationConvention observationConvention = DEFAULT_CONVENTION;

    private Builder() {}

    /** A model that is loaded already; whoever opened it closes it. Several may share one. */
    public Builder model(VisionLanguageModel value) {
      model = value;
      return this;
    }

    /** What to load; closed with the chat model. */
    public Builder loadOptions(LoadOptions value) {
      loadOptions = value;
      return this;
    }

    /** What counts for prompts that say nothing else. Its model is what responses call this one. */
    public Builder options(OcellusChatOptions value) {
      options = value;
      return this;
    }

    /** How media are fetched of which a message has the address only. Default: not at all. */
    public Builder mediaLoader(MediaLoader value) {
      mediaLoader = value;
      return this;
    }

    /** Knows the definitions of tools. */
    public Builder toolCallingManager(ToolCallingManager value) {
      toolCallingManager = value;
      return this;
    }

    /** Told of every call. */
    public Builder observationRegistry(ObservationRegistry value) {
      observationRegistry = value;
      return this;
    }

    /** What is told of it. */
    public Builder observationConvention(ChatModelObservationConvention value) {
      observationConvention = value;
      return this;
    }

    /**
     * Loads the model, unless one was given.
     *
     * @throws dev.ocellus.OcellusException if its files are damaged or do not belong together
     * @throws UncheckedIOException if they cannot be read
     */
    public OcellusChatModel build() {
      if (model != null) {
        return new OcellusChatModel(this, model);
      }
      if (loadOptions == null) {
        throw new IllegalArgumentException("a model is needed: model(…) or loadOptions(…)");
      }
      try {
        return new OcellusChatModel(this, VisionLanguageModel.open(loadOptions));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
