package dev.ocellus.vlm.graph;

import dev.ocellus.compute.Turns;
import dev.ocellus.ggml.Accel;
import dev.ocellus.ggml.Backend;
import dev.ocellus.ggml.Device;
import dev.ocellus.ggml.MatMulObserver;
import dev.ocellus.ggml.Scheduler;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Backends that compute a graph together, and the schedulers over them that have no graph at the
 * moment. What a scheduler has allocated for intermediates stays with it. Not thread-safe: its
 * runner has a lock.
 */
final class SchedulerPool implements AutoCloseable {
  private final Device device;
  private final @Nullable Accel accel;

  /** By preference; before the one that holds the weights there may be an accelerator. */
  private final List<Backend> backends = new ArrayList<>();

  private final Deque<Scheduler> idle = new ArrayDeque<>();
  private @Nullable MatMulObserver observer;
  private @Nullable Turns turns;

  /**
   * Opens backends.
   *
   * @param device where the weights are
   * @param accel what takes large products on the CPU; null for nothing
   * @param nThreads threads on the CPU
   */
  SchedulerPool(Device device, @Nullable Accel accel, int nThreads) {
    this.device = device;
    this.accel = accel;
    try {
      if (accel != null) {
        backends.add(accel.newBackend(nThreads));
      }
      if (device.kind() != Device.Kind.CPU) {
        backends.add(new Backend(device, 1));
      }
      backends.add(new Backend(Device.cpu(), nThreads));
    } catch (Throwable e) {
      close();
      throw e;
    }
  }

  /** Where weights and what is kept between runs lie. */
  Device device() {
    return device;
  }

  /** Its backend. */
  Backend main() {
    Backend first = backends.getFirst();
    return first.device().kind() == Device.Kind.ACCELERATOR ? backends.get(1) : first;
  }

  /** A scheduler for one use, which the caller closes. */
  Scheduler newScheduler() {
    return new Scheduler(backends.toArray(Backend[]::new));
  }

  /** Builds a graph with memory of an idle scheduler, or with new memory. */
  Plan build(GraphDefinition definition) {
    Scheduler scheduler = idle.isEmpty() ? newObserved() : idle.pop();
    try {
      return Plan.build(definition, scheduler, false);
    } catch (Throwable e) {
      idle.push(scheduler);
      throw e;
    }
  }

  private Scheduler newObserved() {
    Scheduler scheduler = newScheduler();
    if (observer != null) {
      scheduler.observe(observer);
    }
    if (turns != null) {
      scheduler.takeTurns(turns);
    }
    return scheduler;
  }

  /** Frees a graph; its memory is for the next one. */
  void drop(Plan plan) {
    idle.push(plan.scheduler());
    plan.drop();
  }

  int nIdle() {
    return idle.size();
  }

  /** Frees the memory of an idle scheduler, if there is one. */
  void freeIdle() {
    if (!idle.isEmpty()) {
      idle.pop().close();
    }
  }

  void freeAllIdle() {
    while (!idle.isEmpty()) {
      freeIdle();
    }
  }

  /** Bytes that idle schedulers hold. */
  long idleBytes() {
    return idle.stream().mapToLong(Scheduler::bufferBytes).sum();
  }

  /** Lets somebody watch the products of idle schedulers and of new ones. */
  void observe(MatMulObserver watcher) {
    observer = watcher;
    idle.forEach(scheduler -> scheduler.observe(watcher));
  }

  /**
   * Lets graphs of idle schedulers and of new ones have the processor in turns with other work,
   * where an accelerator can give way between their nodes.
   */
  void takeTurns(Turns with) {
    if (accel != null) {
      turns = with;
      accel.takeTurns(backends.getFirst(), with);
      idle.forEach(scheduler -> scheduler.takeTurns(with));
    }
  }

  /** Closes idle schedulers, which must be all of them, and the backends. */
  @Override
  public void close() {
    freeAllIdle();
    backends.forEach(Backend::close);
    backends.clear();
  }
}
