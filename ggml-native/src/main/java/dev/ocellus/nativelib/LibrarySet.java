package dev.ocellus.nativelib;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The library files of one directory.
 *
 * @param linked the libraries that Ocellus calls, dependencies first. ggml's own two may be missing
 *     where libllama was linked with them.
 */
record LibrarySet(Path directory, List<Path> linked) {
  /** Where llama.cpp's build and install steps put libraries, below what a user may point at. */
  private static final List<String> SUBDIRECTORIES =
      List.of("", "lib", "lib64", "bin", "build/bin");

  private static final List<String> GPU_BACKENDS =
      List.of("cuda", "vulkan", "metal", "hip", "musa", "sycl", "opencl", "cann", "webgpu");

  LibrarySet {
    linked = List.copyOf(linked);
  }

  /** The files of an unpacked package. */
  static LibrarySet of(Platform platform, Path directory) {
    return new LibrarySet(
        directory, platform.linkedLibraries().stream().map(directory::resolve).toList());
  }

  /**
   * The files of a user's own build, whatever version its names carry: {@code libllama.so}, {@code
   * libllama.so.0}, {@code libllama.v0.4.0.so}.
   */
  static LibrarySet find(Settings.Explicit explicit, Os os) {
    Path root = explicit.directory();
    if (!Files.isDirectory(root)) {
      throw new NativeLibraryException(
          "%s names %s, which is %s. It must be a directory with %s of llama.cpp %s."
              .formatted(
                  explicit.origin(),
                  root,
                  Files.exists(root) ? "not a directory" : "missing",
                  os.prefix() + "llama" + os.suffix(),
                  NativeVersion.TAG));
    }
    List<Path> searched = new ArrayList<>();
    for (String name : SUBDIRECTORIES) {
      Path directory = root.resolve(name);
      if (Files.isDirectory(directory)) {
        searched.add(directory);
        Optional<Path> llama = library(directory, "llama", os);
        if (llama.isPresent()) {
          return new LibrarySet(
              directory,
              Stream.of(library(directory, "ggml-base", os), library(directory, "ggml", os), llama)
                  .flatMap(Optional::stream)
                  .toList());
        }
      }
    }
    throw new NativeLibraryException(
        ("%s names %s, but no %s (or one with a version in its name) is in %s. Point it at the libraries of your"
                + " llama.cpp %s build (configured with -DBUILD_SHARED_LIBS=ON), or unset it to use the bundled ones.")
            .formatted(
                explicit.origin(),
                root,
                os.prefix() + "llama" + os.suffix(),
                joined(searched),
                NativeVersion.TAG));
  }

  /** The GPU backends that ggml will try to load, those in {@code fallback/} included. */
  List<Path> gpuBackends(Os os) {
    Pattern name =
        Pattern.compile(
            Pattern.quote(os.prefix())
                + "ggml-(?:"
                + String.join("|", GPU_BACKENDS)
                + ")(?:-.*)?"
                + Pattern.quote(os.backendSuffix()));
    return Stream.of(directory, fallbackDirectory())
        .filter(Files::isDirectory)
        .flatMap(d -> list(d).stream())
        .filter(file -> name.matcher(file.getFileName().toString()).matches())
        .toList();
  }

  /** Holds the same GPU backend built for older drivers, if the package has one. */
  Path fallbackDirectory() {
    return directory.resolve("fallback");
  }

  /** The shortest matching name, so that {@code libllama.so} comes before {@code libllama.so.0}. */
  private static Optional<Path> library(Path directory, String name, Os os) {
    Pattern pattern =
        Pattern.compile(
            Pattern.quote(os.prefix() + name)
                + "(?:\\.[A-Za-z0-9_.]+)?"
                + Pattern.quote(os.suffix())
                + "(?:\\.[0-9]+)*");
    return list(directory).stream()
        .filter(file -> pattern.matcher(file.getFileName().toString()).matches())
        .min(
            Comparator.comparingInt((Path file) -> file.getFileName().toString().length())
                .thenComparing(Path::getFileName));
  }

  static List<Path> list(Path directory) {
    try (Stream<Path> files = Files.list(directory)) {
      return files.filter(Files::isRegularFile).sorted().toList();
    } catch (IOException e) {
      throw new NativeLibraryException("cannot list " + directory + ": " + e, e);
    }
  }

  private static String joined(List<Path> paths) {
    return String.join(", ", paths.stream().map(Path::toString).toList());
  }
}
