package dev.ocellus.server.model;

import dev.ocellus.server.api.ApiException;
import dev.ocellus.server.options.HostingOptions;
import dev.ocellus.vlm.SessionPool;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.Message;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;

/**
 * A loaded model that chats, with as many threads as it decodes sequences together. They are
 * platform threads: an encoder or a sampler at work would keep a virtual one's carrier, of which
 * there are few. Connections wait on virtual threads and never compute.
 *
 * <p>A conversation that goes on finds the session in whose context it stands, and what one has
 * computed is found by the next that begins likewise, in whichever sequence that is.
 */
public final class ChatEngine implements AutoCloseable {
  private final VisionLanguageModel model;
  private final SessionPool sessions;
  private final FairQueue<ChatJob> queue;
  private final List<Thread> workers = new ArrayList<>();
  private final Set<ChatJob> running = ConcurrentHashMap.newKeySet();

  ChatEngine(VisionLanguageModel model, HostingOptions options) {
    this.model = model;
    this.sessions = new SessionPool(model);
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
    return sessions.size();
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
    boolean open = true;
    while (open) {
      try {
        open = answerNext();
      } catch (OutOfMemoryError e) { // between two answers; there is none to be told
        LockSupport.parkNanos(10_000_000);
      }
    }
  }

  private boolean answerNext() {
    ChatJob job = queue.take();
    if (job == null) {
      return false;
    }
    try {
      running.add(job);
      job.run(sessions);
    } finally {
      running.remove(job);
    }
    return true;
  }

  /**
   * Begins to answer.
   *
   * @param client whose turn it is
   * @param conversations each gets as many answers as there are options, one behind the other
   * @param options of each answer to the same conversation
   * @throws ApiException if too many wait already
   */
  public Generation start(
      String client, List<List<Message>> conversations, List<GenerationOptions> options) {
    var generation = new Generation(conversations.size() * options.size());
    int choice = 0;
    for (List<Message> messages : conversations) {
      for (GenerationOptions each : options) {
        add(client, new ChatJob(messages, each, choice++, generation::add), generation);
      }
    }
    return generation;
  }

  private void add(String client, ChatJob job, Generation generation) {
    generation.own(job, () -> queue.remove(client, job));
    if (!queue.offer(client, job)) {
      generation.close();
      throw new ApiException(
          ApiException.Kind.BUSY, "too many requests are waiting for this model; try again later");
    }
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
    sessions.close();
    model.close();
  }
}
