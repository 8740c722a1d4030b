package dev.ocellus.nativelib;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.nativelib.TestNatives.Result;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Loading for real, each time in a JVM of its own. */
class NativeLibrariesTest {
  private static final Os THIS_OS = Host.current().os().orElseThrow();

  @TempDir Path temp;

  @Test
  void loadsTheBundledLibrariesAndFindsTheCpu() throws Exception {
    Result result = TestNatives.load(cache()).succeeded();

    assertThat(result.output())
        .contains("source=BUNDLED")
        .contains("directory=" + temp.resolve("cache").resolve("natives"))
        .contains("version=llama.cpp 0.4.0")
        .contains("device=CPU");
  }

  @Test
  @EnabledOnOs(value = OS.LINUX, disabledReason = "needs /proc")
  void keepsOneCpuBackendTheOneForThisProcessor() throws Exception {
    Result result = TestNatives.load(cache()).succeeded();

    List<String> mapped =
        result.output().lines().filter(line -> line.startsWith("mapped=")).toList();
    assertThat(mapped).hasSize(1);
    String flags = Files.readString(Path.of("/proc/cpuinfo"));
    if (flags.contains(" avx512_bf16 ")) {
      assertThat(mapped.getFirst()).containsPattern("zen4|cooperlake|sapphirerapids");
    } else if (flags.contains(" avx2 ")) {
      assertThat(mapped.getFirst()).doesNotContainPattern("-(x64|sse42|sandybridge|ivybridge)\\.");
    }
  }

  @Test
  void processesThatStartAtOnceOnAnEmptyCacheAllLoad() throws Exception {
    List<Process> processes = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      processes.add(TestNatives.start(cache(), Map.of()));
    }
    for (Process process : processes) {
      assertThat(TestNatives.await(process).succeeded().output())
          .contains("device=CPU")
          .doesNotContain("WARNING");
    }
    try (Stream<Path> left = Files.list(temp.resolve("cache").resolve("natives"))) {
      assertThat(left).hasSize(2); // the package and its lock
    }
  }

  @Test
  void explicitDirectoryWinsOverTheBundledLibraries() throws Exception {
    TestNatives.copyTo(temp, List.of());

    Process process = TestNatives.start(cache(), Map.of("OCELLUS_NATIVE_DIR", temp.toString()));

    assertThat(TestNatives.await(process).succeeded().output())
        .contains("source=EXPLICIT")
        .contains("directory=" + temp + System.lineSeparator())
        .contains("device=CPU");
    assertThat(temp.resolve("cache")).doesNotExist();
  }

  @Test
  void warnsOnceAndUsesTheCpuWhenTheGpuLibraryDoesNotLoad() throws Exception {
    TestNatives.copyTo(temp, List.of());
    String broken = THIS_OS.prefix() + "ggml-cuda" + THIS_OS.backendSuffix();
    Files.writeString(temp.resolve(broken), "no library");

    Result result = explicit().succeeded();

    assertThat(result.output()).contains("device=CPU").containsPattern("gpuProblem=.*" + broken);
    assertThat(result.output().split("WARNING", -1)).hasSize(2);
    assertThat(result.output()).containsPattern("WARNING: no GPU is used.*" + broken);
  }

  @Test
  void warnsOnceWhenTheVariantAskedForIsNotBundled() throws Exception {
    Map<String, String> settings = new HashMap<>(cache());
    settings.put("ocellus.native.variant", THIS_OS == Os.MAC ? "cuda" : "metal");

    String output = TestNatives.load(settings).succeeded().output();

    assertThat(output).contains("source=BUNDLED").contains("device=CPU");
    assertThat(output).containsPattern("WARNING: using the native libraries .*: no bundled build");
  }

  @Test
  void saysThatNoCpuBackendIsThere() throws Exception {
    TestNatives.copyTo(temp, TestNatives.platform().linkedLibraries());

    assertThat(refusal(explicit()))
        .contains("no CPU backend")
        .contains(temp.toString())
        .contains("found none");
  }

  @Test
  void saysWhyALibraryDoesNotLoad() throws Exception {
    TestNatives.copyTo(temp, List.of());
    Path llama = temp.resolve(TestNatives.platform().linkedLibraries().getLast());
    Files.write(llama, new byte[100]);

    assertThat(refusal(explicit()))
        .contains("cannot load the native library " + llama)
        .doesNotContain("no reason given");
  }

  @Test
  void refusesLibrariesThatDoNotStateTheirVersion() throws Exception {
    List<String> linked = TestNatives.platform().linkedLibraries();
    TestNatives.copyTo(temp, linked);
    Files.copy(
        temp.resolve(linked.getFirst()),
        temp.resolve(linked.getLast()),
        StandardCopyOption.REPLACE_EXISTING);

    assertThat(refusal(explicit()))
        .contains("do not say which version they are (the function llama_version is missing)")
        .contains("Build llama.cpp at the tag v0.4.0");
  }

  private Map<String, String> cache() {
    return Map.of("ocellus.cache.dir", temp.resolve("cache").toString());
  }

  private Result explicit() throws IOException, InterruptedException {
    return TestNatives.load(
        Map.of(
            "ocellus.native.dir", temp.toString(),
            "ocellus.cache.dir", temp.resolve("cache").toString()));
  }

  private static String refusal(Result result) {
    assertThat(result.status()).as(result.output()).isEqualTo(3);
    return result
        .output()
        .lines()
        .filter(line -> line.startsWith("refused="))
        .findFirst()
        .orElseThrow();
  }
}
