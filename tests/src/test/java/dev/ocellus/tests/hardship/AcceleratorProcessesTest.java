package dev.ocellus.tests.hardship;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.compute.Accelerator;
import dev.ocellus.ggml.Accel;
import dev.ocellus.ggml.Device;
import dev.ocellus.nativelib.NativeLibraries;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The accelerator's libraries, and processors, as a process may find them. */
class AcceleratorProcessesTest {
  private static final String EVERYTHING = "-Docellus.accel.everything=true";
  private static final String NOTE = "not used for products of matrices";
  private static final String DIFFERENCE = "difference";

  /** Of the largest logit: ggml rounds activations to 8 bits, the accelerator to BF16. */
  private static final double ROUNDING_OF_8_BITS = 0.05;

  private static final double ROUNDING = 1e-4;

  @TempDir private Path folder;

  static boolean hasAccelerator() {
    return Accel.find(Accelerator.AUTO).isPresent();
  }

  @Test
  @EnabledIf("hasAccelerator")
  void modelsWithAndWithoutItLiveInOneProcess() throws Exception {
    String out = run(AcceleratorOnAndOff.class, EVERYTHING);
    assertThat(out)
        .contains("accelerator: true\n", "off stays: true\n", "on repeats: true\n")
        .contains("off stays at last: true\n")
        .doesNotContain(NOTE);
    assertThat(number(DIFFERENCE, out))
        .as("used, within rounding")
        .isPositive()
        .isLessThan(ROUNDING);
  }

  static boolean takesQuantizedModels() {
    List<String> features = Device.cpu().features();
    return hasAccelerator() && (features.contains("AMX_INT8") || features.contains("AVX512_BF16"));
  }

