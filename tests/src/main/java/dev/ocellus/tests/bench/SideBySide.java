package dev.ocellus.tests.bench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.DoubleBinaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Runs Ocellus and llama.cpp's tools in turn, each in a process of its own, and prints medians and
 * their ratio as a Markdown row. Alternating cancels what else the machine does; a ratio means more
 * than either number.
 *
 * <pre>
 * SideBySide -m text.gguf --peer llama-bench -t 2 -p 512 -n 64 --rounds 5
 * SideBySide --mmproj mmproj.gguf -m text.gguf --image X --peer llama-mtmd-cli -t 2 --rounds 5
 * </pre>
 *
 * <p>With {@code --mmproj}, {@code --vision-precision} is passed on to Ocellus.
 *
 * <p>{@code -Docellus.native.dir} is passed on, so that both can use the same build of ggml.
 */
public final class SideBySide {
  private static final Pattern SPEEDS = Pattern.compile("\"samples_ts\": \\[([^]]*)]");
  private static final Pattern ENCODED = Pattern.compile("encod(?:ed|ing done) in (\\d+) ms");

  private final Options options;
  private final String threads;
  private final int rounds;

  private SideBySide(Options options) {
    this.options = options;
    this.threads = options.text("-t", "2");
    this.rounds = options.number("--rounds", 5);
  }

  /** See the class. */
  public static void main(String[] args) throws IOException, InterruptedException {
    var bench = new SideBySide(new Options(args));
    System.out.println("| test | ocellus | llama.cpp | ratio |\n|---|---|---|---|");
    if (bench.options.text("--mmproj", "").isEmpty()) {
      bench.text();
    } else {
      bench.image();
    }
  }

  private void text() throws IOException, InterruptedException {
    String prompt = options.text("-p", "512");
    String generated = options.text("-n", "64");
    for (String[] test : new String[][] {{"pp", prompt, "0"}, {"tg", "0", generated}}) {
      String name = test[0] + (test[0].equals("pp") ? prompt : generated);
      String[] sizes = {"-p", test[1], "-n", test[2], "-r", "1", "-t", threads};
      compare(
          name + ", tokens/s",
          () -> named(name, own(TextBench.class, with(sizes, "-m", options.text("-m")))),
          () -> speeds(run(peer(with(sizes, "-m", options.text("-m"), "-o", "jsonl")))),
          (own, peer) -> own / peer);
    }
  }

  private void image() throws IOException, InterruptedException {
    String mmproj = options.text("--mmproj");
    String[] peer = {
      "-m",
      options.text("-m"),
      "--mmproj",
      mmproj,
      "--image",
      options.text("--image"),
      "-p",
      "x",
      "-n",
      "1",
      "-c",
      "4096",
      "-t",
      threads,
      "--jinja"
    };
    String[] arguments = {
      "--mmproj",
      mmproj,
      "--image",
      options.text("--image"),
      "--vision-precision",
      options.text("--vision-precision", "exact"),
      "-t",
      threads,
      "-r",
      "1"
    };
    compare(
        "image encode, ms",
        () -> named("encode", own(ImageBench.class, arguments)),
        () -> sum(ENCODED, run(peer(peer))),
        (own, other) -> own / other);
  }

  /** The sum of what all slices of an image took. */
  private static double sum(Pattern pattern, String output) {
    double first = number(pattern, output); // fails if there is none
    Matcher matcher = pattern.matcher(output);
    double sum = 0;
    while (matcher.find()) {
      sum += Double.parseDouble(matcher.group(1));
    }
    return Math.max(first, sum);
  }

  private interface Measurement {
    double measure() throws IOException, InterruptedException;
  }

  private void compare(String name, Measurement own, Measurement peer, DoubleBinaryOperator ratio)
      throws IOException, InterruptedException {
    double[] ours = new double[rounds];
    double[] theirs = new double[rounds];
    double[] ratios = new double[rounds];
    for (int i = 0; i < rounds; i++) {
      // A B, then B A: what slows the machine down steadily favours neither
      if (i % 2 == 0) {
        ours[i] = own.measure();
        theirs[i] = peer.measure();
      } else {
        theirs[i] = peer.measure();
        ours[i] = own.measure();
      }
      ratios[i] = ratio.applyAsDouble(ours[i], theirs[i]);
    }
    Arrays.sort(ratios);
    System.out.printf(
        Locale.ROOT,
        "| %s | %.1f | %.1f | %.3f (%.3f to %.3f) |%n",
        name,
        median(ours),
        median(theirs),
        median(ratios),
        ratios[0],
        ratios[rounds - 1]);
  }

  private static double median(double... values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    int middle = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }

  /** Runs one of our benchmarks in a JVM like this one. */
  private static String own(Class<?> main, String... arguments)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("--enable-native-access=ALL-UNNAMED");
    String natives = System.getProperty("ocellus.native.dir");
    if (natives != null) {
      command.add("-Docellus.native.dir=" + natives);
    }
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
    command.addAll(List.of(arguments));
    return run(command);
  }

  private List<String> peer(String... arguments) {
    List<String> command = new ArrayList<>(List.of(options.text("--peer")));
    command.addAll(List.of(arguments));
    return command;
  }

  private static String run(List<String> command) throws IOException, InterruptedException {
    Path output = Files.createTempFile("bench", ".txt");
    try {
      int status =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(output.toFile())
              .redirectInput(ProcessBuilder.Redirect.PIPE)
              .start()
              .waitFor();
      // llama.cpp's tools may print bytes of half characters
      String text = new String(Files.readAllBytes(output), StandardCharsets.ISO_8859_1);
      if (status != 0) {
        throw new IOException(
            "%s ended with status %d:%n%s".formatted(String.join(" ", command), status, text));
      }
      return text;
    } finally {
      Files.delete(output);
    }
  }

  /** The first number of the line that begins with a name. */
  private static double named(String name, String output) {
    return number(Pattern.compile("(?m)^" + Pattern.quote(name) + " ([0-9.]+)"), output);
  }

  private static double speeds(String output) {
    return number(SPEEDS, output);
  }

  private static double number(Pattern pattern, String output) {
    Matcher matcher = pattern.matcher(output);
    if (!matcher.find()) {
      throw new IllegalStateException("no measurement (%s) in:%n%s".formatted(pattern, output));
    }
    return Double.parseDouble(matcher.group(1));
  }

  private static String[] with(String[] first, String... more) {
    String[] all = Arrays.copyOf(first, first.length + more.length);
    System.arraycopy(more, 0, all, first.length, more.length);
    return all;
  }
}
