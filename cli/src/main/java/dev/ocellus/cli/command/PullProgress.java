package dev.ocellus.cli.command;

import dev.ocellus.cli.terminal.Interrupt;
import dev.ocellus.cli.terminal.Progress;
import dev.ocellus.hub.PullListener;
import java.util.Locale;

/** Shows how much of a file has come, how fast, and how long it will take. */
public final class PullProgress implements PullListener {
  private static final double SECOND = 1e9;

  private final OcellusCommand command;
  private final Progress progress;
  private final Interrupt interrupt;
  private String file = "";
  private long begun;
  private long before;

  public PullProgress(OcellusCommand command, Progress progress, Interrupt interrupt) {
    this.command = command;
    this.progress = progress;
    this.interrupt = interrupt;
  }

  @Override
  public boolean progress(String name, long done, long total) {
    if (!name.equals(file)) {
      file = name;
      begun = System.nanoTime();
      before = done;
    }
    progress.report(
        "pulling %s, %s of %s%s".formatted(name, size(done), size(total), rate(done, total)),
        total == 0 ? 1 : (double) done / total);
    return !interrupt.happened();
  }

  private String rate(long done, long total) {
    double seconds = (System.nanoTime() - begun) / SECOND;
    double perSecond = (done - before) / seconds;
    return seconds < 1 || perSecond < 1
        ? ""
        : ", %s/s, %s left".formatted(size((long) perSecond), time((total - done) / perSecond));
  }

  /** Bytes in the units of disks and networks. */
  public static String size(long bytes) {
    if (bytes < 1_000_000) {
      return "%d kB".formatted(bytes / 1000);
    }
    return bytes < 1_000_000_000
        ? String.format(Locale.ROOT, "%.1f MB", bytes / 1e6)
        : String.format(Locale.ROOT, "%.2f GB", bytes / 1e9);
  }

  private static String time(double seconds) {
    long s = Math.round(seconds);
    return s < 60
        ? s + " s"
        : s < 3600
            ? "%d:%02d min".formatted(s / 60, s % 60)
            : "%d:%02d h".formatted(s / 3600, s / 60 % 60);
  }

  @Override
  public void note(String text) {
    command.note(text);
  }
}
