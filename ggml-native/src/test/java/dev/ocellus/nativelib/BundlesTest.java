package dev.ocellus.nativelib;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.nativelib.TestNatives.Result;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.opentest4j.TestAbortedException;

/**
 * Jars of libraries on the class path, several, damaged and of other machines; and places to unpack
 * them that cannot be used. Each time in a JVM of its own.
 */
class BundlesTest {
  private static final Platform PLATFORM = TestNatives.platform();

  @TempDir Path temp;

  /** The module's classes without the libraries that the build put beside them. */
  private String classes() throws IOException {
    Path target = temp.resolve("classes");
    for (String folder : List.of("dev/ocellus", "dev/ocellus/nativelib")) {
      Files.createDirectories(target.resolve(folder));
      try (var files = Files.newDirectoryStream(Path.of("target/classes", folder), "*.class")) {
        for (Path file : files) {
          Files.copy(file, target.resolve(folder).resolve(file.getFileName()));
        }
      }
    }
    return target.toString();
  }

  /** A jar of this machine's libraries. */
  private Path jar(String name) throws IOException {
    Map<String, byte[]> files = new TreeMap<>();
    Bundle bundle = TestNatives.bundle();
    files.put("manifest.txt", manifest(PLATFORM));
    for (NativeManifest.Entry entry : bundle.manifest().files()) {
      try (InputStream in = bundle.open(entry)) {
        files.put(entry.name(), in.readAllBytes());
      }
    }
    return jar(name, PLATFORM.id(), files);
  }

  private static byte[] manifest(Platform platform) throws IOException {
    try (InputStream in =
        BundlesTest.class.getClassLoader().getResourceAsStream(Bundle.manifestName(platform))) {
      assertThat(in).isNotNull();
      return in.readAllBytes();
    }
  }

