package dev.ocellus.server.model;

import dev.ocellus.vlm.ChatSession;
import dev.ocellus.vlm.SessionPool;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.ImageReport;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.chat.StopReason;
import dev.ocellus.vlm.chat.ToolCall;
import dev.ocellus.vlm.chat.Usage;
import dev.ocellus.vlm.sampling.TopLogProbs;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** One answer that is to be generated. Run by one thread, cancelled by any. */
final class ChatJob implements AnswerListener {
  private final List<Message> messages;
  private final GenerationOptions options;
  private final int choice;
  private final Consumer<Event> events;
  private volatile boolean cancelled;
  private volatile @Nullable ChatSession session;

  /**
   * @param events told of everything on the thread that generates; must not block
   */
  ChatJob(List<Message> messages, GenerationOptions options, int choice, Consumer<Event> events) {
    this.messages = messages;
    this.options = options;
    this.choice = choice;
    this.events = events;
  }

  /** Generates the answer in one of the sessions. Never throws; what goes wrong is an event. */
  void run(SessionPool sessions) {
    try {
      checkCancelled();
      Answer answer = sessions.use(messages, this::complete);
      if (answer.stopReason() == StopReason.CANCELLED) {
        throw new CancellationException("cancelled");
      }
      events.accept(new Event.Done(choice, answer));
    } catch (Throwable e) { // an error of the JVM is this request's, and the server goes on
      fail(e);
    }
  }

  /**
   * Where no memory is left even for that, there is soon: nobody must wait for an answer in vain.
   */
  private void fail(Throwable cause) {
    boolean told = false;
    while (!told) {
      try {
        events.accept(new Event.Failed(choice, cause));
        told = true;
      } catch (OutOfMemoryError e) {
        LockSupport.parkNanos(10_000_000);
      }
    }
  }

  private Answer complete(ChatSession in) {
    session = in;
    try {
      checkCancelled();
      return in.complete(messages, options, this);
    } finally {
      session = null;
    }
  }

  /** Stops within a token. */
  void cancel() {
    cancelled = true;
    ChatSession now = session;
    if (now != null) {
      now.cancel();
    }
  }

  boolean isCancelled() {
    return cancelled;
  }

  /** A session forgets being cancelled when it begins to answer, so a job remembers. */
  private void checkCancelled() {
    if (cancelled) {
      throw new CancellationException("cancelled");
    }
  }

  @Override
  public void onImage(int index, ImageReport report) {
    checkCancelled();
    events.accept(new Event.Image(choice, index, report));
  }

  @Override
  public void onPrefill(double share) {
    checkCancelled();
  }

  @Override
  public void onPrompt(Usage usage) {
    checkCancelled();
    events.accept(new Event.Prompt(choice, usage));
  }

  @Override
  public void onText(String text) {
    checkCancelled();
    events.accept(new Event.Text(choice, text));
  }

  @Override
  public void onReasoning(String text) {
    checkCancelled();
    events.accept(new Event.Reasoning(choice, text));
  }

  @Override
  public void onToolCall(ToolCall call) {
    events.accept(new Event.Call(choice, call));
  }

  @Override
  public void onLogProbs(TopLogProbs logProbs) {
    checkCancelled();
    events.accept(new Event.LogProbs(choice, logProbs));
  }
}
