package dev.ocellus.server.model;

import dev.ocellus.server.api.ApiException;
import dev.ocellus.server.options.HostingOptions;
import dev.ocellus.vlm.ChatSession;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.Message;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A loaded model that chats, with as many threads as it decodes sequences together. They are
 * platform threads: an encoder or a sampler at work would keep a virtual one's carrier, of which
 * there are few. Connections wait on virtual threads and never compute.
 *
 * <p>Each thread has a session for good. What one conversation has computed is found by the next
 * that begins likewise, in whichever sequence it stands.
 */
public final class ChatEngine implements AutoCloseable {
  private final VisionLanguageModel model;
  private final FairQueue<ChatJob> queue;
  private final List<Thread> workers = new ArrayList<>();
  private final Set<ChatJob> running = ConcurrentHashMap.newKeySet();

  ChatEngine(VisionLanguageModel model, HostingOptions options) {
    this.model = model;
    this.queue = new FairQueue<>(options.maxQueued(), options.maxQueuedPerClient());
    for (int i = 0; i < parallel(); i++) {
      workers.add(Thread.ofPlatform().daemon().name("ocellus-answer-" + i).start(this::work));
    }
  }

  /** The model. */
  public VisionLanguageModel model() {
    return model;
  }

  /** Answers that are generated at the same time. */
  public int parallel() {
    return model.options().sessions().parallel();
  }

  /** Answers that wait. */
  public int queued() {
    return queue.size();
  }

  /** Answers that are being generated. */
  public int running() {
    return running.size();
  }

  private void work() {
    try (ChatSession session = model.newChat()) {
      for (ChatJob job = queue.take(); job != null; job = queue.take()) {
        running.add(job);
        try {
          job.run(session);
        } finally {
          running.remove(job);
          session.clear(); // the messages, which may be large; keys and values stay
        }
      }
    } catch (Throwable e) { // no context could be made: the line is told, one by one
      for (ChatJob job = queue.take(); job != null; job = queue.take()) {
        job.fail(e);
      }
    }
  }

  /**
   * Begins to answer.
   *
   * @param client whose turn it is
   * @param options of each answer, all to the same conversation
   * @throws ApiException if too many wait already
   */
  public Generation start(String client, List<Message> messages, List<GenerationOptions> options) {
    var generation = new Generation(options.size());
    for (int i = 0; i < options.size(); i++) {
      var job = new ChatJob(messages, options.get(i), i, generation::add);
      generation.own(job, () -> queue.remove(client, job));
      if (!queue.offer(client, job)) {
        generation.close();
        throw new ApiException(
            ApiException.Kind.BUSY,
            "too many requests are waiting for this model; try again later");
      }
    }
    return generation;
  }

  /** Cancels what runs and what waits. */
  void cancelAll() {
    queue.close();
    running.forEach(ChatJob::cancel);
  }

  /** Ends the threads, when they have answered what waits, and frees the model. */
  @Override
  public void close() {
    queue.close();
    for (Thread worker : workers) {
      boolean interrupted = false;
      while (worker.isAlive()) {
        try {
          worker.join();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
    model.close();
  }
}
