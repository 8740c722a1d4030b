package dev.ocellus.vlm.graph;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.compute.Turns;
import dev.ocellus.ggml.Accel;
import dev.ocellus.ggml.Device;
import dev.ocellus.ggml.SideBySide;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Computes equal shares of a batch side by side on the CPU, each with backends and memory of its
 * own, and one thread. Not thread-safe: its runner has a lock.
 */
final class Shares implements AutoCloseable {
  private final int count;
  private final @Nullable Accel accel;
  private final PlanCache plans;
  private List<SchedulerPool> pools = List.of(); // opened when they are first needed
  private @Nullable Turns turns;

  /**
   * @param count how many there are
   * @param accel what takes large products; null for nothing
   * @param plans keeps their graphs
   */
  Shares(int count, @Nullable Accel accel, PlanCache plans) {
    this.count = count;
    this.accel = accel;
    this.plans = plans;
  }

  /**
   * Computes the first items of a batch; what the first share that failed threw is thrown after the
   * others have ended.
   *
   * @param each items of a share
   */
  void run(BatchGraph batch, int each, CancellationFlag flag) {
    open();
    PlanCache.Kept built = plans.get(batch.key(each), graph -> batch.define(graph, each), pools);
    var stop = new CancellationFlag();
    try {
      flag.whileWatched(
          stop::cancel,
          () -> {
            SideBySide.run(
                count, i -> run(built.get(i), batch, i * each, each, stop), stop::cancel);
            return true;
          });
    } catch (Throwable e) {
      plans.drop(built);
      throw e;
    }
  }

  private static void run(Plan plan, BatchGraph batch, int from, int n, CancellationFlag flag) {
    try (GraphRun run = plan.start(() -> {}, () -> {})) { // who waits drops what failed
      batch.compute(run, from, n, flag);
    }
  }

  /** As {@link SchedulerPool#takeTurns}, before the first batch. */
  void takeTurns(Turns with) {
    turns = with;
  }

  private void open() {
    if (!pools.isEmpty()) {
      return;
    }
    List<SchedulerPool> opened = new ArrayList<>();
    try {
      for (int i = 0; i < count; i++) {
        SchedulerPool pool = new SchedulerPool(Device.cpu(), accel, 1);
        opened.add(pool);
        if (turns != null) {
          pool.takeTurns(turns);
        }
      }
    } catch (Throwable e) {
      opened.forEach(SchedulerPool::close);
      throw e;
    }
    pools = List.copyOf(opened);
    plans.add(pools);
  }

  @Override
  public void close() {
    pools.forEach(SchedulerPool::close);
  }
}
