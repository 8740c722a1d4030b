package dev.ocellus.vlm;

import dev.ocellus.ggml.CancellationFlag;
import dev.ocellus.llama.LlamaContext;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A conversation with a model. What stands in the context already is not computed again: a second
 * question about the same picture costs its own tokens only.
 *
 * <p>For one caller at a time: a second thread that asks while an answer is being generated gets an
 * {@link IllegalStateException}. {@link #cancel} may be called by any thread. A turn that fails or
 * is refused leaves the history as it was.
 */
public final class ChatSession implements AutoCloseable {
  private final VisionLanguageModel model;
  private final LlamaContext context;
  private final Generator generator;
  private final List<Message> history = new ArrayList<>();
  private final ReentrantLock busy = new ReentrantLock();
  private final CancellationFlag cancellation = new CancellationFlag();

  ChatSession(VisionLanguageModel model, LlamaContext context) {
    this.model = model;
    this.context = context;
    this.generator = new Generator(model, context);
  }

  public VisionLanguageModel model() {
    return model;
  }

  /** Tokens that the context holds. */
  public int contextSize() {
    return context.nCtx();
  }

  /** Tokens that stand in the context now. */
  public int contextUsed() {
    return generator.contextUsed();
  }

  /** The messages so far. */
  public List<Message> history() {
    return exclusively(() -> List.copyOf(history));
  }

  /** Replaces the messages so far. Nothing is computed until the next answer. */
  public void setHistory(List<Message> messages) {
    exclusively(() -> {
      history.clear();
      history.addAll(messages);
      return true;
    });
  }

  /** Forgets everything. */
  public void clear() {
    setHistory(List.of());
  }

  /** Adds a message without asking for an answer, such as a system message. */
  public void add(Message message) {
    exclusively(() -> history.add(message));
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
          history.subList(i, history.size()).clear();
          return true;
        }
      }
      return false;
    });
  }

  /** Sends a message with the default options. */
  public Answer send(Message message) {
    return send(message, GenerationOptions.defaults(), AnswerListener.NONE);
  }

  /**
   * Sends a message and generates the answer, which both become part of the history.
   *
   * @throws dev.ocellus.llama.ContextOverflowException if the conversation does not fit the context
   * @throws dev.ocellus.OcellusException if it cannot be rendered, encoded or decoded
   * @throws IllegalStateException if another answer is being generated, or the session is closed
   */
  public Answer send(Message message, GenerationOptions options, AnswerListener listener) {
    return exclusively(() -> {
      List<Message> messages = new ArrayList<>(history);
      messages.add(message);
      Answer answer = generate(messages, options, listener);
      history.clear();
      history.addAll(answer.addedTo(messages));
      return answer;
    });
  }

  /**
   * Answers the conversation as it stands, such as one from a file. The history becomes these
   * messages and the answer.
   */
  public Answer complete(
      List<Message> messages, GenerationOptions options, AnswerListener listener) {
    return exclusively(() -> {
      Answer answer = generate(messages, options, listener);
      history.clear();
      history.addAll(answer.addedTo(messages));
      return answer;
    });
  }

  private Answer generate(
      List<Message> messages, GenerationOptions options, AnswerListener listener) {
    cancellation.reset();
    return generator.generate(messages, options, listener, cancellation);
  }

  /** Stops the answer that is being generated, within one token. Any thread may call this. */
  public void cancel() {
    cancellation.cancel();
  }

  private interface Action<T> {
    T run();
  }

  private <T> T exclusively(Action<T> action) {
    if (!busy.tryLock()) {
      throw new IllegalStateException(
          "This session is generating an answer for another thread. Wait for it, cancel it, or open a session for each thread.");
    }
    try {
      return action.run();
    } finally {
      busy.unlock();
    }
  }

  /** Stops a running answer and frees the context. */
  @Override
  public void close() {
    cancellation.cancel();
    context.close();
    generator.close();
  }
}