  private Path jar(String name, String platform, Map<String, byte[]> files) throws IOException {
    Path jar = temp.resolve(name);
    try (ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(jar))) {
      out.setLevel(1);
      for (Map.Entry<String, byte[]> file : files.entrySet()) {
        out.putNextEntry(new ZipEntry(Bundle.ROOT + platform + "/" + file.getKey()));
        out.write(file.getValue());
        out.closeEntry();
      }
    }
    return jar;
  }

  /** A build for a GPU whose backend is no library. */
  private Path brokenGpu() throws IOException {
    byte[] garbage = "no library".getBytes(StandardCharsets.UTF_8);
    Platform vulkan =
        Platform.runnableOn(PLATFORM.os(), PLATFORM.arch()).stream()
            .filter(p -> p.gpu() == Gpu.VULKAN)
            .findFirst()
            .orElseThrow(
                () -> new TestAbortedException("there is no second build for this machine"));
    String backend = vulkan.backendLibraries().getLast();
    String manifest =
        "ocellus-natives 1\nplatform %s\nllama.cpp v0.4.0\nfile %s %d %s\n"
            .formatted(
                vulkan.id(),
                HexFormat.of().formatHex(NativeManifest.newSha256().digest(garbage)),
                garbage.length,
                backend);
    return jar(
        "vulkan.jar",
        vulkan.id(),
        Map.of("manifest.txt", manifest.getBytes(StandardCharsets.UTF_8), backend, garbage));
  }

  private Result load(List<String> before, Map<String, String> properties, Object... classPath)
      throws Exception {
    List<String> paths = List.of(classPath).stream().map(Object::toString).toList();
    return TestNatives.await(TestNatives.start(before, paths, properties, Map.of()));
  }

  private Map<String, String> cache() {
    return Map.of("ocellus.cache.dir", temp.resolve("cache").toString());
  }

  @Test
  void jarsBesideEachOtherAreOneChoice() throws Exception {
    Result result =
        load(List.of(), cache(), classes(), brokenGpu(), jar("first.jar"), jar("again.jar"))
            .succeeded();

    assertThat(result.output())
        .contains("source=BUNDLED", "device=CPU", PLATFORM.id() + "-v0.4.0")
        .containsPattern("WARNING: using the native libraries " + PLATFORM.id() + ": .*-vulkan: ");
    assertThat(result.output().split("WARNING", -1)).hasSize(2);
  }

  @Test
  void aGpuBuildThatIsAloneServesTheCpu() throws Exception {
    // what its backend lacks is said once, when backends are loaded: NativeLibrariesTest
    Result result = load(List.of(), cache(), classes(), brokenGpu());

    assertThat(result.status()).isEqualTo(3); // this one has nothing but the backend
    assertThat(result.output()).contains("cannot load the native library").contains("ggml-base");
  }

  @Test
  void aDamagedJarIsPassedOverForTheNextOfTheSamePlatform() throws Exception {
    Path damaged = jar("damaged.jar", PLATFORM.id(), Map.of("manifest.txt", new byte[] {'?'}));

    Result result = load(List.of(), cache(), classes(), damaged, jar("good.jar")).succeeded();

    assertThat(result.output())
        .contains("device=CPU")
        .containsPattern("WARNING: using the native libraries .*damaged\\.jar.* is damaged");
  }

  @Test
  void aJarWithDamagedBytesIsNamedAndLeavesNothing() throws Exception {
    Path jar = jar("natives.jar");
    byte[] bytes = Files.readAllBytes(jar);
    for (int i = bytes.length / 2; i < bytes.length / 2 + 4096; i++) {
      bytes[i] ^= 0x55;
    }
    Files.write(jar, bytes);

    Result result = load(List.of(), cache(), classes(), jar);

    assertThat(result.status()).isEqualTo(3);
    assertThat(result.output()).contains("refused=" + PLATFORM.id()).contains("damaged");
    try (var left = Files.list(temp.resolve("cache/natives"))) {
      assertThat(left.filter(Files::isDirectory)).isEmpty();
    }
  }

  @Test
  void withoutAnyJarTheArtifactsAreNamed() throws Exception {
    Result result = load(List.of(), cache(), classes());

    assertThat(result.status()).isEqualTo(3);
    assertThat(result.output())
        .contains("dev.ocellus:ocellus-ggml-native with the classifier natives-")
        .contains("dev.ocellus:ocellus-starter");
  }

  @Test
  @EnabledOnOs(value = OS.LINUX, disabledReason = "needs mount namespaces")
  void aFullDiskIsNamedWithTheRoomThatIsNeeded() throws Exception {
    Path small = Files.createDirectories(temp.resolve("small"));
    List<String> mounted = mounted("size=1m", small);

    Result result =
        load(
            mounted,
            Map.of("ocellus.cache.dir", small.toString(), "java.io.tmpdir", small.toString()),
            classes(),
            jar("natives.jar"));

    assertThat(result.status()).isEqualTo(3);
    assertThat(result.output())
        .contains("cannot unpack bundled files: neither " + small)
        .contains("No space left on device")
        .containsPattern("They need \\d\\d+ MB; make room, or set -Docellus\\.cache\\.dir");
  }

  @Test
  @EnabledOnOs(value = OS.LINUX, disabledReason = "needs mount namespaces")
  void aFolderFromWhichNothingCanRunIsNamed() throws Exception {
    Path folder = Files.createDirectories(temp.resolve("noexec"));
    List<String> mounted = mounted("size=500m,noexec", folder);

    Result result =
        load(
            mounted, Map.of("ocellus.cache.dir", folder.toString()), classes(), jar("natives.jar"));

    assertThat(result.status()).isEqualTo(3);
    assertThat(result.output())
        .contains("cannot load the native library " + folder)
        .contains("mounted noexec; set -Docellus.cache.dir to one that is not");
  }

  @Test
  @EnabledOnOs(value = OS.LINUX, disabledReason = "needs mount namespaces")
  void aCacheThatCannotBeWrittenIsReplacedByATemporaryDirectory() throws Exception {
    Path folder = Files.createDirectories(temp.resolve("readonly"));
    List<String> mounted = mounted("size=1m,ro", folder);

    Result result =
        load(mounted, Map.of("ocellus.cache.dir", folder.toString()), classes(), jar("natives.jar"))
            .succeeded();

    assertThat(result.output())
        .contains("device=CPU")
        .containsPattern("WARNING: cannot use .*readonly.*Read-only file system");
  }

  /** What starts a program that sees a small file system of its own at a folder. */
  private static List<String> mounted(String options, Path folder) throws Exception {
    String mount = "mount -t tmpfs -o " + options + " none '" + folder + "'";
    try {
      Process trial = new ProcessBuilder("unshare", "-rm", "sh", "-c", mount).start();
      Assumptions.assumeTrue(trial.waitFor() == 0, "mounting is not permitted here");
    } catch (IOException e) {
      Assumptions.abort("unshare is not there: " + e.getMessage());
    }
    return List.of("unshare", "-rm", "sh", "-c", mount + " && exec \"$@\"", "sh");
  }
}
