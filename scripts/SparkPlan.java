import java.util.Locale;
import java.util.PriorityQueue;
import java.util.Random;

/**
 * How a job over many images grows with executors, by simulation: {@code java scripts/SparkPlan.java
 * [--name=value …]}. Every task is an event: the driver starts it when it has a moment, its images
 * are read from one object store and computed, executors are lost and their tasks done again.
 * Prints a table; docs/spark.md has one, and says which values were measured.
 */
final class SparkPlan {
  private static final double BILLION = 1e9;

  /** Values of one run; all can be set by options of the same name. */
  private static final class Plan {
    double images = BILLION;
    double perTask = 2000; // images of a task
    double computeMs = 1000; // processor time of an image on one core, decoding included
    double decodeMs = 5; // of which decoding
    double cores = 8; // of an executor
    double imageKb = 150; // length of a file
    double latencyMs = 40; // of one request to the object store
    double storeGbs = 10; // what the store gives to all together, in GB/s
    double storeRps = 5500; // requests a second that it takes from all together
    double driverTasks = 200; // tasks a second that the driver starts
    double startSeconds = 20; // of an executor: process, model, hash
    double lossesPerDay = 0.05; // of an executor
    double spread = 0.1; // standard deviation of a task's time, as a share of it
    double coreHour = 0.04; // price of a core for an hour
    double seed = 1;
  }

  private record Result(double hours, double efficiency, double lost, String limit) {}

  /** A task that ends, or an executor's core that is free. */
  private record Event(double time, int executor, double begun) {}

  public static void main(String[] args) throws ReflectiveOperationException {
    Plan plan = new Plan();
    for (String arg : args) {
      String[] option = arg.replaceFirst("^--", "").split("=", 2);
      Plan.class.getDeclaredField(option[0]).setDouble(plan, Double.parseDouble(option[1]));
    }
    System.out.printf(
        Locale.ROOT,
        "%.0f images, %.0f ms each on a core (decoding %.0f), %.0f cores an executor, %.0f images a task%n",
        plan.images, plan.computeMs, plan.decodeMs, plan.cores, plan.perTask);
    System.out.println("executors |   hours | images/s | of linear | done again | cost/million | limit");
    for (int executors : new int[] {1, 10, 100, 1000, 4000}) {
      Result r = run(plan, executors);
      System.out.printf(
          Locale.ROOT,
          "%9d | %7.1f | %8.0f | %8.1f%% | %9.3f%% | %12.2f | %s%n",
          executors,
          r.hours,
          plan.images / (3600 * r.hours),
          100 * r.efficiency,
          100 * r.lost,
          r.hours * executors * plan.cores * plan.coreHour / (plan.images / 1e6),
          r.limit);
    }
  }

  private static Result run(Plan plan, int executors) {
    Random random = new Random((long) plan.seed);
    int slots = (int) plan.cores;
    // beyond some thousand tasks a core the end of a job is all that differs
    double tasksWanted = plan.images / plan.perTask;
    long tasks = (long) Math.ceil(tasksWanted);
    double readers = 2.0 * executors * slots; // rows on their way: twice as many as are computed
    double wanted = executors * slots * 1000 / plan.computeMs; // images a second, if nothing else limits
    double byLatency = readers * 1000 / (plan.latencyMs + plan.computeMs / 2);
    double byBytes = plan.storeGbs * 1e6 / plan.imageKb;
    double byDriver = plan.driverTasks * plan.perTask;
    double rate = Math.min(Math.min(wanted, byLatency), Math.min(byBytes, plan.storeRps));
    String limit =
        rate == plan.storeRps ? "requests of the store"
            : rate == byBytes ? "bytes of the store"
            : rate == byLatency ? "latency of the store"
            : byDriver < wanted ? "tasks the driver starts" : "computing";
    double seconds = plan.perTask / rate * executors * slots; // of a task
    PriorityQueue<Event> events = new PriorityQueue<>((a, b) -> Double.compare(a.time, b.time));
    double[] lossAt = new double[executors]; // the next time
    double[] lostAt = new double[executors]; // the last time
    for (int e = 0; e < executors; e++) {
      lossAt[e] = nextLoss(random, plan, 0);
      for (int s = 0; s < slots; s++) {
        events.add(new Event(plan.startSeconds, e, -1));
      }
    }
    double driverFree = 0;
    long left = tasks;
    long again = 0;
    double end = 0;
    while (!events.isEmpty()) {
      Event event = events.poll();
      double now = event.time;
      if (event.begun >= 0) {
        if (lossAt[event.executor] <= now) {
          lostAt[event.executor] = lossAt[event.executor];
          lossAt[event.executor] = nextLoss(random, plan, now);
        }
        if (event.begun < lostAt[event.executor]) { // its tasks are done again, in a new process
          left++;
          again++;
          now += plan.startSeconds;
        } else {
          end = Math.max(end, now);
        }
      }
      if (left > 0) {
        left--;
        double start = Math.max(now, driverFree);
        driverFree = start + 1 / plan.driverTasks;
        double time = seconds * Math.max(0.2, 1 + plan.spread * random.nextGaussian());
        events.add(new Event(start + time, event.executor, start));
      }
    }
    double best = plan.images * plan.computeMs / 1000 / (executors * slots);
    return new Result(end / 3600, best / end, (double) again / tasks, limit);
  }

  private static double nextLoss(Random random, Plan plan, double now) {
    return now - Math.log(1 - random.nextDouble()) / plan.lossesPerDay * 86_400;
  }
}
