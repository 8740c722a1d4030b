package dev.ocellus.tests.fuzz;

import dev.ocellus.OcellusException;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Runs cases one after the other in this JVM, noting each before it starts. */
final class Worker {
  /** Exit status when a case took too long. */
  static final int HUNG = 42;

  private static final int REPORT_EVERY = 500;

  private final List<Case.Start> starts;
  private final Path work;
  private final long hangMillis;
  private final PrintStream out;
  private final Map<String, Integer> outcomes = new TreeMap<>();
  private volatile @Nullable Case running;
  private volatile long since;
  private long slowest;
  private int wrong;

  Worker(List<Case.Start> starts, Path work, long hangMillis, PrintStream out) {
    this.starts = starts;
    this.work = work;
    this.hangMillis = hangMillis;
    this.out = out;
  }

  /** Where the number of the case that runs is kept, for who finds this JVM dead. */
  static Path journal(Path work) {
    return work.resolve("journal");
  }

  /**
   * Runs the cases from {@code first} until {@code end}, or until the time is over.
   *
   * @return cases that did not end as they should
   */
  int run(long seed, long first, long end, long deadlineNanos) throws IOException {
    Thread watchdog = new Thread(this::watch, "watchdog");
    watchdog.setDaemon(true);
    watchdog.start();
    starts.forEach(start -> start.target().prepare());
    long done = 0;
    for (long i = first; i < end && System.nanoTime() < deadlineNanos; i++) {
      one(Case.of(starts, seed, i));
      if (++done % REPORT_EVERY == 0) {
        out.printf("%d inputs, %d MiB resident, slowest %d ms%n", done, residentMiB(), slowest);
      }
    }
    Files.writeString(journal(work), "done " + (first + done));
    outcomes.forEach((what, n) -> out.printf("  %6d %s%n", n, what));
    out.printf("survived %d inputs, %d MiB resident%n", done, residentMiB());
    return wrong;
  }

  /** Runs one case and counts how it ended. */
  private void one(Case c) throws IOException {
    Path file = work.resolve("case" + suffix(c.base()));
    Files.deleteIfExists(file);
    Files.writeString(journal(work), "writing " + c.index());
    c.write(file);
    Files.writeString(journal(work), "running " + c.index());
    since = System.nanoTime();
    running = c;
    String outcome = c.target().name() + ": ";
    try {
      c.run(file);
      outcome += "ok";
    } catch (OcellusException | IOException e) {
      outcome += e.getClass().getSimpleName();
      if (e.getMessage() == null || e.getMessage().isBlank()) {
        complain(c, e);
      }
    } catch (Throwable e) { // no user should ever see one of these
      outcome += "WRONG " + e.getClass().getSimpleName();
      complain(c, e);
    } finally {
      running = null;
    }
    slowest = Math.max(slowest, (System.nanoTime() - since) / 1_000_000);
    outcomes.merge(outcome, 1, Integer::sum);
  }

  private void complain(Case c, Throwable e) {
    wrong++;
    out.println("WRONG exception in case " + c);
    e.printStackTrace(out);
  }

  static String suffix(Path file) {
    String name = file.toString();
    return name.substring(name.lastIndexOf('.'));
  }

  private void watch() {
    while (true) {
      try {
        Thread.sleep(200);
      } catch (InterruptedException e) {
        return;
      }
      Case c = running;
      if (c != null && System.nanoTime() - since > hangMillis * 1_000_000) {
        out.printf("HANG: case %s runs for more than %d ms%n", c, hangMillis);
        Thread.getAllStackTraces()
            .forEach((thread, stack) -> {
              if (stack.length > 0) {
                out.println("  " + thread.getName() + ": " + List.of(stack));
              }
            });
        out.flush();
        Runtime.getRuntime().halt(HUNG);
      }
    }
  }

  /** Memory of this process that is in use, Linux only; 0 elsewhere. */
  private static long residentMiB() throws IOException {
    Path statm = Path.of("/proc/self/statm");
    return Files.isReadable(statm)
        ? Long.parseLong(Files.readString(statm).split(" ")[1]) * 4096 >> 20
        : 0;
  }
}
