import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;

/**
 * Fetches the pinned llama.cpp libraries with npm, checks them against package-lock.json, and lays
 * them out as resources with a manifest. Run by the build (see pom.xml); needs nothing but a JDK
 * and npm, so that it works the same on Linux, macOS and Windows.
 *
 * <pre>
 * java FetchNatives.java --module=DIR --tag=v0.4.0 --version=3.21.1 --platforms=host|none|all|every|LIST
 *     [--gpu=cuda|cuda12|vulkan] [--jars=none|all|every|LIST --jar-prefix=NAME] [--offline=true]
 * </pre>
 *
 * {@code --platforms} go to target/classes, {@code --jars} each to a resource jar in target.
 */
final class FetchNatives {
  private static final String RESOURCES = "META-INF/ocellus/natives";

  /** The libraries that are loaded; llama-addon.node, llama-common, .lib and .exp files are not. */
  private static final Pattern LIBRARY =
      Pattern.compile("(?:fallback/)?(?!.*llama-common)[A-Za-z0-9._-]+\\.(?:so|dylib|dll)");

  /** Nothing in these packages is near this; a larger entry means a wrong or hostile archive. */
  private static final long MAX_ENTRY_BYTES = 2L << 30;

  private final Path module;
  private final String tag;
  private final String version;
  private final boolean offline;
  private final boolean cuda12;
  private final String lock;

  private FetchNatives(Map<String, String> options) throws IOException {
    module = Path.of(required(options, "module"));
    tag = required(options, "tag");
    version = required(options, "version");
    offline = Boolean.parseBoolean(options.getOrDefault("offline", "false"));
    cuda12 = options.getOrDefault("gpu", "").equals("cuda12");
    lock = Files.readString(module.resolve("package-lock.json"));
  }

  public static void main(String[] args) {
    try {
      Map<String, String> options = parse(args);
      FetchNatives fetch = new FetchNatives(options);
      FetchAccelerators accelerators =
          new FetchAccelerators(
              fetch.module,
              required(options, "maven"),
              fetch.offline,
              options.getOrDefault("accelerators", "all"));
      fetch.bundle(
          Platforms.chosen(
              options.getOrDefault("platforms", "host"), options.getOrDefault("gpu", "")),
          accelerators);
      fetch.jars(
          Platforms.chosen(options.getOrDefault("jars", "none"), ""),
          options.getOrDefault("jar-prefix", "natives"),
          accelerators);
    } catch (Failure e) {
      fail(e.getMessage());
    } catch (IOException e) {
      fail("cannot prepare the native libraries: " + e);
    }
  }

  private static void fail(String message) {
    System.err.println("ggml-native: " + message);
    System.exit(1);
  }

  /** Puts the platforms into target/classes, and removes those of an earlier build. */
  private void bundle(Set<String> platforms, FetchAccelerators accelerators) throws IOException {
    Path root = module.resolve("target/classes").resolve(RESOURCES);
    Set<String> extra = accelerators.directories(platforms);
    if (Files.isDirectory(root)) {
      try (Stream<Path> old = Files.list(root)) {
        for (Path p : old.toList()) {
          String name = p.getFileName().toString();
          if (!platforms.contains(name) && !extra.contains(name)) {
            PackageFiles.deleteTree(p);
          }
        }
      }
    }
    for (String platform : platforms) {
      prepare(platform, root.resolve(platform));
    }
    accelerators.prepare(extra, root);
  }

  /** One jar a platform, and one for each library of matrix products that it can have. */
  private void jars(Set<String> platforms, String prefix, FetchAccelerators accelerators)
      throws IOException {
    Path root = module.resolve("target/natives");
    Set<String> extra = accelerators.directories(platforms);
    accelerators.prepare(extra, root);
    for (String name : extra) {
      pack(root.resolve(name), name, prefix);
    }
    for (String platform : platforms) {
      Path directory = root.resolve(platform);
      prepare(platform, directory);
      pack(directory, platform, prefix);
    }
  }

  private void pack(Path directory, String name, String prefix) throws IOException {
    Path jar = module.resolve("target").resolve(prefix + "-natives-" + name + ".jar");
    if (!PackageFiles.isNewer(jar, directory.resolve(PackageFiles.MANIFEST))) {
      String moduleName = "dev.ocellus.natives." + name.replace('-', '.');
      PackageFiles.writeJar(directory, RESOURCES + "/" + name + "/", moduleName, jar);
      System.out.println("ggml-native: packed " + jar.getFileName());
    }
  }

