package dev.ocellus.tests.hardship;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** In JVMs of their own, as some of these ended it. */
class HardshipTest {
  @TempDir private Path folder;

  /** The interpreter's frames have other sizes than those of compiled code. */
  @ParameterizedTest
  @ValueSource(strings = {"-XX:+TieredCompilation", "-Xint"})
  void anEndingStackEndsNoProcess(String mode) throws Exception {
    String out = run(SmallStacks.class, List.of(mode, "-Xmx300m"));
    assertThat(out).endsWith("survived\n");
    // threads of any size can do everything, and where nothing is left Java says so
    assertThat(out).contains("image, 64 KiB, ok: 1\n", "decode, virtual thread, ok: 1\n");
    assertThat(out).contains("near the end, ok: ", "near the end, StackOverflowError: ");
    assertThat(out.lines().filter(l -> !l.contains(" ok: ")))
        .allMatch(l ->
            l.contains("near the end, StackOverflowError: ")
                || l.matches("overflow.* ContextOverflowException: .*")
                || l.equals("survived"));
  }

  @Test
  void aFullHeapSpoilsNothingForLater() throws Exception {
    String out = run(FullHeap.class, List.of("-Xmx24m", "-XX:+UseSerialGC"));
    assertThat(out).endsWith("survived\n");
  }

  private String run(Class<?> program, List<String> options)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(options);
    command.add("--enable-native-access=ALL-UNNAMED");
    command.add("-XX:-CreateCoredumpOnCrash");
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.addAll(List.of(program.getName(), folder.toString()));
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectErrorStream(true).directory(folder.toFile());
    builder.environment().put("GGML_NO_BACKTRACE", "1");
    Process process = builder.start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(out).isZero();
    return out.replace("\r\n", "\n");
  }
}
