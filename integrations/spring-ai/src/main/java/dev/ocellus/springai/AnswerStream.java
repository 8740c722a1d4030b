package dev.ocellus.springai;

import dev.ocellus.vlm.ChatSession;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.ImageReport;
import dev.ocellus.vlm.chat.ToolCall;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.Semaphore;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.springframework.ai.chat.model.ChatResponse;
import reactor.core.publisher.FluxSink;

/**
 * An answer on its way to a subscriber. The thread that generates waits where the subscriber has
 * asked for no more, so nothing piles up, and stops within a token when the subscriber is gone.
 */
final class AnswerStream implements AnswerListener {
  private final FluxSink<ChatResponse> sink;
  private final Responses responses;
  private final Semaphore demand = new Semaphore(0);
  private volatile boolean cancelled;
  private @Nullable ChatSession session; // guarded by this

  private AnswerStream(FluxSink<ChatResponse> sink, Responses responses) {
    this.sink = sink;
    this.responses = responses;
  }

  /** What generates the answer. */
  interface Generator {
    /**
     * Generates it.
     *
     * @param running told of the session while it generates, and of null afterwards
     */
    Answer generate(AnswerListener listener, Consumer<@Nullable ChatSession> running);
  }

  /**
   * Generates an answer on a thread of its own.
   *
   * @param running has what cancels the answer as long as it is generated; if others than the
   *     subscriber do that, the subscriber is told
   */
  static void start(
      FluxSink<ChatResponse> sink,
      Responses responses,
      Generator generator,
      Set<Runnable> running) {
    AnswerStream stream = new AnswerStream(sink, responses);
    Runnable cancel = stream::cancel;
    running.add(cancel);
    sink.onRequest(stream::requested);
    sink.onDispose(cancel::run);
    Thread.ofPlatform() // native code would hold a carrier of virtual threads
        .daemon()
        .name("ocellus-spring-ai")
        .start(() -> {
          try {
            stream.run(generator);
          } finally {
            running.remove(cancel);
          }
        });
  }

  private void run(Generator generator) {
    try {
      emit(responses.end(generator.generate(this, this::runs)));
      sink.complete();
    } catch (Throwable e) { // whatever it is, the subscriber is told
      if (!sink.isCancelled()) {
        sink.error(e);
      }
    }
  }

  private synchronized void runs(@Nullable ChatSession running) {
    session = running;
  }

  private void requested(long n) {
    // more than anybody can take at once is as good as no limit, and permits must not overflow
    int room = Integer.MAX_VALUE / 2 - demand.availablePermits();
    demand.release((int) Math.max(0, Math.min(n, room)));
  }

  private synchronized void cancel() {
    cancelled = true;
    if (session != null) {
      session.cancel();
    }
    demand.release(); // the thread may be waiting for it
  }

  private void emit(ChatResponse response) {
    demand.acquireUninterruptibly();
    checkCancelled();
    sink.next(response);
  }

  /** A session forgets being cancelled when it begins to answer, so the stream remembers. */
  private void checkCancelled() {
    if (cancelled) {
      throw new CancellationException("cancelled");
    }
  }

  @Override
  public void onText(String text) {
    emit(responses.text(text));
  }

  @Override
  public void onReasoning(String text) {
    emit(responses.thinking(text));
  }

  @Override
  public void onToolCall(ToolCall call) {
    emit(responses.toolCall(call));
  }

  @Override
  public void onImage(int index, ImageReport report) {
    checkCancelled();
  }

  @Override
  public void onPrefill(double share) {
    checkCancelled();
  }
}
