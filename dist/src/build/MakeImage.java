import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.spi.ToolProvider;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Puts together the program, a Java runtime of the JDK's modules that it needs, and what makes it
 * start fast, as a folder and an archive that need no JDK. Run by the build (see pom.xml), on the
 * platform that the image is for.
 *
 * <pre>
 * java MakeImage.java --project=DIR --version=VERSION
 * </pre>
 *
 * <p>The libraries stay on the class path: some are no modules, and jlink takes modules only.
 */
final class MakeImage {
  /** Times of all files: class archives are valid for jars of the same time only. */
  private static final FileTime TIME = FileTime.fromMillis(1767225600000L); // 2026-01-01

  /** What {@code jdeps} finds in the jars, and what it cannot see. */
  private static final List<String> MODULES =
      List.of(
          "java.desktop", // images
          "java.logging",
          "java.management",
          "java.naming", // host names, for proxies and servers
          "java.net.http", // the hub
          "java.security.jgss", // proxies that ask for Kerberos or NTLM
          "java.sql", // dates, for Jackson
          "java.xml",
          "jdk.charsets", // texts in other encodings
          "jdk.crypto.ec", // TLS, where it is not a part of java.base yet
          "jdk.management", // memory of the machine
          "jdk.unsupported", // signals for the terminal, and memory for libraries
          "jdk.zipfs");

  private static final String SERIAL = "-XX:+UseSerialGC ";

  private final Path project;
  private final Path target;
  private final Path image;
  private final String platform;

  private MakeImage(Map<String, String> options) {
    project = Path.of(options.get("project")).toAbsolutePath().normalize();
    target = project.resolve("dist/target");
    platform = platform();
    image = target.resolve("ocellus-" + options.get("version"));
  }

  public static void main(String[] args) throws Exception {
    Map<String, String> options = new HashMap<>();
    for (String arg : args) {
      int equals = arg.indexOf('=');
      options.put(arg.substring(2, equals), arg.substring(equals + 1));
    }
    new MakeImage(options).make();
  }

  private static String platform() {
    String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    String arch = System.getProperty("os.arch");
    return (os.startsWith("windows") ? "win" : os.startsWith("mac") ? "mac" : "linux")
        + (arch.equals("aarch64") ? "-arm64" : "-x64");
  }

  private boolean windows() {
    return platform.startsWith("win");
  }

  private void make() throws Exception {
    delete(image);
    Files.createDirectories(image);
    copyTree(project.resolve("cli/target/dist"), image.resolve("app"));
    for (String file : List.of("LICENSE", "NOTICE", "README.md")) {
      Files.copy(project.resolve(file), image.resolve(file));
    }
    link();
    launcher();
    setTimes();
    rememberClasses();
    write("man", List.of("man", "--out", image.resolve("share/man/man1").toString()));
    for (String shell : List.of("bash", "zsh", "fish")) {
      String script = write("completion", List.of("completion", shell));
      Path file = image.resolve("share/completions/ocellus." + shell);
      Files.createDirectories(file.getParent());
      Files.writeString(file, script);
    }
    setTimes();
    Path archive =
        target.resolve(image.getFileName() + "-" + platform + (windows() ? ".zip" : ".tar.gz"));
    Archive.write(image, archive);
    System.out.printf(
        "dist: %s, %d MB, unpacked %d MB%n",
        archive.getFileName(), Files.size(archive) / 1_000_000, size(image) / 1_000_000);
  }

  private void link() {
    String modules = String.join(",", MODULES.stream().filter(MakeImage::isThere).toList());
    ToolProvider jlink =
        ToolProvider.findFirst("jlink")
            .orElseThrow(() -> new IllegalStateException("this JDK has no jlink"));
    StringWriter messages = new StringWriter();
    PrintWriter out = new PrintWriter(messages);
    int status =
        jlink.run(
            out,
            out,
            "--add-modules",
            modules,
            "--strip-debug",
            "--no-header-files",
            "--no-man-pages",
            "--compress",
            "zip-6",
            "--generate-cds-archive",
            "--output",
            image.resolve("runtime").toString());
    if (status != 0) {
      throw new IllegalStateException("jlink failed: " + messages);
    }
  }

  private static boolean isThere(String module) {
    return ModuleLayer.boot().findModule(module).isPresent()
        || java.lang.module.ModuleFinder.ofSystem().find(module).isPresent();
  }

