package dev.ocellus.nativelib;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is looked for where, and what is said when it is not there. Loads nothing. */
class NativeLoaderTest {
  private static final Host LINUX = Host.of("Linux", "amd64", false);

  @TempDir Path temp;

  @Test
  void prefersAGpuBuildUnlessTheCpuIsAskedFor() {
    assertThat(loader(LINUX, Optional.empty()).candidates())
        .containsExactly(Platform.LINUX_X64_CUDA, Platform.LINUX_X64_VULKAN, Platform.LINUX_X64);
    assertThat(loader(LINUX, Optional.of(Gpu.NONE)).candidates())
        .startsWith(Platform.LINUX_X64)
        .hasSize(3);
    assertThat(loader(LINUX, Optional.of(Gpu.VULKAN)).candidates())
        .startsWith(Platform.LINUX_X64_VULKAN)
        .hasSize(3);
  }

  @Test
  void recognisesTheSixPlatforms() {
    assertThat(only("Linux", "aarch64")).isEqualTo(Platform.LINUX_ARM64);
    assertThat(only("Mac OS X", "aarch64")).isEqualTo(Platform.MAC_ARM64_METAL);
    assertThat(only("Mac OS X", "x86_64")).isEqualTo(Platform.MAC_X64);
    assertThat(only("Windows 11", "aarch64")).isEqualTo(Platform.WIN_ARM64);
    assertThat(only("Windows Server 2022", "amd64")).isEqualTo(Platform.WIN_X64);
    assertThat(only("Linux", "amd64")).isEqualTo(Platform.LINUX_X64);
  }

  @Test
  void namesTheSupportedPlatformsOnAnyOther() {
    assertThatThrownBy(loader(Host.of("FreeBSD", "amd64", false), Optional.empty())::load)
        .isInstanceOf(NativeLibraryException.class)
        .hasMessageContaining("FreeBSD on amd64")
        .hasMessageContaining("linux-arm64, linux-x64, linux-x64-cuda")
        .hasMessageContaining("-Docellus.native.dir=DIR or OCELLUS_NATIVE_DIR");
    assertThatThrownBy(loader(Host.of("Linux", "riscv64", false), Optional.empty())::load)
        .hasMessageContaining("Linux on riscv64");
  }

  @Test
  void saysThatMuslIsNotSupported() {
    assertThatThrownBy(loader(Host.of("Linux", "amd64", true), Optional.empty())::load)
        .isInstanceOf(NativeLibraryException.class)
        .hasMessageContaining("musl")
        .hasMessageContaining("glibc 2.34");
  }

  @Test
  void namesEverythingLookedForWhenNothingIsBundled() {
    assertThatThrownBy(loader(LINUX, Optional.empty())::load)
        .isInstanceOf(NativeLibraryException.class)
        .hasMessageContaining("-Docellus.native.dir (not set), OCELLUS_NATIVE_DIR (not set)")
        .hasMessageContaining("META-INF/ocellus/natives/linux-x64-cuda/manifest.txt")
        .hasMessageContaining("META-INF/ocellus/natives/linux-x64/manifest.txt")
        .hasMessageContaining(
            "Add the dependency dev.ocellus:ocellus-ggml-native with the classifier natives-linux-x64, or"
                + " dev.ocellus:ocellus-starter")
        .hasMessageContaining("for a GPU: natives-linux-x64-cuda, natives-linux-x64-vulkan");
  }

  @Test
  void namesTheLibrariesThatAreThereForOtherMachines() throws IOException {
    for (Platform other : List.of(Platform.MAC_ARM64_METAL, Platform.WIN_X64)) {
      Path manifest = temp.resolve(Bundle.manifestName(other));
      Files.createDirectories(manifest.getParent());
      Files.writeString(manifest, "");
    }
    try (URLClassLoader resources = new URLClassLoader(new URL[] {temp.toUri().toURL()}, null)) {
      Settings settings = new Settings(Optional.empty(), temp, Optional.empty());
      assertThatThrownBy(new NativeLoader(settings, LINUX, resources)::load)
          .isInstanceOf(NativeLibraryException.class)
          .hasMessageContaining(
              "Found there, but made for other machines: mac-arm64-metal, win-x64.");
    }
  }

