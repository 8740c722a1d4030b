import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;

/**
 * Puts libraries of matrix products beside those of ggml. They come from jars on Maven Central,
 * which Maven fetches and {@code accelerators.lock} pins; of each only the library itself is taken,
 * not its bindings for another project.
 */
final class FetchAccelerators {
  private static final String COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.9.0:copy";

  private final Path module;
  private final String maven;
  private final boolean offline;
  private final Set<String> wanted;
  private final List<AcceleratorLock.Jar> jars;

  /**
   * @param wanted names of libraries, all or none
   */
  FetchAccelerators(Path module, String maven, boolean offline, String wanted) throws IOException {
    this.module = module;
    this.maven = maven;
    this.offline = offline;
    this.wanted = Set.of(wanted.split(","));
    this.jars = AcceleratorLock.read(module.resolve("accelerators.lock"));
  }

  /** Directories below the natives' one that the platforms need: {@code openblas-linux-x64}. */
  Set<String> directories(Set<String> platforms) {
    Set<String> names = new LinkedHashSet<>();
    for (String platform : platforms) {
      for (AcceleratorLock.Jar jar : jars) {
        boolean taken = wanted.contains("all") || wanted.contains(jar.library());
        if (taken && jar.platform().equals(withoutGpu(platform))) {
          names.add(jar.library() + "-" + jar.platform());
        }
      }
    }
    return names;
  }

  private static String withoutGpu(String platform) {
    return platform.replaceAll("-(?:cuda|vulkan)$", "");
  }

  /** Makes {@code root/name} hold the library and its manifest for each name. */
  void prepare(Set<String> names, Path root) throws IOException {
    Map<String, List<AcceleratorLock.Jar>> missing = new LinkedHashMap<>();
    for (String name : names) {
      List<AcceleratorLock.Jar> parts =
          jars.stream().filter(j -> name.equals(j.library() + "-" + j.platform())).toList();
      if (!PackageFiles.upToDate(root.resolve(name), head(name, parts))) {
        missing.put(name, parts);
      }
    }
    fetch(missing.values().stream().flatMap(List::stream).toList());
    for (Map.Entry<String, List<AcceleratorLock.Jar>> entry : missing.entrySet()) {
      unpack(entry.getKey(), entry.getValue(), root.resolve(entry.getKey()));
    }
  }

  private static String head(String name, List<AcceleratorLock.Jar> parts) {
    StringBuilder head = new StringBuilder("ocellus-natives 1\n");
    head.append("platform ").append(name).append('\n');
    head.append("version ").append(parts.getFirst().version()).append('\n');
    for (AcceleratorLock.Jar jar : parts) {
      head.append("package ").append(jar.coordinates()).append(" sha256-");
      head.append(jar.sha256()).append('\n');
    }
    return head.toString();
  }

  private void unpack(String name, List<AcceleratorLock.Jar> parts, Path directory)
      throws IOException {
    PackageFiles.deleteTree(directory);
    Files.createDirectories(directory);
    TreeMap<String, String> files = new TreeMap<>();
    for (AcceleratorLock.Jar jar : parts) {
      unpack(jar, directory, files);
    }
    String library = parts.getFirst().library();
    for (String licence : List.of("LICENSE-" + library + ".txt", "LICENSE-gcc-runtime.txt")) {
      Path text = module.resolve("src/licenses").resolve(licence);
      try (InputStream in = Files.newInputStream(text)) {
        PackageFiles.store(in, Files.size(text), licence, directory, files);
      }
    }
    PackageFiles.writeManifest(directory, head(name, parts), files);
    System.out.println("ggml-native: " + name + " " + parts.getFirst().version());
  }

  private void unpack(AcceleratorLock.Jar jar, Path directory, TreeMap<String, String> files)
      throws IOException {
    List<String> left = new ArrayList<>(jar.files());
    Path archive = directory().resolve(jar.fileName());
    try (ZipInputStream in =
        new ZipInputStream(new BufferedInputStream(Files.newInputStream(archive)))) {
      for (ZipEntry entry = in.getNextEntry(); entry != null; entry = in.getNextEntry()) {
        String file = entry.getName().substring(entry.getName().lastIndexOf('/') + 1);
        if (left.remove(file)) {
          PackageFiles.store(in, Long.MAX_VALUE, file, directory, files);
        }
      }
    }
    if (!left.isEmpty()) {
      throw new Failure(
          jar.fileName() + " has no " + left + ": its layout changed; correct accelerators.lock.");
    }
  }

