package dev.ocellus.server.model;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Answers on their way from the threads that generate them to the one that writes them. Those never
 * wait for this one: a client that reads slowly holds nobody up, and what it has not read is no
 * longer than an answer may be.
 */
public final class Generation implements AutoCloseable {
  private record Owned(ChatJob job, Runnable takeFromLine) {}

  private final LinkedBlockingQueue<Event> events = new LinkedBlockingQueue<>();
  private final List<Owned> jobs = new ArrayList<>();
  private int unfinished;

  Generation(int nChoices) {
    unfinished = nChoices;
  }

  void add(Event event) {
    events.add(event);
  }

  void own(ChatJob job, Runnable takeFromLine) {
    jobs.add(new Owned(job, takeFromLine));
  }

  /** Whether all answers are complete and were told of. */
  public boolean isFinished() {
    return unfinished == 0;
  }

  /** The next event, or null if none came in time. */
  public @Nullable Event next(long millis) throws InterruptedException {
    Event event = events.poll(millis, TimeUnit.MILLISECONDS);
    if (event != null && event.isLast()) {
      unfinished--;
    }
    return event;
  }

  /** The event that {@link #next} gives next, if it is there already. */
  public @Nullable Event peek() {
    return events.peek();
  }

  /** Cancels what is not finished. */
  @Override
  public void close() {
    for (Owned owned : jobs) {
      owned.job.cancel();
      owned.takeFromLine.run();
    }
  }
}
