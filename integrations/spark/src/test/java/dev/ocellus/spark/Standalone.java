package dev.ocellus.spark;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A standalone cluster on this machine: a master and workers, each a process of its own. */
final class Standalone implements AutoCloseable {
  private static final Pattern ADDRESS = Pattern.compile("spark://[^,\\s]+");

  private final List<Process> processes = new ArrayList<>();
  private final String master;

  /**
   * @param cores of each worker
   */
  Standalone(Distribution distribution, Path folder, int workers, int cores)
      throws IOException, InterruptedException {
    Process first =
        distribution
            .process(
                List.of(
                    "org.apache.spark.deploy.master.Master",
                    "--host",
                    "127.0.0.1",
                    "--port",
                    "0",
                    "--webui-port",
                    "0"))
            .redirectErrorStream(true)
            .start();
    processes.add(first);
    master = address(first);
    for (int i = 0; i < workers; i++) {
      Path work = Files.createDirectories(folder.resolve("worker-" + i));
      processes.add(
          distribution
              .process(
                  List.of(
                      "org.apache.spark.deploy.worker.Worker",
                      "--host",
                      "127.0.0.1",
                      "--port",
                      "0",
                      "--webui-port",
                      "0",
                      "--cores",
                      String.valueOf(cores),
                      "--memory",
                      "1g",
                      "--work-dir",
                      work.toString(),
                      master))
              .redirectErrorStream(true)
              .redirectOutput(folder.resolve("worker-" + i + ".log").toFile())
              .start());
    }
  }

  /** What the master writes first of where it listens; its other lines are read away. */
  private static String address(Process master) throws IOException {
    BufferedReader lines = master.inputReader(StandardCharsets.UTF_8);
    StringBuilder read = new StringBuilder();
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      read.append(line).append('\n');
      Matcher found = ADDRESS.matcher(line);
      if (line.contains("Starting Spark master at") && found.find()) {
        Thread reader =
            new Thread(() -> lines.lines().forEach(unused -> {}), "output of the master");
        reader.setDaemon(true);
        reader.start();
        return found.group();
      }
    }
    throw new IOException("the master ended: " + read);
  }

  String master() {
    return master;
  }

  @Override
  public void close() {
    for (Process process : processes) {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
  }
}
