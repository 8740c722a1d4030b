package dev.ocellus.nativelib;

import dev.ocellus.nativelib.BackendReport.Device;
import dev.ocellus.nativelib.BackendReport.Kind;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** Lets ggml pick its backends, and sees whether it got what the libraries were built for. */
final class BackendLoader {
  private static final Logger LOG = System.getLogger("dev.ocellus.nativelib");

  private BackendLoader() {}

  static BackendReport load(NativeLoader.Loaded loaded) {
    GgmlCalls ggml = new GgmlCalls(loaded.symbols());
    LibrarySet libraries = loaded.libraries();
    ggml.loadBackends(libraries.directory());
    if (!hasGpu(ggml.devices()) && Files.isDirectory(libraries.fallbackDirectory())) {
      ggml.loadBackends(libraries.fallbackDirectory());
    }
    List<Device> devices = ggml.devices();
    if (devices.stream().noneMatch(device -> device.kind() == Kind.CPU)) {
      throw new NativeLibraryException(noCpu(libraries, loaded.os()));
    }
    Optional<String> problem = Optional.empty();
    List<Path> gpuBackends = libraries.gpuBackends(loaded.os());
    if (!gpuBackends.isEmpty() && !hasGpu(devices)) {
      problem =
          Optional.of(
              gpuBackends.stream().map(BackendLoader::why).collect(Collectors.joining("; ")));
      LOG.log(Level.WARNING, "no GPU is used, everything runs on the CPU: {0}", problem.get());
    }
    return new BackendReport(devices, problem);
  }

  private static boolean hasGpu(List<Device> devices) {
    return devices.stream().anyMatch(device -> device.kind().isGpu());
  }

  /** ggml skips in silence what it cannot load, so the reason is found by loading it once more. */
  private static String why(Path backend) {
    String problem =
        LoadFailure.of(backend)
            .orElse(
                "it loads, but finds no device (is the driver installed, and the device visible?)");
    String name = backend.getFileName().toString();
    return problem.contains(name) ? problem : name + ": " + problem;
  }

  private static String noCpu(LibrarySet libraries, Os os) {
    String prefix = os.prefix() + "ggml-cpu";
    String found =
        LibrarySet.list(libraries.directory()).stream()
            .filter(file -> file.getFileName().toString().startsWith(prefix))
            .map(file ->
                file.getFileName()
                    + LoadFailure.of(file).map(message -> " (" + message + ")").orElse(""))
            .collect(Collectors.joining(", "));
    return "ggml registered no CPU backend from %s. %s Looked for %s-*%s: found %s."
        .formatted(
            libraries.directory(),
            "The libraries there are incomplete or not made for this CPU.",
            prefix,
            os.backendSuffix(),
            found.isEmpty() ? "none" : found);
  }
}
