package dev.ocellus.server.model;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Work in line, from several clients. Clients take turns, whatever one of them has sent: the first
 * request of a client waits for at most one of each other client. Bounded, so that nobody waits for
 * an answer that comes too late anyway.
 */
final class FairQueue<T> {
  private final int max;
  private final int maxPerClient;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();

  /** Those with work, the one whose turn it is first; guarded by lock. */
  private final Map<String, Deque<T>> clients = new LinkedHashMap<>();

  private int size; // guarded by lock
  private boolean closed; // guarded by lock

  FairQueue(int max, int maxPerClient) {
    this.max = max;
    this.maxPerClient = maxPerClient;
  }

  /** Puts work in line, unless there is too much of it already, or the queue is closed. */
  boolean offer(String client, T work) {
    lock.lock();
    try {
      Deque<T> own = clients.get(client);
      if (closed || size >= max || (own != null && own.size() >= maxPerClient)) {
        return false;
      }
      if (own == null) {
        own = new ArrayDeque<>();
        clients.put(client, own);
      }
      own.add(work);
      size++;
      changed.signal();
      return true;
    } finally {
      lock.unlock();
    }
  }

  /** The next work, waiting for it; null when the queue is closed and empty. */
  @Nullable T take() {
    lock.lock();
    try {
      while (clients.isEmpty()) {
        if (closed) {
          return null;
        }
        changed.awaitUninterruptibly();
      }
      Map.Entry<String, Deque<T>> first = clients.entrySet().iterator().next();
      String client = first.getKey();
      Deque<T> own = first.getValue();
      clients.remove(client);
      T work = own.removeFirst();
      size--;
      if (!own.isEmpty()) {
        clients.put(client, own); // behind the others
      }
      return work;
    } finally {
      lock.unlock();
    }
  }

  /** Takes work out of line; whether it was there. */
  boolean remove(String client, T work) {
    lock.lock();
    try {
      Deque<T> own = clients.get(client);
      if (own == null || !own.remove(work)) {
        return false;
      }
      size--;
      if (own.isEmpty()) {
        clients.remove(client);
      }
      return true;
    } finally {
      lock.unlock();
    }
  }

  /** How much is in line. */
  int size() {
    lock.lock();
    try {
      return size;
    } finally {
      lock.unlock();
    }
  }

  /** Takes no more; what is in line is still given out. */
  void close() {
    lock.lock();
    try {
      closed = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }
}
