package dev.ocellus.nativelib;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** The package that this build bundles, and JVMs of their own to load it in. */
final class TestNatives {
  private static final ClassLoader RESOURCES = NativeLibraries.class.getClassLoader();

  private TestNatives() {}

  /** The bundled platform that this machine would load first. */
  static Platform platform() {
    Host host = Host.current();
    return Platform.runnableOn(host.os().orElseThrow(), host.arch().orElseThrow()).stream()
        .filter(platform -> Bundle.find(RESOURCES, platform).isPresent())
        .findFirst()
        .orElseThrow();
  }

  static Bundle bundle() {
    return Bundle.find(RESOURCES, platform()).orElseThrow();
  }

  /** Copies the named bundled files, all of them if none is named. */
  static void copyTo(Path directory, List<String> names) throws IOException {
    Bundle bundle = bundle();
    for (NativeManifest.Entry entry : bundle.manifest().files()) {
      if (names.isEmpty() || names.contains(entry.name())) {
        Path file = directory.resolve(entry.name());
        Files.createDirectories(file.getParent());
        try (InputStream in = bundle.open(entry)) {
          Files.copy(in, file);
        }
      }
    }
  }

  /** What a JVM printed, on both streams, and its exit status. */
  record Result(int status, String output) {
    Result succeeded() {
      assertThat(status).as(output).isZero();
      return this;
    }
  }

  /**
   * Starts {@link LoadMain}: a process can load native libraries once only, so every test of
   * loading needs its own.
   */
  static Process start(Map<String, String> properties, Map<String, String> environment)
      throws IOException {
    return start(List.of(), List.of("target/classes"), properties, environment);
  }

  /**
   * The same with another class path.
   *
   * @param before what starts the JVM, if anything
   * @param classPath besides the test's own classes
   */
  static Process start(
      List<String> before,
      List<String> classPath,
      Map<String, String> properties,
      Map<String, String> environment)
      throws IOException {
    List<String> all = new ArrayList<>(classPath);
    all.add("target/test-classes");
    List<String> command = new ArrayList<>(before);
    command.addAll(
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-XX:TieredStopAtLevel=1",
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            String.join(System.getProperty("path.separator"), all)));
    properties.forEach((key, value) -> command.add("-D" + key + "=" + value));
    command.add(LoadMain.class.getName());
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().remove(Settings.DIRECTORY_VARIABLE);
    builder.environment().putAll(environment);
    return builder.start();
  }

  static Result await(Process process) throws IOException, InterruptedException {
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).as("ends within a minute").isTrue();
    return new Result(process.exitValue(), output);
  }

  static Result load(Map<String, String> properties) throws IOException, InterruptedException {
    return await(start(properties, Map.of()));
  }
}
