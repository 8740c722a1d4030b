package dev.ocellus.nativelib;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The tables against listings of the packages, and against the package that the build fetched. */
class PlatformTest {
  @ParameterizedTest
  @EnumSource(Platform.class)
  void tableNamesExactlyTheLibrariesOfThePackage(Platform platform) throws IOException {
    Map<String, Long> listing = listing(platform.id());

    Set<String> libraries = new HashSet<>(listing.keySet());
    libraries.removeIf(
        name -> !name.matches(".*\\.(so|dylib|dll)") || name.contains("llama-common"));

    assertThat(table(platform)).isEqualTo(libraries);
  }

  @ParameterizedTest
  @ValueSource(strings = {"linux-x64-cuda", "win-x64-cuda"})
  void companionOfACudaPackageHoldsOnlyTheSameBackendForOlderDrivers(String id) throws IOException {
    String backend = id.startsWith("linux") ? "libggml-cuda.so" : "ggml-cuda.dll";

    assertThat(listing(id + "-ext").keySet()).containsExactly("fallback/" + backend);
    assertThat(listing(id).keySet()).contains(backend);
  }

  @Test
  void fetchedPackageHoldsTheFilesOfItsListing() throws IOException {
    Platform platform = TestNatives.platform();
    NativeManifest manifest = TestNatives.bundle().manifest();

    Map<String, Long> files = new HashMap<>();
    manifest.files().forEach(file -> files.put(file.name(), file.size()));
    assertThat(files).containsKeys("LICENSE-llama.cpp.txt", "LICENSE-node-llama-cpp.txt");
    files.keySet().removeIf(name -> name.startsWith("LICENSE") || name.startsWith("fallback/"));

    assertThat(files.keySet()).isEqualTo(table(platform));
    assertThat(listing(platform.id())).containsAllEntriesOf(files);
    assertThat(manifest.tag()).isEqualTo(NativeVersion.TAG);
  }

  @Test
  void linkedLibrariesComeDependenciesFirst() {
    assertThat(Platform.LINUX_X64.linkedLibraries())
        .containsExactly("libggml-base.so", "libggml.v0.4.0.so", "libllama.v0.4.0.so");
    assertThat(Platform.MAC_ARM64_METAL.linkedLibraries())
        .containsExactly(
            "libggml-base.dylib", "libggml.metal.v0.4.0.dylib", "libllama.metal.v0.4.0.dylib");
    assertThat(Platform.WIN_ARM64.linkedLibraries())
        .containsExactly("ggml-base.dll", "ggml.v0.4.0.dll", "llama.v0.4.0.dll");
  }

  @Test
  void lockFilePinsEveryPackageByHashAndNamesNoRegistry() throws IOException {
    String lock = Files.readString(Path.of("package-lock.json"));

    for (Platform platform : Platform.values()) {
      assertThat(lock)
          .containsPattern(
              "\"node_modules/@node-llama-cpp/"
                  + platform.id()
                  + "\": \\{\\s*\"version\": \"[0-9.]+\",\\s*\"integrity\": \"sha512-");
    }
    assertThat(lock).doesNotContain("resolved").doesNotContain("://");
  }

  private static Set<String> table(Platform platform) {
    Set<String> names = new HashSet<>(platform.linkedLibraries());
    names.addAll(platform.backendLibraries());
    return names;
  }

  /** Names and sizes in bytes, as {@code tar} listed them; lines of {@code SIZE NAME}. */
  private static Map<String, Long> listing(String id) throws IOException {
    Map<String, Long> files = new HashMap<>();
    try (InputStream in = PlatformTest.class.getResourceAsStream("/packages/" + id + ".txt")) {
      assertThat(in).as("listing of " + id).isNotNull();
      for (String line : new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList()) {
        int space = line.indexOf(' ');
        files.put(line.substring(space + 1), Long.valueOf(line.substring(0, space)));
      }
    }
    return files;
  }
}
