package dev.ocellus.spark;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A job that is submitted as {@code spark-submit} does. */
final class Submission {
  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final long LIMIT_MINUTES = 20;

  private final Distribution distribution;
  private final Path folder;
  private final String master;
  private final Map<String, String> settings = new TreeMap<>();
  private final Class<?> program;
  private List<Path> jars;
  private String log = "";

  Submission(Distribution distribution, Path folder, String master) {
    this(distribution, folder, master, ClusterJob.class);
  }

  Submission(Distribution distribution, Path folder, String master, Class<?> program) {
    this.program = program;
    this.distribution = distribution;
    this.folder = folder;
    this.master = master;
    this.jars = distribution.jars();
    settings.put("spark.ui.enabled", "false");
    settings.put("spark.driver.host", "127.0.0.1");
    settings.put("spark.driver.bindAddress", "127.0.0.1");
    settings.put("spark.driver.memory", "512m");
    settings.put("spark.executor.memory", "512m");
    settings.put("spark.local.dir", folder.resolve("spark-tmp").toString());
    settings.put("spark.executor.extraJavaOptions", "--enable-native-access=ALL-UNNAMED");
    settings.put("spark.plugins", "dev.ocellus.spark.OcellusPlugin");
  }

  Submission with(String setting, String value) {
    settings.put(setting, value);
    return this;
  }

  Submission withJars(List<Path> value) {
    jars = value;
    return this;
  }

  /** Runs it; the exit code is its. */
  int run(String... arguments) throws IOException, InterruptedException, URISyntaxException {
    List<String> command = new ArrayList<>(List.of("org.apache.spark.deploy.SparkSubmit"));
    command.addAll(List.of("--master", master, "--class", program.getName()));
    settings.forEach((name, value) -> command.addAll(List.of("--conf", name + "=" + value)));
    command.add("--jars");
    command.add(jars.stream().map(Path::toString).collect(Collectors.joining(",")));
    command.add(job().toString());
    command.addAll(List.of(arguments));
    Path output = folder.resolve("driver.log");
    Process process =
        distribution
            .process(command)
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    try {
      if (!process.waitFor(LIMIT_MINUTES, TimeUnit.MINUTES)) {
        throw new IOException("the job did not end: " + Files.readString(output));
      }
    } finally {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
    log = Files.readString(output);
    return process.exitValue();
  }

  /** What the driver wrote. */
  String log() {
    return log;
  }

  /** The programs, without what they are linked with. */
  private Path job() throws IOException, URISyntaxException {
    Path from = Path.of(program.getProtectionDomain().getCodeSource().getLocation().toURI());
    Path classes = Files.createDirectories(folder.resolve("job/dev/ocellus/spark"));
    try (Stream<Path> all = Files.list(from.resolve("dev/ocellus/spark"))) {
      for (Path file : all.filter(f -> f.toString().contains("Job")).toList()) {
        Files.copy(file, classes.resolve(file.getFileName()), StandardCopyOption.REPLACE_EXISTING);
      }
    }
    return Distribution.jar(folder.resolve("job"), folder.resolve("job.jar"));
  }

  /** Rows that were written as JSON, by the name of their file; each name is there once. */
  static Map<String, JsonNode> rows(Path output) throws IOException {
    Map<String, JsonNode> rows = new TreeMap<>();
    try (Stream<Path> parts = Files.list(output)) {
      for (Path part : parts.filter(p -> p.toString().endsWith(".json")).toList()) {
        for (String line : Files.readAllLines(part)) {
          JsonNode row = MAPPER.readTree(line);
          String name = row.get("path").asText().replaceFirst(".*/", "");
          if (rows.put(name, row) != null) {
            throw new IllegalStateException("two rows of " + name);
          }
        }
      }
    }
    return rows;
  }
}
