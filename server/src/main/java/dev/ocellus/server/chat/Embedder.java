package dev.ocellus.server.chat;

import com.fasterxml.jackson.databind.node.ArrayNode;
import dev.ocellus.server.api.ApiException;
import dev.ocellus.server.api.Failures;
import dev.ocellus.server.api.Json;
import dev.ocellus.server.http.ClientLeftException;
import dev.ocellus.server.http.HttpCall;
import dev.ocellus.vlm.embedding.DualEncoder;
import dev.ocellus.vlm.image.RgbImage;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Vectors of images and texts, for the APIs that give them. They are computed on threads of their
 * own, since an encoder at work would keep the carrier of a connection's virtual thread.
 */
public final class Embedder implements AutoCloseable {
  private static final int MAX_INPUTS = 2048;
  private static final int MAX_QUEUED = 256;
  private static final long LOOK_MILLIS = 25;

  private final ChatService service;
  private final ThreadPoolExecutor threads =
      new ThreadPoolExecutor(
          2,
          2,
          10,
          TimeUnit.SECONDS,
          new ArrayBlockingQueue<>(MAX_QUEUED),
          Thread.ofPlatform().daemon().name("ocellus-embed-", 0).factory());

  /** What is embedded. */
  public sealed interface Input {
    /** A text. */
    record Text(String text) implements Input {}

    /** An image. */
    record Image(RgbImage image) implements Input {}
  }

  /**
   * Vectors of length 1.
   *
   * @param list in the order of the inputs
   * @param nTokens of all texts
   */
  public record Vectors(List<float[]> list, int nTokens) {}

  public Embedder(ChatService service) {
    this.service = service;
    threads.allowCoreThreadTimeOut(true);
  }

  /** Refuses more inputs than are embedded at once. */
  public void checkCount(int n) {
    if (n > MAX_INPUTS) {
      throw ApiException.invalid(
          "input", "input: expected at most %d, found %d".formatted(MAX_INPUTS, n));
    }
  }

  /**
   * Embeds texts together, and images together.
   *
   * @throws ApiException if too many wait already
   * @throws ClientLeftException if the client has left
   */
  public Vectors embed(HttpCall call, DualEncoder encoder, List<Input> inputs) throws IOException {
    Future<Vectors> vectors;
    try {
      vectors = threads.submit(() -> compute(encoder, inputs));
    } catch (RejectedExecutionException e) {
      throw new ApiException(
          ApiException.Kind.BUSY,
          "too many requests are waiting for this model; try again later",
          e);
    }
    boolean done = false;
    try {
      while (true) {
        try {
          Vectors result = vectors.get(LOOK_MILLIS, TimeUnit.MILLISECONDS);
          done = true;
          return result;
        } catch (TimeoutException e) {
          if (!call.isOpen()) {
            throw new ClientLeftException();
          }
        }
      }
    } catch (ExecutionException e) {
      Throwable cause = e.getCause();
      throw Failures.of(cause == null ? e : cause);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ApiException(ApiException.Kind.UNAVAILABLE, "the server is being stopped", e);
    } finally {
      if (!done) {
        vectors.cancel(false);
      }
    }
  }

  @Override
  public void close() {
    threads.shutdown();
  }

  private Vectors compute(DualEncoder encoder, List<Input> inputs) {
    List<String> texts = new ArrayList<>();
    List<RgbImage> images = new ArrayList<>();
    int nTokens = 0;
    for (Input input : inputs) {
      switch (input) {
        case Input.Text(String text) -> {
          texts.add(text);
          nTokens += encoder.tokenize(text).lengthWithoutPadding();
        }
        case Input.Image(RgbImage image) -> images.add(image);
      }
    }
    var ofTexts = (texts.isEmpty() ? List.<float[]>of() : encoder.embedTexts(texts)).iterator();
    var ofImages = (images.isEmpty() ? List.<float[]>of() : encoder.embedImages(images)).iterator();
    List<float[]> vectors = new ArrayList<>();
    for (Input input : inputs) {
      vectors.add(input instanceof Input.Text ? ofTexts.next() : ofImages.next());
    }
    service.metrics().embedded(inputs.size());
    return new Vectors(vectors, nTokens);
  }

  /** A vector as a list of numbers. */
  public static ArrayNode json(float[] vector) {
    ArrayNode list = Json.array();
    for (float value : vector) {
      list.add(value);
    }
    return list;
  }
}
