package dev.ocellus.nativelib;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * The prebuilt packages of llama.cpp {@value NativeVersion#TAG}, and the library files that each
 * holds.
 *
 * <p>Source: the npm packages {@code @node-llama-cpp/<id>}, pinned in {@code package-lock.json}. A
 * test compares these tables with listings of the packages.
 */
public enum Platform {
  LINUX_X64("linux-x64", Os.LINUX, Arch.X64, Gpu.NONE, Cpus.X64),
  LINUX_X64_CUDA("linux-x64-cuda", Os.LINUX, Arch.X64, Gpu.CUDA, Cpus.X64),
  LINUX_X64_VULKAN("linux-x64-vulkan", Os.LINUX, Arch.X64, Gpu.VULKAN, Cpus.X64),
  LINUX_ARM64("linux-arm64", Os.LINUX, Arch.ARM64, Gpu.NONE, Cpus.ARM64_LINUX),
  MAC_ARM64_METAL("mac-arm64-metal", Os.MAC, Arch.ARM64, Gpu.METAL, Cpus.ARM64_APPLE),
  MAC_X64("mac-x64", Os.MAC, Arch.X64, Gpu.NONE, Cpus.X64),
  WIN_X64("win-x64", Os.WINDOWS, Arch.X64, Gpu.NONE, Cpus.X64),
  WIN_X64_CUDA("win-x64-cuda", Os.WINDOWS, Arch.X64, Gpu.CUDA, Cpus.X64_MSVC),
  WIN_X64_VULKAN("win-x64-vulkan", Os.WINDOWS, Arch.X64, Gpu.VULKAN, Cpus.X64),
  WIN_ARM64("win-arm64", Os.WINDOWS, Arch.ARM64, Gpu.NONE, Cpus.GENERIC);

  private final String id;
  private final Os os;
  private final Arch arch;
  private final Gpu gpu;

  @SuppressWarnings("ImmutableEnumChecker") // List.of, which nothing can change
  private final List<String> cpus;

  Platform(String id, Os os, Arch arch, Gpu gpu, List<String> cpus) {
    this.id = id;
    this.os = os;
    this.arch = arch;
    this.gpu = gpu;
    this.cpus = cpus;
  }

  /** The package's name: {@code linux-x64-cuda}. */
  public String id() {
    return id;
  }

  public Os os() {
    return os;
  }

  public Arch arch() {
    return arch;
  }

  public Gpu gpu() {
    return gpu;
  }

  /** The libraries that Ocellus links to, in the order in which they must be loaded. */
  public List<String> linkedLibraries() {
    String build = gpu == Gpu.NONE ? "" : "." + gpu.lowerCase();
    return Stream.of(
            "ggml-base",
            "ggml" + build + "." + NativeVersion.TAG,
            "llama" + build + "." + NativeVersion.TAG)
        .map(name -> os.prefix() + name + os.suffix())
        .toList();
  }

  /** The backends among which ggml chooses at run time: one CPU backend, and the GPU's. */
  public List<String> backendLibraries() {
    List<String> names = new ArrayList<>();
    for (String cpu : cpus) {
      names.add(cpu.isEmpty() ? "ggml-cpu" : "ggml-cpu-" + cpu);
    }
    if (os == Os.MAC) {
      names.add("ggml-blas");
    }
    if (gpu != Gpu.NONE) {
      names.add("ggml-" + gpu.lowerCase());
    }
    return names.stream().map(name -> os.prefix() + name + os.backendSuffix()).toList();
  }

  /** Those of the platforms that a machine with this system and processor can run. */
  public static List<Platform> runnableOn(Os os, Arch arch) {
    return Stream.of(values()).filter(p -> p.os == os && p.arch == arch).toList();
  }

  /** The CPU generations that ggml's run-time dispatch knows, one library each. */
  private static final class Cpus {
    static final List<String> X64 =
        List.of(
            "alderlake",
            "cannonlake",
            "cascadelake",
            "cooperlake",
            "haswell",
            "icelake",
            "ivybridge",
            "piledriver",
            "sandybridge",
            "sapphirerapids",
            "skylakex",
            "sse42",
            "x64",
            "zen4");

    /** Those that Microsoft's compiler can build; the CUDA package for Windows needs that one. */
    static final List<String> X64_MSVC =
        List.of(
            "alderlake",
            "cannonlake",
            "cascadelake",
            "haswell",
            "icelake",
            "sandybridge",
            "skylakex",
            "sse42",
            "x64");

    static final List<String> ARM64_LINUX =
        List.of(
            "armv8.0_1",
            "armv8.2_1",
            "armv8.2_2",
            "armv8.2_3",
            "armv8.6_1",
            "armv8.6_2",
            "armv9.2_1",
            "armv9.2_2");

    static final List<String> ARM64_APPLE = List.of("apple_m1", "apple_m2_m3", "apple_m4");

    /** One library for every CPU, without a generation in its name. */
    static final List<String> GENERIC = List.of("");
  }
}
