package dev.ocellus.vlm.graph;

import dev.ocellus.ggml.MatMulObserver;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;

/**
 * Graphs that are kept for the next run, the ones used last. Each is built once, or several times
 * over pools that compute side by side; that counts as one. Not thread-safe: its runner has a lock.
 */
final class PlanCache {
  private record Key(Object graph, int nPools) {}

  /** A graph, once for each pool. */
  static final class Kept {
    private final Key key;
    private final List<SchedulerPool> pools;
    private final List<Plan> plans = new ArrayList<>();

    private Kept(Key key, List<SchedulerPool> pools) {
      this.key = key;
      this.pools = pools;
    }

    /** The one of the pool with a number. */
    Plan get(int pool) {
      return plans.get(pool);
    }

    private void drop() {
      for (int i = 0; i < plans.size(); i++) {
        pools.get(i).drop(plans.get(i));
      }
    }
  }

  private final int max;

  /** Of those that compute together all have a graph, or none. */
  private final List<List<SchedulerPool>> groups = new ArrayList<>();

  /** The one that was used longest ago first. */
  private final LinkedHashMap<Key, Kept> kept = new LinkedHashMap<>(16, 0.75f, true);

  /**
   * @param max graphs that are kept, with idle schedulers, at least 1
   */
  PlanCache(int max) {
    this.max = max;
  }

  /** Adds pools that compute one graph side by side. */
  void add(List<SchedulerPool> group) {
    groups.add(group);
  }

  /**
   * A graph over each of some pools, built if need be.
   *
   * @param key what the definition depends on
   * @param group one of those that were added
   */
  Kept get(Object key, GraphDefinition definition, List<SchedulerPool> group) {
    var full = new Key(key, group.size());
    Kept known = kept.get(full);
    if (known != null) {
      return known;
    }
    makeRoom(group);
    var built = new Kept(full, group);
    try {
      for (SchedulerPool pool : group) {
        built.plans.add(pool.build(definition));
      }
      kept.put(full, built);
    } catch (Throwable e) {
      built.drop();
      throw e;
    }
    return built;
  }

  /** The memory of the graph that was used longest ago goes to this group, or to the system. */
  private void makeRoom(List<SchedulerPool> group) {
    while (group.getFirst().nIdle() == 0 && count() >= max) {
      if (!freeIdleOfOthers(group)) {
        drop(kept.values().iterator().next());
      }
    }
  }

  private int count() {
    return kept.size() + groups.stream().mapToInt(group -> group.getFirst().nIdle()).sum();
  }

  private boolean freeIdleOfOthers(List<SchedulerPool> group) {
    for (List<SchedulerPool> other : groups) {
      if (other != group && other.getFirst().nIdle() > 0) {
        other.forEach(SchedulerPool::freeIdle);
        return true;
      }
    }
    return false;
  }

  /** Frees a graph; its memory is for the next one of the same pools. */
  void drop(Kept plans) {
    kept.remove(plans.key);
    plans.drop();
  }

  void dropAll() {
    List.copyOf(kept.values()).forEach(this::drop);
  }

  /** Frees all graphs and the memory of all schedulers. */
  void free() {
    dropAll();
    groups.forEach(group -> group.forEach(SchedulerPool::freeAllIdle));
  }

  /** Bytes that are held for intermediates. */
  long bufferBytes() {
    long bytes = 0;
    for (List<SchedulerPool> group : groups) {
      bytes += group.stream().mapToLong(SchedulerPool::idleBytes).sum();
    }
    for (Kept each : kept.values()) {
      bytes += each.plans.stream().mapToLong(plan -> plan.scheduler().bufferBytes()).sum();
    }
    return bytes;
  }

  /** Lets somebody watch the products of all graphs, also of those to come. */
  void observe(MatMulObserver watcher) {
    groups.forEach(group -> group.forEach(pool -> pool.observe(watcher)));
    kept.values().forEach(each -> each.plans.forEach(plan -> plan.scheduler().observe(watcher)));
  }
}
