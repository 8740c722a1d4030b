package dev.ocellus.tests.fuzz;

import dev.ocellus.tests.Folders;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * Damages files and lets one JVM open them all; it must survive.
 *
 * <p>A second JVM is started for that. When it dies, the input is kept, the death is counted, and
 * another one goes on behind it.
 */
@Command(
    name = "fuzz",
    mixinStandardHelpOptions = true,
    description = "Damages models, images and sessions by the thousand and opens them in one JVM.")
public final class Fuzz implements Callable<Integer> {
  /** Held here, as a logger that nobody holds is forgotten together with its level. */
  private static final Logger LOGGER = Logger.getLogger("dev.ocellus");

  private static final int NOTHING_TO_DO = 2;

  @Parameters(
      paramLabel = "FOLDER",
      arity = "0..*",
      description =
          "More files to start from: text models, mmproj files, images, sessions of both.")
  private List<Path> folders = new ArrayList<>();

  @Option(names = "--count", defaultValue = "1000", description = "Inputs (${DEFAULT-VALUE}).")
  private long count;

  @Option(names = "--seed", defaultValue = "1", description = "Another one, other inputs.")
  private long seed;

  @Option(names = "--from", defaultValue = "0", description = "Number of the first input.")
  private long from;

  @Option(
      names = "--only",
      defaultValue = "",
      description =
          "One of gguf, text, image, mmproj, convert, session, safetensors, pickle, tokenizer, template, messages, grammar, schema, imatrix, quantize, output, vocabulary, checkpoint, interleave, stacks, heaps; all but the last two, which are slow, if left out.")
  private String only = "";

  @Option(
      names = "--time-limit",
      defaultValue = "3600",
      description = "Seconds after which no input is begun (${DEFAULT-VALUE}).")
  private long timeLimit;

  @Option(
      names = "--hang",
      defaultValue = "30000",
      description = "Milliseconds after which an input counts as hung (${DEFAULT-VALUE}).")
  private long hangMillis;

  @Option(
      names = "--replay",
      paramLabel = "INDEX|FILE",
      defaultValue = "",
      description = "Runs only this input, by its number or from a file that was kept.")
  private String replay = "";

  @Option(
      names = "--out",
      defaultValue = "fuzz-out",
      description = "Where inputs that killed are kept (${DEFAULT-VALUE}).")
  private Path kept = Path.of("fuzz-out");

  @Option(names = "--worker", hidden = true, defaultValue = "")
  private String worker = "";

  private final PrintStream out = System.out;

  /** Entry point. */
  public static void main(String[] args) {
    System.exit(new CommandLine(new Fuzz()).execute(args));
  }

  @Override
  public Integer call() throws Exception {
    LOGGER.setLevel(Level.OFF); // libllama complains about every input
    if (!worker.isEmpty()) {
      Path work = Path.of(worker);
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(timeLimit);
      List<Case.Start> starts = Case.starts(folders, only, work);
      if (starts.isEmpty()) {
        out.printf("fuzz: nothing to start from for \"%s\"; give a folder with such files%n", only);
        return NOTHING_TO_DO;
      }
      Worker w = new Worker(starts, work, hangMillis, out);
      return w.run(seed, from, from + count, deadline) == 0 ? 0 : 1;
    }
    folders.replaceAll(Path::toAbsolutePath); // workers run in a directory of their own
    for (Path folder : folders) {
      if (!Files.isDirectory(folder)) {
        out.println("fuzz: no such folder: " + folder);
        return 2;
      }
    }
    Path work = Files.createTempDirectory("ocellus-fuzz");
    try {
      return replay.isEmpty() ? supervise(work) : replay(work);
    } finally {
      Folders.delete(work);
    }
  }

  /** Starts JVMs until all inputs have had their turn. */
  private int supervise(Path work) throws IOException, InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(timeLimit);
    long next = from;
    long end = from + count;
    int deaths = 0;
    int hangs = 0;
    boolean wrong = false;
    while (next < end && System.nanoTime() < deadline) {
      long seconds = Math.max(1, TimeUnit.NANOSECONDS.toSeconds(deadline - System.nanoTime()));
      Process jvm = start(work, next, end - next, seconds);
      int status = jvm.waitFor();
      Path journal = Worker.journal(work);
      if (status == NOTHING_TO_DO && !Files.exists(journal)) {
        return NOTHING_TO_DO;
      }
      if (!Files.exists(journal)) {
        throw new IllegalStateException(
            "The worker ended with %d before it began".formatted(status));
      }
      String[] entry = Files.readString(journal).split(" ");
      long index = Long.parseLong(entry[1]);
      if (entry[0].equals("done")) {
        wrong |= status != 0;
        next = index;
        break;
      }
      boolean hung = status == Worker.HUNG;
      hangs += hung ? 1 : 0;
      deaths += hung ? 0 : 1;
      Case c = Case.of(Case.starts(folders, only, work), seed, index);
      out.printf(
          "%s in case %s, exit status %d; kept as %s%n",
          hung ? "HANG" : "DEATH", c, status, keep(work, c));
      next = index + 1;
    }
    out.printf("%d inputs, %d deaths, %d hangs%n", next - from, deaths, hangs);
    return deaths == 0 && hangs == 0 && !wrong ? 0 : 1;
  }

  private Process start(Path work, long first, long n, long seconds) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(ProcessHandle.current().info().command().orElse("java"));
    command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
    command.add("-XX:-CreateCoredumpOnCrash");
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), Fuzz.class.getName()));
    command.addAll(List.of("--worker", work.toString(), "--only", only));
    command.addAll(List.of("--seed", "" + seed, "--from", "" + first, "--count", "" + n));
    command.addAll(List.of("--time-limit", "" + seconds, "--hang", "" + hangMillis));
    folders.forEach(f -> command.add(f.toString()));
    ProcessBuilder builder = new ProcessBuilder(command).inheritIO().directory(work.toFile());
    builder.environment().put("GGML_NO_BACKTRACE", "1"); // a debugger takes its time
    return builder.start();
  }

  private Path keep(Path work, Case c) throws IOException {
    Files.createDirectories(kept);
    Path file =
        kept.resolve(
            "%s-%d-%d%s".formatted(c.target().name(), seed, c.index(), Worker.suffix(c.base())));
    c.write(work.resolve("again" + Worker.suffix(c.base())));
    Files.move(
        work.resolve("again" + Worker.suffix(c.base())), file, StandardCopyOption.REPLACE_EXISTING);
    return file;
  }

  /** Runs one input in this JVM and shows how it ends. */
  private int replay(Path work) throws Exception {
    try {
      if (replay.chars().allMatch(Character::isDigit)) {
        Case c = Case.of(Case.starts(folders, only, work), seed, Long.parseLong(replay));
        Path file = work.resolve("case" + Worker.suffix(c.base()));
        out.println("case " + c);
        c.write(file);
        c.run(file);
      } else {
        Path file = Path.of(replay);
        Target target =
            Case.TARGETS.stream()
                .filter(t -> t.name().equals(only))
                .findFirst()
                .orElseThrow(
                    () -> new IllegalArgumentException("--replay FILE needs --only TARGET"));
        target.run(Files.readAllBytes(file), file, seed);
      }
      out.println("ended well");
    } catch (Exception e) {
      e.printStackTrace(new PrintStream(out, true, StandardCharsets.UTF_8));
    }
    return 0;
  }
}