  private void launcher() throws IOException {
    Path bin = Files.createDirectories(image.resolve("bin"));
    String name = windows() ? "ocellus.cmd" : "ocellus";
    String text = Files.readString(project.resolve("dist/src/launcher").resolve(name));
    // that of Windows has the same flags for every command, so what is for short ones alone is left out
    String forAll = flags().replace(SERIAL, "").strip();
    Path file =
        Files.writeString(
            bin.resolve(name),
            text.replace("@FLAGS@", forAll)
                .replace("@CHOOSE_FLAGS@", String.join("\n", chooseFlags())));
    if (!file.toFile().setExecutable(true, false)) {
      throw new IOException("cannot make executable: " + file);
    }
  }

  /** How the launcher in the project's folder chooses flags; each has its reason there. */
  private List<String> chooseFlags() throws IOException {
    List<String> lines = Files.readAllLines(project.resolve("ocellus"));
    int begin = lines.indexOf("choose_flags() {");
    if (begin < 0) {
      throw new IllegalStateException("no choose_flags in " + project.resolve("ocellus"));
    }
    return lines.subList(begin, begin + lines.subList(begin, lines.size()).indexOf("}") + 1);
  }

  /** The flags for a command that ends by itself. */
  private String flags() throws IOException {
    return chooseFlags().stream()
        .map(String::strip)
        .filter(line -> line.startsWith("flags=\""))
        .map(line -> line.substring("flags=\"".length(), line.lastIndexOf('"')))
        .map(line -> line.replace("$flags ", ""))
        .collect(Collectors.joining(" "));
  }

  /** Runs a typical command, and keeps its classes in the form in which the JVM holds them. */
  private void rememberClasses() throws Exception {
    String picture = project.resolve("docs/pictures/red-circle.png").toString();
    List<String> command = List.of("describe", "-q", "--json", picture);
    write("archive", List.of("-XX:ArchiveClassesAtExit=" + image.resolve("app/ocellus.jsa")), command);
    if (Runtime.version().feature() >= 25) {
      write("AOT cache", List.of("-XX:AOTCacheOutput=" + image.resolve("app/ocellus.aot")), command);
      Files.deleteIfExists(image.resolve("app/ocellus.aot.config"));
    }
  }

  private String write(String what, List<String> arguments) throws Exception {
    return write(what, List.of(), arguments);
  }

  /** Runs the program with the image's own runtime; the answer is what it printed. */
  private String write(String what, List<String> jvm, List<String> arguments) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(image.resolve("runtime/bin").resolve(windows() ? "java.exe" : "java").toString());
    command.addAll(jvm);
    command.addAll(List.of(flags().split(" ")));
    command.addAll(List.of("-Xlog:disable", "-jar", image.resolve("app/ocellus.jar").toString()));
    command.addAll(arguments);
    Path errors = target.resolve("image.log");
    Process process = new ProcessBuilder(command).redirectError(errors.toFile()).start();
    process.getOutputStream().close();
    String out = new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
    if (process.waitFor() != 0) {
      throw new IllegalStateException(what + ": " + command + ": " + Files.readString(errors));
    }
    return out;
  }

  private void setTimes() throws IOException {
    try (Stream<Path> all = Files.walk(image)) {
      for (Path path : all.sorted(java.util.Comparator.reverseOrder()).toList()) {
        if (!Files.isSymbolicLink(path)) {
          Files.setLastModifiedTime(path, TIME);
        }
      }
    }
  }

  private static long size(Path folder) throws IOException {
    try (Stream<Path> all = Files.walk(folder)) {
      return all.filter(p -> Files.isRegularFile(p, LinkOption.NOFOLLOW_LINKS))
          .mapToLong(p -> p.toFile().length())
          .sum();
    }
  }

  private static void copyTree(Path from, Path to) throws IOException {
    try (Stream<Path> all = Files.walk(from)) {
      for (Path path : all.toList()) {
        Path copy = to.resolve(from.relativize(path).toString());
        if (Files.isDirectory(path)) {
          Files.createDirectories(copy);
        } else {
          Files.copy(path, copy);
        }
      }
    }
  }

  private static void delete(Path folder) throws IOException {
    if (Files.exists(folder, LinkOption.NOFOLLOW_LINKS)) {
      try (Stream<Path> all = Files.walk(folder)) {
        for (Path path : all.sorted(java.util.Comparator.reverseOrder()).toList()) {
          Files.delete(path);
        }
      }
    }
  }
}
