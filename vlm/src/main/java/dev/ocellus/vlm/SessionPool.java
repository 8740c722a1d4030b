package dev.ocellus.vlm;

import dev.ocellus.vlm.chat.Content;
import dev.ocellus.vlm.chat.ContentForm;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.chat.Role;
import dev.ocellus.vlm.chat.ToolCall;
import dev.ocellus.vlm.image.Visual;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.concurrent.Semaphore;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Sessions of a model for requests that each bring a whole conversation, as those of servers and of
 * frameworks do. A request gets the session that has most of its conversation in the context
 * already, so that a further turn costs its own tokens only. As many run at a time as the model
 * decodes together ({@link dev.ocellus.vlm.options.SessionOptions#parallel}); others wait in the
 * order in which they came.
 *
 * <p>Thread-safe. Of what was said no image is kept, only what tells one from another.
 */
public final class SessionPool implements AutoCloseable {
  private final VisionLanguageModel model;
  private final int size;
  private final Semaphore free;
  private final List<Idle> idle = new ArrayList<>(); // guarded by this; used last at the end
  private int nSessions; // guarded by this
  private boolean closed; // guarded by this

  /** A session that nobody uses, with the conversation that stands in its context. */
  private record Idle(ChatSession session, List<Said> conversation) {}

  /** A message without its pixels. */
  private record Said(
      Role role,
      List<String> parts,
      ContentForm form,
      String reasoning,
      List<ToolCall> calls,
      String callId,
      String tool) {
    static List<Said> of(List<Message> messages) {
      return messages.stream().map(Said::of).toList();
    }

    private static Said of(Message message) {
      return new Said(
          message.role(),
          message.content().stream().map(Said::part).toList(),
          message.form(),
          message.reasoning(),
          message.toolCalls(),
          message.toolCallId(),
          message.toolName());
    }

    private static String part(Content content) {
      Visual visual = content.visual();
      return visual != null ? "#" + visual.contentHash() : "t" + ((Content.Text) content).text();
    }
  }

  /**
   * @param model not closed with this
   */
  public SessionPool(VisionLanguageModel model) {
    this.model = model;
    this.size = model.options().sessions().parallel();
    this.free = new Semaphore(size, true);
  }

  /** Sessions that may be in use at the same time. */
  public int size() {
    return size;
  }

  /**
   * Works with a session for a conversation, after waiting for one. Its history is empty then, and
   * is forgotten afterwards; what stands in its context is found again by whoever continues it.
   *
   * @param conversation what will be asked, which decides which session it is
   * @param work what is done with it, after which it must not be used any more
   * @return what the work gives
   * @throws CancellationException if the thread is interrupted while it waits
   * @throws IllegalStateException if this was closed
   */
  public <T extends @Nullable Object> T use(
      List<Message> conversation, Function<ChatSession, T> work) {
    try {
      free.acquire();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw (CancellationException)
          new CancellationException("interrupted while waiting for a session").initCause(e);
    }
    try {
      List<Said> said = Said.of(conversation);
      ChatSession session = take(said);
      try {
        return work.apply(session);
      } finally {
        giveBack(session, said);
      }
    } finally {
      free.release();
    }
  }

  /** The session that has most of a conversation; one that has nothing is rather a new one. */
  private synchronized ChatSession take(List<Said> conversation) {
    if (closed) {
      throw new IllegalStateException("The sessions have been closed");
    }
    Idle best = null;
    int most = -1;
    for (Idle candidate : idle) { // of equals the one that was used longest ago
      int shared = shared(candidate.conversation, conversation);
      if (shared > most) {
        most = shared;
        best = candidate;
      }
    }
    if (most <= 0 && nSessions < size) {
      ChatSession session = model.newChat();
      nSessions++;
      return session;
    }
    idle.remove(Objects.requireNonNull(best)); // there are no more uses than sessions
    return best.session;
  }

  private static int shared(List<Said> a, List<Said> b) {
    int n = 0;
    while (n < a.size() && n < b.size() && a.get(n).equals(b.get(n))) {
      n++;
    }
    return n;
  }

  /** Keeps a session for others, with what was asked where it failed before it remembered that. */
  private void giveBack(ChatSession session, List<Said> asked) {
    List<Message> history = session.history();
    List<Said> conversation = history.isEmpty() ? asked : Said.of(history);
    session.clear();
    boolean over;
    synchronized (this) {
      over = closed;
      if (!over) {
        idle.add(new Idle(session, conversation));
      }
    }
    if (over) {
      session.close();
    }
  }

  /** Closes the sessions; those in use, when they are given back. */
  @Override
  public void close() {
    List<Idle> unused;
    synchronized (this) {
      closed = true;
      unused = List.copyOf(idle);
      idle.clear();
    }
    unused.forEach(each -> each.session.close());
  }
}
