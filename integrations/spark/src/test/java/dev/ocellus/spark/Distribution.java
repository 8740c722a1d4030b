package dev.ocellus.spark;

import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A folder laid out as a stock Spark distribution: {@code jars} with what Spark brings through
 * Maven and nothing else. What is left of the class path are the jars of Ocellus with their
 * dependencies, as {@code --packages} would bring them.
 */
final class Distribution implements AutoCloseable {
  /** Of Ocellus, and of tests. */
  private static final Pattern NOT_SPARK =
      Pattern.compile(
          ".*/(twelvemonkeys|junit|assertj|opentest4j|apiguardian|byte-buddy|surefire|junit-platform[^/]*|pdfbox[^/]*|fontbox)/.*"
              + "|.*/ocellus-[^/]*\\.jar|.*/dev/ocellus/.*|.*/surefire[^/]*");

  private static final Pattern OURS =
      Pattern.compile(".*/(twelvemonkeys|pdfbox[^/]*|fontbox)/.*|.*/ocellus-[^/]*\\.jar");

  /** Modules of Ocellus that a job needs; others may be on the class path as well. */
  private static final Pattern MODULES =
      Pattern.compile("(ggml-native|bindings|vlm|hub|pdf|spark)");

  private final Path home;
  private final List<Path> jars;

  private Distribution(Path home, List<Path> jars) {
    this.home = home;
    this.jars = jars;
  }

  /** Made of this process's class path. */
  static Distribution make(Path folder) throws IOException {
    Path home = Files.createDirectories(folder.resolve("spark-home"));
    Path sparkJars = Files.createDirectories(home.resolve("jars"));
    Files.writeString(home.resolve("RELEASE"), "Spark of Maven\n");
    Path ours = Files.createDirectories(folder.resolve("ocellus-jars"));
    List<Path> jars = new ArrayList<>();
    for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
      Path path = Path.of(entry).toAbsolutePath();
      if (Files.isDirectory(path)) {
        if (path.endsWith("target/classes")
            && MODULES.matcher(path.getName(path.getNameCount() - 3).toString()).matches()) {
          jars.add(
              jar(path, ours.resolve("ocellus-" + path.getName(path.getNameCount() - 3) + ".jar")));
        }
      } else if (OURS.matcher(path.toString()).matches()) {
        jars.add(path);
      } else if (Files.exists(path) && !NOT_SPARK.matcher(path.toString()).matches()) {
        Files.createSymbolicLink(sparkJars.resolve(path.getFileName()), path);
      }
    }
    return new Distribution(home, jars);
  }

  /** The folder. */
  Path home() {
    return home;
  }

  /** The jars of Ocellus and its dependencies, less those that Spark has. */
  List<Path> jars() {
    return jars;
  }

  /** A jar of a folder of classes, without compressing them. */
  static Path jar(Path classes, Path jar) throws IOException {
    try (OutputStream file = Files.newOutputStream(jar);
        JarOutputStream out = new JarOutputStream(file);
        Stream<Path> all = Files.walk(classes)) {
      out.setLevel(0);
      for (Path path : (Iterable<Path>) all.filter(Files::isRegularFile).sorted()::iterator) {
        out.putNextEntry(
            new JarEntry(classes.relativize(path).toString().replace(File.separatorChar, '/')));
        Files.copy(path, out);
        out.closeEntry();
      }
    }
    return jar;
  }

  /** A process as the scripts of the distribution start it. */
  ProcessBuilder process(List<String> command) throws IOException, InterruptedException {
    List<String> launcher = new ArrayList<>();
    launcher.add(java());
    launcher.addAll(List.of("-cp", home + "/jars/*", "org.apache.spark.launcher.Main"));
    launcher.addAll(command);
    Process built = environment(new ProcessBuilder(launcher)).redirectErrorStream(true).start();
    String printed = new String(built.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (built.waitFor() != 0) {
      throw new IOException("Spark's launcher failed: " + printed);
    }
    // it prints an empty line, and the words of the command with a zero byte behind each
    List<String> words =
        Stream.of(printed.split("\0")).map(String::strip).filter(w -> !w.isEmpty()).toList();
    return environment(new ProcessBuilder(words));
  }

  private ProcessBuilder environment(ProcessBuilder builder) {
    builder.environment().put("SPARK_HOME", home.toString());
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    builder.environment().put("SPARK_LOCAL_IP", "127.0.0.1");
    builder.environment().put("SPARK_SCALA_VERSION", "2.13"); // as the distribution's scripts do
    builder.environment().remove("SPARK_TESTING");
    return builder;
  }

  private static String java() {
    return Path.of(System.getProperty("java.home"), "bin", "java").toString();
  }

  /** Takes the links away, which a temporary folder is not deleted with in silence. */
  @Override
  public void close() throws IOException {
    try (Stream<Path> links = Files.list(home.resolve("jars"))) {
      for (Path link : links.toList()) {
        Files.delete(link);
      }
    }
  }
}
