package dev.ocellus.tests.bench.suite;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A process that has ended well.
 *
 * @param output what it printed, standard error too
 * @param wallMillis from its start to its end
 * @param cpuMillis time of all its threads on a processor, as of at most 10 ms before its end
 * @param peakMib its {@code VmHWM}; 0 where there is no /proc
 */
record Finished(String output, double wallMillis, double cpuMillis, double peakMib) {
  private static final int POLL_MILLIS = 10;
  private static final Pattern HIGH_WATER = Pattern.compile("VmHWM:\\s+(\\d+) kB");
  private static final int UTIME = 11; // fields of /proc/PID/stat behind the name
  private static final int TICKS_PER_SECOND = 100;

  /**
   * Runs a command to its end.
   *
   * @throws IOException if it ends with another status than 0, with all that it printed
   */
  static Finished run(List<String> command) throws IOException, InterruptedException {
    Path output = Files.createTempFile("suite", ".txt");
    try {
      long start = System.nanoTime();
      Process process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(output.toFile())
              .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
              .start();
      Path proc = Path.of("/proc", Long.toString(process.pid()));
      double cpu = 0;
      double peak = 0;
      while (!process.waitFor(POLL_MILLIS, TimeUnit.MILLISECONDS)) {
        cpu = Math.max(cpu, cpuMillis(proc));
        peak = Math.max(peak, peakMib(proc));
      }
      double wall = (System.nanoTime() - start) / 1e6;
      // llama.cpp's tools may print bytes of half characters
      String text = new String(Files.readAllBytes(output), StandardCharsets.ISO_8859_1);
      if (process.exitValue() != 0) {
        throw new IOException(
            "%s ended with status %d:%n%s"
                .formatted(String.join(" ", command), process.exitValue(), text));
      }
      return new Finished(text, wall, cpu, peak);
    } finally {
      Files.delete(output);
    }
  }

  private static double cpuMillis(Path proc) {
    String stat = read(proc.resolve("stat"));
    String[] fields = stat.substring(stat.lastIndexOf(')') + 1).trim().split(" ");
    if (fields.length <= UTIME + 1) {
      return 0;
    }
    return (Long.parseLong(fields[UTIME]) + Long.parseLong(fields[UTIME + 1]))
        * (1000.0 / TICKS_PER_SECOND);
  }

  private static double peakMib(Path proc) {
    Matcher matcher = HIGH_WATER.matcher(read(proc.resolve("status")));
    return matcher.find() ? Long.parseLong(matcher.group(1)) / 1024.0 : 0;
  }

  /** Empty when the process has just ended. */
  private static String read(Path file) {
    try {
      return Files.readString(file, StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      return "";
    }
  }

  /** The number in the first group of a pattern's first match. */
  double number(Pattern pattern) {
    Matcher matcher = pattern.matcher(output);
    if (!matcher.find()) {
      throw new IllegalStateException("no measurement (%s) in:%n%s".formatted(pattern, output));
    }
    return Double.parseDouble(matcher.group(1));
  }

  /** The median of the numbers in the first group of a pattern's first match. */
  double median(Pattern pattern) {
    Matcher matcher = pattern.matcher(output);
    if (!matcher.find()) {
      throw new IllegalStateException("no measurements (%s) in:%n%s".formatted(pattern, output));
    }
    String[] numbers = matcher.group(1).strip().split("[\\s,]+");
    return Result.median(Arrays.stream(numbers).mapToDouble(Double::parseDouble).toArray());
  }

  /** The sum of the numbers in the first group of all matches. */
  double sum(Pattern pattern) {
    number(pattern); // fails if there is none
    return pattern.matcher(output).results().mapToDouble(m -> Double.parseDouble(m.group(1))).sum();
  }

  /** The first number of the line that begins with a name. */
  double named(String name) {
    return number(Pattern.compile("(?m)^" + Pattern.quote(name) + " ([0-9.]+)"));
  }
}
