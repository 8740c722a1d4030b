package dev.ocellus.nativelib;

import dev.ocellus.nativelib.NativeInfo.Source;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.net.URL;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Finds a set of libraries that suits the machine and the bindings, and loads it. */
final class NativeLoader {
  private static final Logger LOG = System.getLogger("dev.ocellus.nativelib");

  private static final String OWN_BUILD =
      "Build llama.cpp "
          + NativeVersion.TAG
          + " with shared libraries, and name their directory with -D"
          + Settings.DIRECTORY_PROPERTY
          + "=DIR or "
          + Settings.DIRECTORY_VARIABLE
          + ".";

  private final Settings settings;
  private final Host host;
  private final ClassLoader resources;

  NativeLoader(Settings settings, Host host, ClassLoader resources) {
    this.settings = settings;
    this.host = host;
    this.resources = resources;
  }

  /** What the loader found and loaded. */
  record Loaded(NativeInfo info, LibrarySet libraries, Os os, SymbolLookup symbols) {}

  Loaded load() {
    Optional<Settings.Explicit> explicit = settings.explicit();
    if (explicit.isPresent()) {
      Os os = host.os().orElse(Os.LINUX); // any other Unix names its libraries like Linux
      LibrarySet libraries = LibrarySet.find(explicit.get(), os);
      return open(libraries, os, Source.EXPLICIT, Optional.empty());
    }
    List<Platform> platforms = candidates();
    List<Candidate> there = there(platforms);
    List<String> problems = new ArrayList<>();
    for (Candidate candidate : there) {
      Platform platform = candidate.platform();
      try {
        Loaded loaded = open(candidate, candidate.hasOtherAfter(there));
        warnOfOtherVariant(platform, problems);
        return loaded;
      } catch (NativeLibraryException e) {
        problems.add(platform.id() + ": " + e.getMessage());
      }
    }
    throw new NativeLibraryException(
        problems.isEmpty()
            ? Artifacts.missing(platforms, resources, OWN_BUILD)
            : String.join(System.lineSeparator(), problems));
  }

  /** A manifest on the class path or the module path. */
  private record Candidate(Platform platform, URL manifest) {
    boolean hasOtherAfter(List<Candidate> all) {
      return all.subList(all.indexOf(this) + 1, all.size()).stream()
          .anyMatch(other -> other.platform() != platform);
    }
  }

  private List<Candidate> there(List<Platform> platforms) {
    return platforms.stream()
        .flatMap(platform ->
            Bundle.manifests(resources, platform.id()).stream()
                .map(manifest -> new Candidate(platform, manifest)))
        .toList();
  }

  private Loaded open(Candidate candidate, boolean hasOtherAfter) {
    Platform platform = candidate.platform();
    Bundle bundle = Bundle.of(resources, platform.id(), candidate.manifest());
    Path directory = new NativeCache(settings.cache()).unpacked(bundle.manifest(), bundle::open);
    LibrarySet libraries = LibrarySet.of(platform, directory);
    if (hasOtherAfter) {
      checkGpu(libraries, platform.os());
    }
    return open(libraries, platform.os(), Source.BUNDLED, Optional.of(platform));
  }

  /**
   * A GPU's build whose backend does not load would run on the CPU, although the next one may have
   * a backend that does. To be checked before any library is loaded: the linker takes libraries of
   * the same name for the same.
   */
  private static void checkGpu(LibrarySet libraries, Os os) {
    List<String> reasons = new ArrayList<>();
    for (Path backend : libraries.gpuBackends(os)) {
      Optional<String> reason = LoadFailure.of(backend);
      if (reason.isEmpty()) {
        return;
      }
      reasons.add(reason.get());
    }
    if (!reasons.isEmpty()) {
      throw new NativeLibraryException(String.join("; ", reasons));
    }
  }

  /**
   * What this machine could run, in the order of preference: what was asked for, a GPU build, the
   * CPU's.
   */
  List<Platform> candidates() {
    if (host.os().isEmpty() || host.arch().isEmpty()) {
      throw new NativeLibraryException(
          "there are no prebuilt native libraries for %s; there are for %s. %s"
              .formatted(host.description(), supported(), OWN_BUILD));
    }
    if (host.musl()) {
      throw new NativeLibraryException(
          "this JVM runs on musl libc (as on Alpine), but the prebuilt native libraries need glibc 2.34 or newer. Use a"
              + " JVM and an image with glibc. Or: "
              + OWN_BUILD);
    }
    List<Platform> runnable = Platform.runnableOn(host.os().get(), host.arch().get());
    return runnable.stream()
        .sorted(
            Comparator.comparing(
                    (Platform p) -> settings.gpu().isPresent() && p.gpu() != settings.gpu().get())
                .thenComparing(p -> p.gpu() == Gpu.NONE))
        .toList();
  }

  /** Says so when these are not the libraries that were asked for, or that come first. */
  private void warnOfOtherVariant(Platform used, List<String> problems) {
    List<String> reasons = new ArrayList<>(problems);
    settings
        .gpu()
        .filter(wanted -> wanted != used.gpu() && problems.isEmpty())
        .ifPresent(wanted -> reasons.add("no bundled build of them is for " + wanted.wanted()));
    if (!reasons.isEmpty()) {
      LOG.log(
          Level.WARNING,
          "using the native libraries {0}: {1}",
          used.id(),
          String.join("; ", reasons));
    }
  }

  private static String supported() {
    return Stream.of(Platform.values())
        .map(Platform::id)
        .sorted()
        .collect(Collectors.joining(", "));
  }

  private static Loaded open(
      LibrarySet libraries, Os os, Source source, Optional<Platform> platform) {
    SymbolLookup symbols = name -> Optional.empty();
    for (Path library : libraries.linked()) {
      symbols = open(library).or(symbols);
    }
    NativeVersion version =
        VersionCheck.check(new GgmlCalls(symbols)::version, libraries.directory());
    NativeInfo info = new NativeInfo(source, platform, libraries.directory(), version);
    LOG.log(Level.DEBUG, "loaded {0}", info);
    return new Loaded(info, libraries, os, symbols);
  }

  private static SymbolLookup open(Path library) {
    try {
      // Not System.load: its symbols belong to one class loader, and the bindings may be in
      // another.
      return SymbolLookup.libraryLookup(library, Arena.global());
    } catch (IllegalArgumentException e) {
      throw new NativeLibraryException(
          "cannot load the native library %s: %s"
              .formatted(library, LoadFailure.of(library).orElse("no reason given")),
          e);
    }
  }
}
