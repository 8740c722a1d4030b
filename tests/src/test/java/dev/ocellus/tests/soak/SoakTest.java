package dev.ocellus.tests.soak;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** That the command works; what it measures takes thousands of chats. */
class SoakTest {
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

  private int run(String... args) {
    var out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
    return new CommandLine(new Soak(out)).execute(args);
  }

  @ParameterizedTest
  @ValueSource(strings = {"1", "2"})
  void holdsChatsAndReports(String parallel) {
    int status =
        run("--chats", "30", "--every", "10", "--reload-every", "15", "--parallel", parallel);
    String report = bytes.toString(StandardCharsets.UTF_8);
    assertThat(status).as(report).isZero();
    assertThat(report.lines()).hasSize(6);
    assertThat(report).contains("\n| 0 |", "\n| 10 |", "\n| 20 |", "\n| 30 |");
  }

  @Test
  void endsWithTheTime() {
    assertThat(run("--chats", "100000", "--seconds", "0")).isZero();
    assertThat(bytes.toString(StandardCharsets.UTF_8)).contains("\n| 1 |").doesNotContain("| 2 |");
  }
}