  @Test
  void namesEveryDamagedBundle() throws IOException {
    List<URL> folders = new ArrayList<>();
    for (String damage : List.of("", "ocellus-natives 1\nplatform linux-x64\n")) {
      Path folder = Files.createTempDirectory(temp, "jar");
      Path manifest = folder.resolve(Bundle.manifestName(Platform.LINUX_X64));
      Files.createDirectories(manifest.getParent());
      Files.writeString(manifest, damage);
      folders.add(folder.toUri().toURL());
    }
    try (URLClassLoader resources = new URLClassLoader(folders.toArray(URL[]::new), null)) {
      Settings settings = new Settings(Optional.empty(), temp, Optional.empty());
      assertThatThrownBy(new NativeLoader(settings, LINUX, resources)::load)
          .isInstanceOf(NativeLibraryException.class)
          .hasMessageContaining("is damaged: its first line is not")
          .hasMessageContaining("is damaged: it lists no files");
    }
  }

  @Test
  void refusesAManifestOfAnotherPlatform() throws IOException {
    Path manifest = temp.resolve(Bundle.manifestName(Platform.LINUX_X64));
    Files.createDirectories(manifest.getParent());
    Files.writeString(
        manifest,
        "ocellus-natives 1\nplatform win-x64\nllama.cpp v0.4.0\nfile "
            + "0".repeat(64)
            + " 1 a.dll\n");

    try (URLClassLoader resources = new URLClassLoader(new URL[] {temp.toUri().toURL()}, null)) {
      assertThatThrownBy(() -> Bundle.find(resources, Platform.LINUX_X64))
          .isInstanceOf(NativeLibraryException.class)
          .hasMessageContaining("is for win-x64, expected linux-x64");
    }
  }

  @Test
  void explicitDirectoryThatIsMissingOrEmptyIsNotReplacedByTheBundledLibraries()
      throws IOException {
    Path missing = temp.resolve("missing");
    assertThatThrownBy(explicit(missing)::load)
        .isInstanceOf(NativeLibraryException.class)
        .hasMessageContaining("-Docellus.native.dir names " + missing + ", which is missing");

    Path file = Files.writeString(temp.resolve("file"), "");
    assertThatThrownBy(explicit(file)::load).hasMessageContaining("which is not a directory");

    Path empty = temp.resolve("empty");
    Files.createDirectories(empty.resolve("lib"));
    assertThatThrownBy(explicit(empty)::load)
        .hasMessageContaining("no libllama.so")
        .hasMessageContaining(empty.resolve("lib").toString())
        .hasMessageContaining("-DBUILD_SHARED_LIBS=ON");
  }

  @Test
  void findsTheLibrariesOfABuildWhateverVersionTheirNamesCarry() throws IOException {
    Path bin = Files.createDirectories(temp.resolve("build/bin"));
    for (String name :
        new String[] {
          "libggml-base.so.0.23.0",
          "libggml-cpu.so",
          "libggml.so",
          "libggml.so.0",
          "libllama-common.so",
          "libllama.v0.4.0.so",
          "libmtmd.so",
          "libggml-cuda.so"
        }) {
      Files.writeString(bin.resolve(name), "");
    }

    LibrarySet found = LibrarySet.find(new Settings.Explicit(temp, "test"), Os.LINUX);

    assertThat(found.directory()).isEqualTo(bin);
    assertThat(found.linked())
        .containsExactly(
            bin.resolve("libggml-base.so.0.23.0"),
            bin.resolve("libggml.so"),
            bin.resolve("libllama.v0.4.0.so"));
    assertThat(found.gpuBackends(Os.LINUX)).containsExactly(bin.resolve("libggml-cuda.so"));
  }

  private Platform only(String os, String arch) {
    return loader(Host.of(os, arch, false), Optional.empty()).candidates().getLast();
  }

  private NativeLoader explicit(Path directory) {
    Settings.Explicit named = new Settings.Explicit(directory, "-Docellus.native.dir");
    return new NativeLoader(
        new Settings(Optional.of(named), temp, Optional.empty()), LINUX, noResources());
  }

  private NativeLoader loader(Host host, Optional<Gpu> gpu) {
    return new NativeLoader(new Settings(Optional.empty(), temp, gpu), host, noResources());
  }

  private static ClassLoader noResources() {
    return new URLClassLoader(new URL[0], null);
  }
}