  /**
   * Makes {@code directory} hold the platform's libraries and manifest, fetching only if needed.
   */
  private void prepare(String platform, Path directory) throws IOException {
    List<String> packages = new ArrayList<>(List.of("@node-llama-cpp/" + platform));
    if (cuda12 && platform.endsWith("-cuda")) {
      packages.add("@node-llama-cpp/" + platform + "-ext");
    }
    StringBuilder head = new StringBuilder("ocellus-natives 1\n");
    head.append("platform ").append(platform).append('\n');
    head.append("llama.cpp ").append(tag).append('\n');
    for (String name : packages) {
      head.append("package ").append(name).append('@').append(version);
      head.append(' ').append(integrity(name)).append('\n');
    }
    if (PackageFiles.upToDate(directory, head.toString())) {
      return;
    }
    PackageFiles.deleteTree(directory);
    Files.createDirectories(directory);
    TreeMap<String, String> files = new TreeMap<>();
    for (String name : packages) {
      unpack(name, platform, fetch(name), directory, files);
    }
    Path licence = module.resolve("src/licenses/LICENSE-llama.cpp.txt");
    try (InputStream in = Files.newInputStream(licence)) {
      PackageFiles.store(
          in, Files.size(licence), licence.getFileName().toString(), directory, files);
    }
    PackageFiles.writeManifest(directory, head.toString(), files);
    System.out.println(
        "ggml-native: llama.cpp " + tag + " for " + platform + ", " + files.size() + " files");
  }

  /** The package's tarball, already checked against the lock file. */
  private Path fetch(String name) throws IOException {
    Path directory = module.resolve("target/npm");
    Files.createDirectories(directory);
    Path tarball = directory.resolve(name.substring(1).replace('/', '-') + "-" + version + ".tgz");
    String expected = integrity(name);
    if (!Files.isRegularFile(tarball) || !expected.equals(Digests.sha512(tarball))) {
      npmPack(name, directory, tarball);
      String found = Digests.sha512(tarball);
      if (!expected.equals(found)) {
        Files.delete(tarball);
        throw new Failure(
            ("%s@%s is not the package that package-lock.json pins: expected %s, found %s. Something between"
                    + " the registry and here changed it; nothing of it was used.")
                .formatted(name, version, expected, found));
      }
    }
    return tarball;
  }

  private void npmPack(String name, Path directory, Path tarball) throws IOException {
    System.out.println("ggml-native: fetching " + name + "@" + version + " with npm");
    List<String> command = new ArrayList<>();
    if (System.getProperty("os.name").startsWith("Windows")) {
      command.addAll(List.of("cmd", "/c")); // npm is npm.cmd there, which only the shell can start
    }
    command.addAll(
        List.of(
            "npm",
            "pack",
            name + "@" + version,
            "--loglevel=error",
            "--ignore-scripts",
            offline ? "--offline" : "--prefer-offline"));
    Path log = directory.resolve("npm.log");
    int status;
    try {
      // npm runs inside target/npm, so that no path has to survive the Windows shell's quoting.
      status =
          new ProcessBuilder(command)
              .directory(directory.toFile())
              .redirectErrorStream(true)
              .redirectOutput(log.toFile())
              .start()
              .waitFor();
    } catch (IOException e) {
      throw new Failure("npm is not on the PATH. " + remedy(name, tarball));
    } catch (InterruptedException e) {
      throw new Failure("interrupted while npm fetched " + name);
    }
    if (status != 0 || !Files.isRegularFile(tarball)) {
      throw new Failure(
          "npm could not fetch %s@%s (exit status %d%s): %s%n%s"
              .formatted(
                  name,
                  version,
                  status,
                  offline ? ", offline" : "",
                  Files.readString(log).strip(),
                  remedy(name, tarball)));
    }
  }

  private String remedy(String name, Path tarball) {
    return ("The build fetches the prebuilt llama.cpp libraries once, with the npm client and a connection to"
            + " its registry. Install Node.js 18 or newer (or run the build online once), or put the tarball"
            + " of %s@%s at %s; it is checked against package-lock.json all the same.")
        .formatted(name, version, tarball);
  }

