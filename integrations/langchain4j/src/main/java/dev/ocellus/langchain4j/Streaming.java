package dev.ocellus.langchain4j;

import dev.langchain4j.internal.InternalStreamingChatResponseHandlerUtils;
import dev.langchain4j.model.chat.response.CompleteToolCall;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.chat.response.StreamingHandle;
import dev.ocellus.vlm.ChatSession;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.ToolCall;
import org.jspecify.annotations.Nullable;

/** Passes an answer on while it is generated, until somebody cancels it. */
final class Streaming implements AnswerListener, StreamingHandle {
  private final StreamingChatResponseHandler handler;
  private @Nullable ChatSession session; // guarded by this
  private boolean cancelled; // guarded by this
  private int calls;

  Streaming(StreamingChatResponseHandler handler) {
    this.handler = handler;
  }

  /** A later cancel must not reach whoever has the session then: null ends it. */
  synchronized void runs(@Nullable ChatSession running) {
    session = running;
  }

  @Override
  public synchronized void cancel() {
    cancelled = true;
    if (session != null) {
      session.cancel();
    }
  }

  @Override
  public synchronized boolean isCancelled() {
    return cancelled;
  }

  @Override
  public void onText(String text) {
    stopIfCancelled();
    if (!isCancelled()) {
      InternalStreamingChatResponseHandlerUtils.onPartialResponse(handler, text, this);
    }
  }

  @Override
  public void onReasoning(String text) {
    stopIfCancelled();
    if (!isCancelled()) {
      InternalStreamingChatResponseHandlerUtils.onPartialThinking(handler, text, this);
    }
  }

  @Override
  public void onToolCall(ToolCall call) {
    if (!isCancelled()) {
      InternalStreamingChatResponseHandlerUtils.onCompleteToolCall(
          handler, new CompleteToolCall(calls++, Chats.request(call)));
    }
  }

  /** A cancel that came before the answer had begun was forgotten when it began. */
  private synchronized void stopIfCancelled() {
    if (cancelled && session != null) {
      session.cancel();
    }
  }
}
