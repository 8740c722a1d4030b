import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** The platforms that there are prebuilt libraries for, by the names of their packages. */
final class Platforms {
  private static final List<String> CPU_AND_METAL =
      List.of("linux-x64", "linux-arm64", "mac-arm64-metal", "mac-x64", "win-x64", "win-arm64");
  private static final List<String> GPU =
      List.of("linux-x64-cuda", "linux-x64-vulkan", "win-x64-cuda", "win-x64-vulkan");

  private Platforms() {}

  /**
   * @param list names separated by commas, host, all (one a machine), every (the GPUs', too) or
   *     none
   * @param gpu cuda, cuda12 or vulkan for the host; empty for none
   */
  static Set<String> chosen(String list, String gpu) {
    Set<String> chosen = new LinkedHashSet<>();
    for (String name : list.split(",")) {
      switch (name.strip()) {
        case "", "none" -> {}
        case "host" -> chosen.add(host(gpu));
        case "all" -> chosen.addAll(CPU_AND_METAL);
        case "every" -> {
          chosen.addAll(CPU_AND_METAL);
          chosen.addAll(GPU);
        }
        default -> chosen.add(known(name.strip()));
      }
    }
    return chosen;
  }

  private static String known(String name) {
    if (!CPU_AND_METAL.contains(name) && !GPU.contains(name)) {
      throw new Failure(
          "no prebuilt libraries for \""
              + name
              + "\"; there are host, all, every, "
              + CPU_AND_METAL
              + " and "
              + GPU
              + ". To build for a machine without any, use -Docellus.platforms=none and your own build of llama.cpp.");
    }
    return name;
  }

  private static String host(String gpu) {
    String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    String arch = System.getProperty("os.arch");
    boolean arm = arch.equals("aarch64");
    String name =
        (os.startsWith("windows")
                ? "win-"
                : os.startsWith("mac") ? "mac-" : os.equals("linux") ? "linux-" : os + "-")
            + (arm ? "arm64" : arch.equals("amd64") || arch.equals("x86_64") ? "x64" : arch);
    if (name.equals("mac-arm64")) {
      name += "-metal";
    }
    return known(gpu.isEmpty() ? name : name + "-" + (gpu.equals("cuda12") ? "cuda" : gpu));
  }
}
