package dev.ocellus.tests.fuzz;

import dev.ocellus.tests.hardship.FullHeap;
import dev.ocellus.tests.hardship.SmallStacks;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** A JVM of its own that has little stack or heap, with other limits every time. */
final class HardshipTarget extends GeneratedTarget {
  private static final List<String> COLLECTORS =
      List.of("-XX:+UseSerialGC", "-XX:+UseParallelGC", "-XX:+UseG1GC");
  private static final List<String> COMPILERS =
      List.of("-XX:+TieredCompilation", "-Xint", "-XX:TieredStopAtLevel=1", "-Xcomp");

  private final String name;
  private final Class<?> program;

  private HardshipTarget(String name, Class<?> program) {
    this.name = name;
    this.program = program;
  }

  static HardshipTarget stacks() {
    return new HardshipTarget("stacks", SmallStacks.class);
  }

  static HardshipTarget heaps() {
    return new HardshipTarget("heaps", FullHeap.class);
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public boolean isSlow() {
    return true;
  }

  @Override
  void run(SplittableRandom random, Path folder) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    if (program == SmallStacks.class) {
      command.add(COMPILERS.get(random.nextInt(COMPILERS.size() - 1)));
      command.add("-Xmx300m");
      command.add("-Xss" + random.nextInt(256, 1024) + "k");
    } else {
      command.add("-Xmx" + random.nextInt(20, 48) + "m");
      command.add(EdgeValues.one(COLLECTORS, random));
    }
    command.add("--enable-native-access=ALL-UNNAMED");
    command.add("-XX:-CreateCoredumpOnCrash");
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.addAll(List.of(program.getName(), folder.toString()));
    var builder = new ProcessBuilder(command).redirectErrorStream(true).directory(folder.toFile());
    builder.environment().put("GGML_NO_BACKTRACE", "1");
    Process process = builder.start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    int status = process.waitFor();
    require(
        status == 0 && out.stripTrailing().endsWith("survived"),
        "exit status %d of %s: %s".formatted(status, command, out));
  }
}
