package dev.ocellus.tests.hardship;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.io.AtomicFile;
import dev.ocellus.tests.TinyCheckpoint;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Several processes on the same files, and processes that are killed while they write. */
class ProcessesTest {
  @TempDir private Path folder;

  private final List<Process> started = new ArrayList<>();

  @AfterEach
  void end() {
    started.forEach(Process::destroyForcibly);
  }

  private Process start(Class<?> program, String... arguments) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-Xmx128m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"));
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), program.getName()));
    command.addAll(List.of(arguments));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    started.add(process);
    return process;
  }

  private List<String> names() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> String.valueOf(file.getFileName())).sorted().toList();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"file", "set"})
  void theNextWriterRemovesWhatAKilledProcessLeft(String what) throws Exception {
    Process writer = start(HalfWriter.class, folder.toString(), what);
    try (BufferedReader out = writer.inputReader()) {
      assertThat(out.readLine()).isEqualTo("writing 1000");
    }
    int nHalves = what.equals("set") ? 2 : 1;
    assertThat(names()).hasSize(nHalves).allMatch(name -> name.endsWith(".tmp"));
    AtomicFile.write(folder.resolve("other"), new byte[] {1});
    assertThat(names()).as("of a living process").hasSize(nHalves + 1);

    writer.destroyForcibly();
    writer.waitFor();
    assertThat(names()).hasSize(nHalves + 1);
    AtomicFile.write(folder.resolve("other"), new byte[] {2});
    assertThat(names()).containsExactly("other");
  }

  @Test
  void everyProcessThatStartsWithACheckpointIsAnswered() throws Exception {
    Path checkpoint = Files.createDirectory(folder.resolve("checkpoint"));
    Path packed = TinyCheckpoint.write(folder.resolve("packed"), "llava");
    try (ZipInputStream zip = new ZipInputStream(Files.newInputStream(packed))) {
      for (ZipEntry e = zip.getNextEntry(); e != null; e = zip.getNextEntry()) {
        Files.write(checkpoint.resolve(e.getName()), zip.readAllBytes());
      }
    }
    Path cache = folder.resolve("cache");
    List<BufferedReader> outs = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      outs.add(
          start(CheckpointStarter.class, cache.toString(), checkpoint.toString()).inputReader());
    }
    for (BufferedReader out : outs) {
      assertThat(out.readLine()).isEqualTo("ready");
    }
    for (int i = 0; i < started.size(); i++) {
      try (OutputStream in = started.get(i).getOutputStream()) {
        in.write('\n');
      }
      // another state of the checkpoint for those that look at it from now on
      Files.setLastModifiedTime(
          checkpoint.resolve("config.json"), FileTime.fromMillis(1_000_000L * (i + 1)));
    }
    for (int i = 0; i < started.size(); i++) {
      assertThat(outs.get(i).readLine()).isEqualTo("llama clip");
      assertThat(started.get(i).waitFor()).isZero();
    }
  }
}