  /** With a large stack, too, on which the calling thread could multiply. */
  @ParameterizedTest
  @ValueSource(strings = {"1m", "16m"})
  @EnabledIf("takesQuantizedModels")
  void quantizedModelsWithAndWithoutItLiveInOneProcess(String stack) throws Exception {
    List<String> command = command(AcceleratorOnAndOff.class, EVERYTHING, "-Xss" + stack);
    command.add("Q4_0");
    String out = run(command);
    assertThat(out)
        .contains("accelerator: true\n", "off stays: true\n", "on repeats: true\n")
        .contains("off stays at last: true\n");
    assertThat(number(DIFFERENCE, out))
        .as("used, within rounding")
        .isPositive()
        .isLessThan(ROUNDING_OF_8_BITS * number("largest", out));
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  @EnabledIf("takesQuantizedModels")
  void quantizedModelsLoadTheLibrariesWithTheFirstPromptThatNeedsThem() throws Exception {
    List<String> command = command(AcceleratorOnAndOff.class, EVERYTHING);
    command.add("Q4_0");
    assertThat(run(command)).contains("oneDNN before a prompt: false\noneDNN after it: true\n");
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  @EnabledIf("takesQuantizedModels")
  void promptsOfQuantizedModelsRunWithoutDamagedLibraries() throws Exception {
    List<String> command =
        command(AcceleratorOnAndOff.class, EVERYTHING, "-Docellus.accel.dir=" + damaged());
    command.add("Q4_0");
    assertIsWithoutIt(run(command), "cannot load");
  }

  @Test
  @EnabledIf("hasAccelerator")
  void aFullHeapSpoilsNothingForLater() throws Exception {
    String out = run(FullHeap.class, EVERYTHING, "-Xmx24m", "-XX:+UseSerialGC");
    assertThat(out).endsWith("accelerator: true\nsurvived\n");
  }

  /** Every call back of one function, also the 128th, for which the JVM spins a class. */
  @Test
  void nativeCodeCallsBackWithAFullHeap() throws Exception {
    String out = run(CallsBackWithFullHeap.class, "-Xmx24m", "-XX:+UseSerialGC");
    assertThat(out).isEqualTo("sorted\n");
  }

  @Test
  void aThreadThatFailsWithAFullHeapIsNotWaitedForForEver() throws Exception {
    String out = run(FailsWithFullHeap.class, "-Xmx24m", "-XX:+UseSerialGC");
    assertThat(out).isEqualTo("told\n");
  }

  @Test
  void withoutTheLibrariesEverythingRunsAsWithoutItAndOneNoteIsGiven() throws Exception {
    Path missing = Files.createDirectory(folder.resolve("missing"));
    assertRunsWithoutIt(missing, "there is no file");
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void soItDoesWithDamagedLibraries() throws Exception {
    assertRunsWithoutIt(damaged(), "cannot load");
  }

  private Path damaged() throws IOException {
    Path damaged = Files.createDirectory(folder.resolve("damaged"));
    for (String name : List.of("libopenblas.so.0", "libdnnl.so.3")) {
      Files.writeString(damaged.resolve(name), "no library");
    }
    return damaged;
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void soItDoesWithOtherLibrariesOfThatName() throws Exception {
    Path others = Files.createDirectory(folder.resolve("others"));
    Path another = aLibrary();
    for (String name : List.of("libopenblas.so.0", "libdnnl.so.3")) {
      Files.copy(another, others.resolve(name));
    }
    assertRunsWithoutIt(others, "it is another library, or of another version");
  }

  /** A library that has none of the functions. */
  private static Path aLibrary() throws IOException {
    NativeLibraries.symbols();
    for (String line : Files.readAllLines(Path.of("/proc/self/maps"))) {
      int slash = line.indexOf('/');
      if (slash > 0 && line.contains("libggml-base")) {
        return Path.of(line.substring(slash));
      }
    }
    throw new IllegalStateException("libggml-base is not loaded");
  }

  private void assertRunsWithoutIt(Path libraries, String why) throws Exception {
    assertIsWithoutIt(
        run(AcceleratorOnAndOff.class, EVERYTHING, "-Docellus.accel.dir=" + libraries), why);
  }

  private static void assertIsWithoutIt(String out, String why) {
    assertThat(out)
        .contains("accelerator: false\n", "off stays: true\n", "on repeats: true\n", why)
        .endsWith("survived\n");
    assertThat(number(DIFFERENCE, out)).isZero();
    assertThat(out.split(Pattern.quote(NOTE), -1)).as(out).hasSize(2);
  }

  @Test
  void threadsAreAsManyAsTheSystemAllows() throws Exception {
    // as the JVM counts under a container's limit
    String out = run(AcceleratorOnAndOff.class, EVERYTHING, "-XX:ActiveProcessorCount=1");
    assertThat(out).contains("threads: 1\n", "off stays: true\n");
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void threadsAreAsManyAsTheProcessMayRunOn() throws Exception {
    int allowed = firstAllowedProcessor();
    List<String> command = new ArrayList<>(List.of("taskset", "-c", Integer.toString(allowed)));
    command.addAll(command(AcceleratorOnAndOff.class, EVERYTHING));
    String out = run(command);
    assertThat(out).contains("threads: 1\n", "off stays: true\n").endsWith("survived\n");
  }

  private static int firstAllowedProcessor() throws IOException {
    Matcher matcher =
        Pattern.compile("(?m)^Cpus_allowed_list:\\s+(\\d+)")
            .matcher(Files.readString(Path.of("/proc/self/status")));
    assertThat(matcher.find()).isTrue();
    return Integer.parseInt(matcher.group(1));
  }

  private static double number(String name, String out) {
    Matcher matcher = Pattern.compile(name + ": (\\S+)").matcher(out);
    assertThat(matcher.find()).as(out).isTrue();
    return Double.parseDouble(matcher.group(1));
  }

  private String run(Class<?> program, String... options) throws IOException, InterruptedException {
    return run(command(program, options));
  }

  private List<String> command(Class<?> program, String... options) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of(options));
    command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-XX:-CreateCoredumpOnCrash"));
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.addAll(List.of(program.getName(), folder.toString()));
    return command;
  }

  private static String run(List<String> command) throws IOException, InterruptedException {
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().remove("OCELLUS_ACCEL");
    builder.environment().remove("OCELLUS_ACCEL_DIR");
    Process process = builder.start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(out).isZero();
    return out.replace("\r\n", "\n");
  }
}
