package dev.ocellus.server.chat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ocellus.server.api.ApiException;
import dev.ocellus.server.http.HttpCall;
import dev.ocellus.server.image.ImageFetcher;
import dev.ocellus.server.image.PixelBudget;
import dev.ocellus.server.image.RequestImages;
import dev.ocellus.server.model.ChatEngine;
import dev.ocellus.server.model.Lease;
import dev.ocellus.server.model.ModelHost;
import dev.ocellus.server.options.RequestLimits;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.json.MessagesFormatException;
import dev.ocellus.vlm.json.MessagesJson;
import java.io.IOException;
import java.util.List;

/**
 * What the handlers of chats share. Thread-safe.
 *
 * @param host of the models
 * @param limits of requests
 * @param fetcher of images
 * @param pixels for the images of all requests
 * @param metrics told of everything
 */
public record ChatService(
    ModelHost host,
    RequestLimits limits,
    ImageFetcher fetcher,
    PixelBudget pixels,
    Metrics metrics) {

  /** The loader of the images of one request. */
  public RequestImages images() {
    return new RequestImages(limits, fetcher, pixels);
  }

  /**
   * Reads messages in OpenAI's form.
   *
   * @throws ApiException if there are too many
   * @throws MessagesFormatException if they are not in that form
   */
  public List<Message> messages(JsonNode list) throws IOException {
    checkMessages(list.size());
    if (list.isEmpty()) {
      throw ApiException.invalid("messages", "messages: expected at least one, found none");
    }
    return MessagesJson.messages(list, images());
  }

  /** Refuses a conversation that is too long to be read. */
  public void checkMessages(int n) {
    if (n > limits.maxMessages()) {
      throw ApiException.invalid(
          "messages", "messages: expected at most %d, found %d".formatted(limits.maxMessages(), n));
    }
  }

  /** Parameters that begin with what the model does by default. */
  public ChatParams params(Lease<ChatEngine> lease) {
    return new ChatParams(limits, lease.engine().model().defaultOptions());
  }

  /**
   * Begins to answer. The lease is the turn's from then on, and is closed when this fails.
   *
   * @param options of each answer
   */
  public Turn begin(
      HttpCall call,
      Lease<ChatEngine> lease,
      List<Message> messages,
      List<GenerationOptions> options) {
    return beginAll(call, lease, List.of(messages), options);
  }

  /**
   * As {@link #begin}, with several conversations.
   *
   * @param options of each answer to one of them
   */
  public Turn beginAll(
      HttpCall call,
      Lease<ChatEngine> lease,
      List<List<Message>> conversations,
      List<GenerationOptions> options) {
    try {
      var generation = lease.engine().start(call.client(), conversations, options);
      return new Turn(call, lease, generation, metrics, limits.maxTime());
    } catch (Throwable e) {
      lease.close();
      throw e;
    }
  }
}
