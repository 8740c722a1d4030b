package dev.ocellus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The interactive chat as a person has it: the program in a process of its own, on a
 * pseudo-terminal that {@code script} makes.
 */
@Timeout(120)
class ReplPtyTest {
  @TempDir Path directory;

  @BeforeEach
  void needsAPseudoTerminal() throws IOException {
    boolean there =
        Stream.of(System.getenv().getOrDefault("PATH", "").split(":"))
            .anyMatch(p -> Files.isExecutable(Path.of(p, "script")));
    boolean linux = System.getProperty("os.name").equals("Linux");
    if (!there || !linux) {
      String why =
          "ReplPtyTest did not run: it needs Linux and 'script' (util-linux), which makes pseudo-terminals";
      System.err.println(why);
      Assumptions.abort(why);
    }
  }

  /** A chat on a terminal, typed into by hand. */
  private final class Terminal implements AutoCloseable {
    private final Process process;
    private final ByteArrayOutputStream seen = new ByteArrayOutputStream();
    private final Thread reader;

    Terminal(Map<String, String> environment, String... options) throws IOException {
      String classes =
          Stream.of("jdk.module.path", "java.class.path")
              .map(name -> System.getProperty(name, ""))
              .filter(path -> !path.isEmpty())
              .collect(Collectors.joining(":"));
      String command =
          Stream.concat(
                  Stream.of(
                      ProcessHandle.current().info().command().orElse("java"),
                      "--enable-native-access=ALL-UNNAMED",
                      "-cp",
                      classes,
                      Main.class.getName(),
                      "chat",
                      "-t",
                      "1",
                      "--temp",
                      "0"),
                  Stream.of(options))
              .map(word -> "'" + word + "'")
              .collect(Collectors.joining(" "));
      // exec, since a shell that waits dies of Ctrl-C itself, once the program has ended
      var builder =
          new ProcessBuilder(
              List.of("script", "-qfec", "stty rows 50 cols 200; exec " + command, "/dev/null"));
      builder.redirectErrorStream(true);
      builder.environment().keySet().removeAll(List.of("TMUX", "COLORTERM", "NO_COLOR"));
      builder.environment().put("TERM", "xterm-256color");
      builder.environment().put("XDG_STATE_HOME", directory.resolve("state").toString());
      builder.environment().putAll(environment);
      process = builder.start();
      reader = Thread.ofPlatform().daemon().start(this::read);
    }

    private void read() {
      byte[] buffer = new byte[4096];
      try (InputStream in = process.getInputStream()) {
        for (int n = in.read(buffer); n > 0; n = in.read(buffer)) {
          synchronized (seen) {
            seen.write(buffer, 0, n);
          }
        }
      } catch (IOException e) {
        // the terminal is gone, and what it showed is there
      }
    }

    String screen() {
      synchronized (seen) {
        return seen.toString(StandardCharsets.UTF_8);
      }
    }

    void type(String text) throws IOException {
      process.getOutputStream().write(text.getBytes(StandardCharsets.UTF_8));
      process.getOutputStream().flush();
    }

    /** Waits until a text shows behind a place of the screen, and gives the place behind it. */
    int await(String text, int from) throws InterruptedException {
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
      while (System.nanoTime() < deadline) {
        int at = screen().indexOf(text, from);
        if (at >= 0) {
          return at + text.length();
        }
        Thread.sleep(20);
      }
      throw new AssertionError("'%s' does not show in:%n%s".formatted(text, screen()));
    }

    int end() throws InterruptedException {
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).as(screen()).isTrue();
      reader.join(5000);
      return process.exitValue();
    }

    @Override
    public void close() {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
  }

  @Test
  void talksShowsTheContextAndEnds() throws Exception {
    Path image = Cli.redCircle(directory);
    try (var terminal = new Terminal(Map.of("COLORTERM", "truecolor"), "-n", "12")) {
      int at = terminal.await("> ", 0);
      terminal.type("'" + image + "' What color is the circle?\r");
      at = terminal.await("▀", at); // the small image
      at = terminal.await("added red circle.png (192 x 192)", at);
      at = terminal.await("red", at);
      at = terminal.await("/4096] > ", at); // how full the context is
      terminal.type("/nonsense\r");
      at = terminal.await("unknown command", at);
      terminal.type("/sta\t\r"); // completed
      at = terminal.await("64 of images", at);
      terminal.type("\"\"\"\rone\rtwo\"\"\"\r");
      at = terminal.await("… ", at);
      at = terminal.await("/4096] > ", at);
      terminal.type("/save " + directory.resolve("typed.json") + "\r");
      at = terminal.await("4 messages written", at);
      terminal.await("/4096] > ", at);
      terminal.type("\u0004"); // Ctrl-D
      assertThat(terminal.end()).isZero();
      assertThat(Files.readString(directory.resolve("typed.json"))).contains("one\\ntwo");
      assertThat(Files.readString(directory.resolve("state/ocellus/history"))).contains("/sta");
    }
  }

  @Test
  void stopsTheAnswerAndNotTheProgram() throws Exception {
    // a context that no machine fills before the answer is stopped
    try (var terminal = new Terminal(Map.of(), "--ignore-eos", "-c", "32768")) {
      int at = terminal.await("> ", 0);
      for (int i = 0; i < 2; i++) {
        terminal.type("Hello\r");
        at = terminal.await("Hello", at);
        TimeUnit.MILLISECONDS.sleep(300);
        terminal.type("\u0003"); // Ctrl-C
        at = terminal.await("stopped", at);
        at = terminal.await("> ", at);
      }
      terminal.type("half a line\u0003"); // gives up the line
      at = terminal.await("/quit ends", at);
      terminal.type("/set n 4\r");
      at = terminal.await("n = 4", at);
      terminal.type("/regen\r");
      at = terminal.await("] > ", at);
      terminal.type("/quit\r");
      assertThat(terminal.end()).isZero();
    }
  }
}
