package dev.ocellus.langchain4j;

import dev.ocellus.vlm.ChatSession;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.chat.Message;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;

/**
 * Sessions of a model for requests that each bring a whole conversation. A request gets the one
 * that has most of its conversation in the context already, so that a further turn costs its own
 * tokens only; as many run at a time as the model decodes together, the others wait in their order.
 */
final class SessionPool implements AutoCloseable {
  private final VisionLanguageModel model;
  private final Semaphore free;
  private final List<ChatSession> idle = new ArrayList<>(); // guarded by this; used last at the end
  private boolean closed; // guarded by this

  SessionPool(VisionLanguageModel model) {
    this.model = model;
    this.free = new Semaphore(model.options().sessions().parallel(), true);
  }

  /** Waits for a session, which is to be given back. */
  ChatSession acquire(List<Message> conversation) {
    try {
      free.acquire();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw (CancellationException)
          new CancellationException("interrupted while waiting for a session").initCause(e);
    }
    try {
      ChatSession best = best(conversation);
      return best != null ? best : model.newChat();
    } catch (RuntimeException e) {
      free.release();
      throw e;
    }
  }

  private synchronized @Nullable ChatSession best(List<Message> conversation) {
    if (closed) {
      throw new IllegalStateException("The model has been closed");
    }
    ChatSession best = null;
    int most = -1;
    for (ChatSession session : idle) { // of equals the one that was used longest ago
      int shared = shared(session.history(), conversation);
      if (shared > most) {
        most = shared;
        best = session;
      }
    }
    if (best != null) {
      idle.remove(best);
    }
    return best;
  }

  private static int shared(List<Message> a, List<Message> b) {
    int n = 0;
    while (n < a.size() && n < b.size() && a.get(n).equals(b.get(n))) {
      n++;
    }
    return n;
  }

  /** Gives a session back. */
  void release(ChatSession session) {
    synchronized (this) {
      if (closed) {
        session.close();
      } else {
        idle.add(session);
      }
    }
    free.release();
  }

  @Override
  public synchronized void close() {
    closed = true;
    idle.forEach(ChatSession::close);
    idle.clear();
  }
}
