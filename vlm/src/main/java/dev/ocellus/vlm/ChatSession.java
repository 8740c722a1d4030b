package dev.ocellus.vlm;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.chat.Role;
import dev.ocellus.vlm.chat.Timings;
import dev.ocellus.vlm.generate.AnswerGenerator;
import dev.ocellus.vlm.generate.Eviction;
import dev.ocellus.vlm.generate.Slot;
import dev.ocellus.vlm.generate.Slots;
import dev.ocellus.vlm.options.ModelMismatchException;
import dev.ocellus.vlm.options.OverflowPolicy;
import dev.ocellus.vlm.session.SessionFile;
import dev.ocellus.vlm.session.SessionFormatException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A conversation with a model. What stands in the context already is not computed again: a second
 * question about the same image costs its own tokens only.
 *
 * <p>For one caller at a time: a second thread that asks while an answer is being generated gets an
 * {@link IllegalStateException}, and so does a listener that calls the session whose answer it is
 * told of. {@link #cancel}, {@link #close} and {@link #history} may be called by any thread and by
 * listeners. A turn that fails or is refused leaves the history as it was, whatever was thrown.
 */
public final class ChatSession implements AutoCloseable {
  private final VisionLanguageModel model;
  private final Slots slots;
  private final TurnLock turns = new TurnLock();
  private final CancellationFlag cancellation = new CancellationFlag();
  private volatile List<Message> history = List.of();
  private volatile @Nullable Slot slot;
  private volatile boolean closed;

  ChatSession(VisionLanguageModel model, Slots slots) {
    this.model = model;
    this.slots = slots;
  }

  public VisionLanguageModel model() {
    return model;
  }

  /** Tokens that the context holds. */
  public int contextSize() {
    return slots.nCtx();
  }

  /** Tokens that stand in the context now. */
  public int contextUsed() {
    Slot now = slot;
    return now != null && now.owner() == this ? now.generator().cache().ownUsed() : 0;
  }

  /**
   * Bytes of memory that checkpoints of this conversation take; 0 for models that need none. What a
   * model with recurrent states has computed can only be changed from one of them on.
   */
  public long checkpointBytes() {
    Slot now = slot;
    return now != null && now.owner() == this ? now.generator().cache().checkpointBytes() : 0;
  }

  /** The messages so far; during a turn, those before it. Any thread may call this. */
  public List<Message> history() {
    return history;
  }

  /** Replaces the messages so far. Nothing is computed until the next answer. */
  public void setHistory(List<Message> messages) {
    exclusively(() -> {
      history = List.copyOf(messages);
      return true;
    });
  }

  /** Forgets everything. */
  public void clear() {
    setHistory(List.of());
  }

  /** Adds a message without asking for an answer, such as a system message. */
  public void add(Message message) {
    exclusively(() -> history = with(history, message));
  }

  /**
   * Takes back the last question with everything after it.
   *
   * @return whether there was one
   */
  public boolean undo() {
    return exclusively(() -> {
      for (int i = history.size() - 1; i >= 0; i--) {
        if (history.get(i).role() == Role.USER) {
          history = List.copyOf(history.subList(0, i));
          return true;
        }
      }
      return false;
    });
  }

  /**
   * Replaces a message and forgets everything after it, which was said in answer to the old one.
   * Nothing is computed until the next answer, which costs what comes after the change only.
   *
   * @param index which one, from 0
   * @throws IndexOutOfBoundsException if there is no such message
   */
  public void edit(int index, Message message) {
    exclusively(() -> {
      Objects.checkIndex(index, history.size());
      return history = with(history.subList(0, index), message);
    });
  }

  /** Sends a message with the {@linkplain VisionLanguageModel#defaultOptions() model's options}. */
  public Answer send(Message message) {
    return send(message, model.defaultOptions(), AnswerListener.NONE);
  }

  /**
   * Sends a message and generates the answer, which both become part of the history.
   *
   * @throws dev.ocellus.llama.ContextOverflowException if the conversation does not fit the context
   * @throws dev.ocellus.OcellusException if it cannot be rendered, encoded or decoded
   * @throws IllegalStateException if another answer is being generated, or the session is closed
   */
  public Answer send(Message message, GenerationOptions options, AnswerListener listener) {
    return exclusively(() -> answer(with(history, message), options, listener));
  }

  private static List<Message> with(List<Message> messages, Message message) {
    List<Message> longer = new ArrayList<>(messages);
    longer.add(message);
    return List.copyOf(longer);
  }

  /**
   * Answers the conversation as it stands, such as one from a file. The history becomes these
   * messages and the answer.
   */
  public Answer complete(
      List<Message> messages, GenerationOptions options, AnswerListener listener) {
    return exclusively(() -> answer(List.copyOf(messages), options, listener));
  }

  /**
   * Answers the last question again; the answer that it had is replaced. The question itself is not
   * computed again.
   *
   * @throws IllegalArgumentException if there is no question
   */
  public Answer regenerate(GenerationOptions options, AnswerListener listener) {
    return exclusively(() -> {
      int question = history.size() - 1;
      while (question >= 0 && history.get(question).role() != Role.USER) {
        question--;
      }
      if (question < 0) {
        throw new IllegalArgumentException("there is no question to answer again");
      }
      return answer(List.copyOf(history.subList(0, question + 1)), options, listener);
    });
  }

  /**
   * Saves the conversation with its images and, where it stands in the context, its keys and
   * values, so that it goes on without computing anything again. The file is there whole or not at
   * all, and is for this model only.
   *
   * @throws IOException if it cannot be written
   */
  public void save(Path file) throws IOException {
    exclusivelyWithFiles(() -> {
      cancellation.reset();
      Slot taken = slot != null && contextUsed() > 0 ? acquire() : null;
      try {
        SessionFile.write(
            file, model.pipeline(), history, taken == null ? null : taken.generator());
      } finally {
        if (taken != null) {
          slots.release(taken);
        }
      }
    });
  }

  /**
   * Continues a saved conversation; the present one is forgotten, but only after the file was found
   * to be in order.
   *
   * @throws IOException if it cannot be read
   * @throws SessionFormatException if it is no saved session, or damaged
   * @throws ModelMismatchException if it was saved with another model
   */
  public void restore(Path file) throws IOException {
    exclusivelyWithFiles(() -> {
      cancellation.reset();
      try (SessionFile.Opened saved = SessionFile.open(file, model.pipeline())) {
        Slot taken = acquire();
        if (taken != null) {
          try {
            saved.restore(taken.generator());
          } finally {
            slots.release(taken);
          }
        }
        history = List.copyOf(saved.messages());
      }
    });
  }

  private Answer answer(
      List<Message> messages, GenerationOptions options, AnswerListener listener) {
    cancellation.reset();
    Slot taken = acquire();
    if (taken == null) {
      return remember(messages, cancelledWhileWaiting());
    }
    try {
      List<Message> kept = messages;
      AnswerGenerator generator = taken.generator();
      if (model.options().sessions().overflow() == OverflowPolicy.EVICT) {
        int nCtx = generator.sequence().nCtx();
        int room = options.maxTokens() < 0 ? nCtx / 4 : Math.min(options.maxTokens(), nCtx / 2);
        kept =
            Eviction.fit(
                messages, nCtx, Math.max(1, room), m -> generator.countTokens(m, options.prompt()));
      }
      Answer answer = generator.generate(kept, options, listener, cancellation);
      return remember(kept, answer.withEvictedMessages(messages.size() - kept.size()));
    } finally {
      slots.release(taken);
    }
  }

  private Answer remember(List<Message> messages, Answer answer) {
    history = answer.addedTo(messages);
    return answer;
  }

  private @Nullable Slot acquire() {
    requireOpen();
    Slot taken = slots.acquire(slot, this, cancellation);
    if (taken != null) {
      slot = taken;
    }
    return taken;
  }

  private static Answer cancelledWhileWaiting() {
    var nothing = new Timings.Stage(0, 0);
    return Answer.cancelled("", new Timings(nothing, nothing, nothing, nothing));
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("ChatSession has been closed");
    }
  }

  /** Stops the answer that is being generated, within one token. Any thread may call this. */
  public void cancel() {
    cancellation.cancel();
  }

  private interface FileAction {
    void run() throws IOException;
  }

  private void exclusivelyWithFiles(FileAction action) throws IOException {
    try {
      exclusively(() -> {
        try {
          action.run();
          return true;
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      });
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  private <T> T exclusively(Supplier<T> action) {
    try {
      return turns.run(action);
    } finally {
      if (closed && !turns.isHeldHere()) {
        slots.forget(this); // closed by a listener, which could not free what was in use
      }
    }
  }

  /**
   * Stops a running answer and frees the context. A listener may close its own session: the answer
   * ends as a cancelled one, and the context is freed when the call that generates it returns.
   */
  @Override
  public void close() {
    closed = true;
    cancellation.cancel();
    if (!turns.isHeldHere()) {
      slots.forget(this);
    }
  }
}