  /**
   * The integrity that package-lock.json pins; its version must be the one that the build expects.
   */
  private String integrity(String name) {
    String key = "\"node_modules/" + name + "\"";
    int start = lock.indexOf(key);
    if (start < 0) {
      throw new Failure("package-lock.json does not pin " + name);
    }
    int end = lock.indexOf("\"node_modules/", start + key.length());
    String entry = lock.substring(start, end < 0 ? lock.length() : end);
    String pinned = field(entry, "version", name);
    if (!pinned.equals(version)) {
      throw new Failure(
          "package-lock.json pins %s@%s, but llama.npm.version in pom.xml is %s; change both together."
              .formatted(name, pinned, version));
    }
    return field(entry, "integrity", name);
  }

  private static String field(String entry, String field, String name) {
    Matcher m = Pattern.compile("\"" + field + "\"\\s*:\\s*\"([^\"]+)\"").matcher(entry);
    if (!m.find()) {
      throw new Failure("package-lock.json states no " + field + " for " + name);
    }
    return m.group(1);
  }

  /**
   * Copies the package's libraries into {@code directory}, and checks which llama.cpp it was built
   * from.
   */
  private void unpack(
      String name, String platform, Path tarball, Path directory, Map<String, String> files)
      throws IOException {
    String bins = "package/bins/" + platform + "/";
    int libraries = 0;
    boolean tagSeen = name.endsWith("-ext"); // the companions carry libraries only
    try (InputStream in =
        new BufferedInputStream(new GZIPInputStream(Files.newInputStream(tarball), 1 << 16))) {
      byte[] header = new byte[512];
      while (in.readNBytes(header, 0, 512) == 512 && header[0] != 0) {
        String path =
            (text(header, 345, 155).isEmpty() ? "" : text(header, 345, 155) + "/")
                + text(header, 0, 100);
        long size = Long.parseLong(text(header, 124, 12).strip(), 8);
        if (size < 0 || size > MAX_ENTRY_BYTES) {
          throw new Failure(
              tarball.getFileName() + ": entry " + path + " claims " + size + " bytes");
        }
        boolean regular = header[156] == '0' || header[156] == 0;
        String file = path.startsWith(bins) ? path.substring(bins.length()) : "";
        if (regular && LIBRARY.matcher(file).matches()) {
          PackageFiles.store(in, size, file, directory, files);
          libraries++;
        } else if (file.equals("_nlcBuildMetadata.json")) {
          String release =
              field(new String(in.readNBytes((int) size), StandardCharsets.UTF_8), "release", name);
          if (!release.equals(tag)) {
            throw new Failure(
                "%s@%s was built from llama.cpp %s, but llama.cpp.tag in pom.xml is %s; change both together."
                    .formatted(name, version, release, tag));
          }
          tagSeen = true;
        } else if (path.equals("package/LICENSE")) {
          PackageFiles.store(in, size, "LICENSE-node-llama-cpp.txt", directory, files);
        } else {
          in.skipNBytes(size);
        }
        in.skipNBytes((512 - size % 512) % 512);
      }
    }
    if (libraries == 0 || !tagSeen) {
      throw new Failure(
          name
              + "@"
              + version
              + " holds "
              + libraries
              + " libraries under "
              + bins
              + (tagSeen ? "" : " and no _nlcBuildMetadata.json")
              + ": its layout changed, and FetchNatives.java must follow.");
    }
  }

  private static Map<String, String> parse(String[] args) {
    Map<String, String> options = new HashMap<>();
    for (String arg : args) {
      int equals = arg.indexOf('=');
      if (!arg.startsWith("--") || equals < 0) {
        throw new Failure("expected --name=value, found " + arg);
      }
      options.put(arg.substring(2, equals), arg.substring(equals + 1));
    }
    return options;
  }

  private static String required(Map<String, String> options, String name) {
    String value = options.get(name);
    if (value == null) {
      throw new Failure("--" + name + " is missing");
    }
    return value;
  }

  /** A NUL-terminated field of a tar header. */
  private static String text(byte[] header, int offset, int length) {
    int end = offset;
    while (end < offset + length && header[end] != 0) {
      end++;
    }
    return new String(header, offset, end - offset, StandardCharsets.UTF_8);
  }
}
