package dev.ocellus.nativelib;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Loads the libraries and prints what came of it, one fact a line. */
public final class LoadMain {
  private LoadMain() {}

  public static void main(String[] args) throws IOException {
    try {
      NativeInfo info = NativeLibraries.load();
      System.out.println("source=" + info.source());
      System.out.println("directory=" + info.directory());
      System.out.println("version=" + info.version());
      BackendReport report = NativeLibraries.loadBackends();
      report.devices().forEach(device -> System.out.println("device=" + device.kind()));
      System.out.println("gpuProblem=" + report.gpuProblem().orElse(""));
    } catch (NativeLibraryException e) {
      System.out.println("refused=" + e.getMessage());
      System.exit(3);
    }
    Path maps = Path.of("/proc/self/maps");
    if (Files.exists(maps)) {
      Files.readString(maps)
          .lines()
          .filter(line -> line.contains("ggml-cpu"))
          .map(line -> "mapped=" + line.substring(line.lastIndexOf('/') + 1))
          .distinct()
          .forEach(System.out::println);
    }
  }
}
