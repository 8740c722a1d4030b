package dev.ocellus.server;

import static org.junit.jupiter.api.Assumptions.abort;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Programs that clients of others run in; a test that lacks one is skipped and says so. */
final class Programs {
  /** The module's folder, whichever folder tests run in. */
  static final Path MODULE =
      Path.of(Files.isDirectory(Path.of("server")) ? "server" : ".").toAbsolutePath().normalize();

  /** What became of a run. */
  record Run(int code, String output) {}

  private Programs() {}

  /** A program of the PATH, or of an absolute path. */
  static Stream<Path> find(String name) {
    String path = System.getenv().getOrDefault("PATH", "");
    return Stream.concat(
            Stream.of(Path.of(name)),
            Stream.of(path.split(File.pathSeparator)).map(dir -> Path.of(dir, name)))
        .filter(file -> file.isAbsolute() && Files.isExecutable(file));
  }

  /** Skips the test where a program is missing. */
  static void need(String... names) {
    for (String name : names) {
      if (find(name).findAny().isEmpty()) {
        abort("no " + name + " on the PATH");
      }
    }
  }

  /**
   * Runs a program to its end, which comes in minutes; {@code OCELLUS_URL} is the shared server.
   */
  static Run run(Path folder, List<String> command) throws Exception {
    ProcessBuilder builder =
        new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true);
    builder.environment().put("OCELLUS_URL", TestServer.url(TestServer.shared()));
    Process process = builder.start();
    Thread killer =
        Thread.ofVirtual()
            .start(() -> {
              try {
                if (!process.waitFor(5, TimeUnit.MINUTES)) {
                  process.destroyForcibly();
                }
              } catch (InterruptedException e) { // it ended
              }
            });
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    int code = process.waitFor();
    killer.interrupt();
    return new Run(code, output);
  }

  /**
   * A folder of the build with packages of npm in it, and copies of scripts, since modules are
   * looked for beside the file that wants them. No package's own script is run.
   *
   * @param name of the folder
   * @param packages with their versions
   */
  static Path withPackages(String name, List<String> packages, Path... scripts) throws Exception {
    need("node", "npm");
    Path folder = Files.createDirectories(MODULE.resolve("target").resolve(name));
    for (Path script : scripts) {
      copy(script, folder);
    }
    boolean there =
        packages.stream()
            .map(each -> each.substring(0, each.lastIndexOf('@')))
            .allMatch(each -> Files.isDirectory(folder.resolve("node_modules").resolve(each)));
    if (!there) {
      var command =
          Stream.concat(
                  Stream.of("npm", "install", "--ignore-scripts", "--no-audit", "--no-fund"),
                  Stream.concat(Stream.of("--silent", "--prefix", "."), packages.stream()))
              .toList();
      Run npm = run(folder, command);
      if (npm.code != 0) {
        abort("npm could not install " + packages + ": " + npm.output);
      }
    }
    return folder;
  }

  private static void copy(Path script, Path folder) throws IOException {
    Files.write(folder.resolve(String.valueOf(script.getFileName())), Files.readAllBytes(script));
  }
}