  private Path directory() {
    return module.resolve("target/maven");
  }

  /** Lets Maven copy the jars that are not here yet, all in one go, and compares their hashes. */
  private void fetch(List<AcceleratorLock.Jar> needed) throws IOException {
    List<AcceleratorLock.Jar> absent = new ArrayList<>();
    for (AcceleratorLock.Jar jar : needed) {
      if (!isIntact(jar)) {
        absent.add(jar);
      }
    }
    if (absent.isEmpty()) {
      return;
    }
    Files.createDirectories(directory());
    copy(absent);
    for (AcceleratorLock.Jar jar : absent) {
      if (!isIntact(jar)) {
        Path file = directory().resolve(jar.fileName());
        String found = Digests.hex(Digests.digest(file, "SHA-256"));
        Files.delete(file);
        throw new Failure(
            "%s is not the jar that accelerators.lock pins: expected SHA-256 %s, found %s. Something between the repository and here changed it; nothing of it was used."
                .formatted(jar.coordinates(), jar.sha256(), found));
      }
    }
  }

  private boolean isIntact(AcceleratorLock.Jar jar) throws IOException {
    Path file = directory().resolve(jar.fileName());
    return Files.isRegularFile(file)
        && Digests.hex(Digests.digest(file, "SHA-256")).equals(jar.sha256());
  }

  private void copy(List<AcceleratorLock.Jar> absent) throws IOException {
    Path pom = directory().resolve("pom.xml");
    Files.writeString(pom, pom(absent));
    List<String> command = new ArrayList<>();
    if (System.getProperty("os.name").startsWith("Windows")) {
      command.addAll(List.of("cmd", "/c", maven + "\\bin\\mvn.cmd"));
    } else {
      command.add(maven + "/bin/mvn");
    }
    command.addAll(List.of("-q", "-B", "-f", "pom.xml", COPY));
    if (offline) {
      command.add("-o");
    }
    absent.forEach(jar -> System.out.println("ggml-native: fetching " + jar.coordinates()));
    Path log = directory().resolve("maven.log");
    try {
      Process process =
          new ProcessBuilder(command)
              .directory(directory().toFile())
              .redirectErrorStream(true)
              .redirectOutput(log.toFile())
              .start();
      if (process.waitFor() != 0) {
        throw new Failure(remedy(absent, Files.readString(log).strip()));
      }
    } catch (InterruptedException e) {
      throw new Failure("interrupted while Maven fetched " + absent);
    }
  }

  private static String remedy(List<AcceleratorLock.Jar> absent, String log) {
    return "Maven could not fetch %s: %s%nThe build takes libraries of matrix products from there once. Run it online once, or leave them out with -Docellus.accelerators=none; everything works without them, more slowly."
        .formatted(absent.stream().map(AcceleratorLock.Jar::coordinates).toList(), log);
  }

  private static String pom(List<AcceleratorLock.Jar> absent) {
    StringBuilder items = new StringBuilder();
    for (AcceleratorLock.Jar jar : absent) {
      String[] parts = jar.coordinates().split(":");
      items
          .append("<artifactItem><groupId>")
          .append(parts[0])
          .append("</groupId><artifactId>")
          .append(parts[1])
          .append("</artifactId><version>")
          .append(parts[2])
          .append("</version><classifier>")
          .append(parts[3])
          .append("</classifier></artifactItem>");
    }
    return """
    <project><modelVersion>4.0.0</modelVersion><groupId>dev.ocellus</groupId>
    <artifactId>fetch-accelerators</artifactId><version>1</version><packaging>pom</packaging>
    <build><plugins><plugin><groupId>org.apache.maven.plugins</groupId>
    <artifactId>maven-dependency-plugin</artifactId><version>3.9.0</version>
    <configuration><outputDirectory>.</outputDirectory><overWriteReleases>true</overWriteReleases>
    <artifactItems>%s</artifactItems></configuration></plugin></plugins></build></project>
    """
        .formatted(items);
  }
}
