package dev.ocellus.server.chat;

import dev.ocellus.server.api.ApiException;
import dev.ocellus.server.api.Failures;
import dev.ocellus.server.http.ClientLeftException;
import dev.ocellus.server.http.HttpCall;
import dev.ocellus.server.model.ChatEngine;
import dev.ocellus.server.model.Event;
import dev.ocellus.server.model.Generation;
import dev.ocellus.server.model.Lease;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.ImageReport;
import dev.ocellus.vlm.chat.Usage;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;

/**
 * A request whose answers are being generated, followed by the thread of its connection. Closing it
 * cancels what is not finished.
 */
public final class Turn implements AutoCloseable {
  /** How often the connection is looked at: a token of a fast model takes about as long. */
  private static final long LOOK_MILLIS = 25;

  private static final long PING_NANOS = Duration.ofSeconds(15).toNanos();

  private final HttpCall call;
  private final Lease<ChatEngine> lease;
  private final Generation generation;
  private final Metrics metrics;
  private final long begun = System.nanoTime();
  private final long end;
  private long lastEvent = begun;
  private boolean seenText;
  private @Nullable Event first;
  private final List<ImageReport> images = new ArrayList<>();
  private Usage promptUsage = new Usage(0, 0, 0, 0);

  Turn(
      HttpCall call,
      Lease<ChatEngine> lease,
      Generation generation,
      Metrics metrics,
      Duration maxTime) {
    this.call = call;
    this.lease = lease;
    this.generation = generation;
    this.metrics = metrics;
    this.end = begun + maxTime.toNanos();
  }

  /** The model that answers. */
  public Lease<ChatEngine> lease() {
    return lease;
  }

  /** What the model sees of the images, as far as it is known. */
  public List<ImageReport> images() {
    return images;
  }

  /** Tokens of the prompt, as far as it has been computed. */
  public Usage promptUsage() {
    return promptUsage;
  }

  /** Milliseconds since the turn began. */
  public double millis() {
    return (System.nanoTime() - begun) / 1e6;
  }

  /**
   * Waits until something is there to be sent, so that whatever is wrong with the request is told
   * by a status and not in the middle of a stream. If anything is, this is closed.
   *
   * @throws ApiException if there is no answer
   * @throws ClientLeftException if the client has left
   */
  public void awaitFirst() throws IOException {
    try {
      Event event = poll();
      while (event == null && System.nanoTime() - begun < PING_NANOS) {
        event = poll();
      }
      first = event;
    } catch (Throwable e) {
      close();
      throw e;
    }
  }

  /**
   * The next event; null if nothing has happened for so long that the connection should show that
   * it lives.
   *
   * @throws ApiException if there is no answer, or not in time
   * @throws ClientLeftException if the client has left
   */
  public @Nullable Event next() throws IOException {
    Event event = first;
    first = null;
    while (event == null) {
      event = poll();
      if (event == null && System.nanoTime() - lastEvent > PING_NANOS) {
        lastEvent = System.nanoTime();
        return null;
      }
    }
    lastEvent = System.nanoTime();
    return event;
  }

  /** Whether all answers are complete. */
  public boolean isFinished() {
    return generation.isFinished() && first == null;
  }

  private @Nullable Event poll() throws IOException {
    try {
      return taken(generation.next(LOOK_MILLIS));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ApiException(ApiException.Kind.UNAVAILABLE, "the server is being stopped", e);
    }
  }

  /** What an event means for whoever writes the answer; null for nothing. */
  private @Nullable Event taken(@Nullable Event event) throws IOException, InterruptedException {
    check();
    return switch (event) {
      case null -> null;
      case Event.Image image -> {
        if (image.choice() == 0) {
          images.add(image.report());
        }
        yield null;
      }
      case Event.Prompt(int choice, Usage usage) -> {
        promptUsage = usage;
        yield null;
      }
      case Event.Failed failed -> throw failure(failed.cause());
      case Event.Done done -> {
        metrics.answered(done.answer());
        yield done;
      }
      case Event.Text text -> timed(joined(text));
      case Event.Reasoning reasoning -> timed(reasoning);
      case Event.Call made -> timed(made);
      case Event.LogProbs token -> token;
    };
  }

  /** With the text that has come meanwhile: who is behind is not sent every token by itself. */
  private Event.Text joined(Event.Text first) throws InterruptedException {
    if (!goesOn(first)) {
      return first;
    }
    var text = new StringBuilder(first.text());
    while (goesOn(first) && generation.next(0) instanceof Event.Text next) {
      text.append(next.text());
    }
    return new Event.Text(first.choice(), text.toString());
  }

  private boolean goesOn(Event.Text first) {
    return generation.peek() instanceof Event.Text next && next.choice() == first.choice();
  }

  private Event timed(Event event) {
    if (!seenText) {
      seenText = true;
      metrics.firstToken(millis() / 1000);
    }
    return event;
  }

  private void check() throws IOException {
    if (!call.isOpen()) {
      throw new ClientLeftException();
    }
    if (System.nanoTime() > end) {
      throw new ApiException(
          ApiException.Kind.TIMEOUT, "the answer takes longer than this server allows");
    }
  }

  private static ApiException failure(Throwable cause) {
    if (cause instanceof CancellationException) {
      return new ApiException(ApiException.Kind.UNAVAILABLE, "the server is being stopped", cause);
    }
    return Failures.of(cause);
  }

  /**
   * Waits for all answers.
   *
   * @throws ApiException if there is none, or not in time
   * @throws ClientLeftException if the client has left
   */
  public List<Answer> collect(int n) throws IOException {
    Answer[] answers = new Answer[n];
    while (!isFinished()) {
      if (next() instanceof Event.Done done) {
        answers[done.choice()] = done.answer();
      }
    }
    return Arrays.stream(answers).map(Objects::requireNonNull).toList();
  }

  @Override
  public void close() {
    if (!generation.isFinished()) {
      metrics.cancelled();
    }
    generation.close();
    lease.close();
  }
}
