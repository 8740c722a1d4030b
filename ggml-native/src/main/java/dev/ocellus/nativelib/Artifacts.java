package dev.ocellus.nativelib;

import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The artifacts that bring native libraries, as messages name them. */
final class Artifacts {
  private static final String STARTER = "dev.ocellus:ocellus-starter";
  private static final String GROUP_AND_NAME = "dev.ocellus:ocellus-ggml-native";

  private Artifacts() {}

  /** The artifact of a bundle: group, name and classifier. */
  static String of(String bundle) {
    return GROUP_AND_NAME + " with the classifier natives-" + bundle;
  }

  /**
   * That there are no libraries for this machine, and what to add.
   *
   * @param platforms what the machine can run, the CPU's build last
   * @param ownBuild how to do without
   */
  static String missing(List<Platform> platforms, ClassLoader resources, String ownBuild) {
    String wrong =
        Stream.of(Platform.values())
            .filter(p -> !platforms.contains(p))
            .filter(p -> !Bundle.manifests(resources, p.id()).isEmpty())
            .map(Platform::id)
            .collect(Collectors.joining(", "));
    String others =
        platforms.stream()
            .filter(p -> p.gpu() != Gpu.NONE)
            .map(p -> "natives-" + p.id())
            .collect(Collectors.joining(", "));
    return "no native libraries were found for this machine. Looked for: -D%s (not set), %s (not set), and on the class and module path: %s.%s Add the dependency %s, or %s, which brings those of all platforms%s. Or: %s"
        .formatted(
            Settings.DIRECTORY_PROPERTY,
            Settings.DIRECTORY_VARIABLE,
            platforms.stream().map(Bundle::manifestName).collect(Collectors.joining(", ")),
            wrong.isEmpty() ? "" : " Found there, but made for other machines: " + wrong + ".",
            of(platforms.getLast().id()),
            STARTER,
            others.isEmpty() || platforms.size() == 1 ? "" : " (for a GPU: " + others + ")",
            ownBuild);
  }
}
