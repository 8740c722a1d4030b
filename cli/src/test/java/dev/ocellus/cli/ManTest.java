package dev.ocellus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Manual pages, and what {@code man} makes of them. */
@Timeout(120)
class ManTest {
  @TempDir Path directory;

  private List<Path> pages() throws Exception {
    Cli run = Cli.run("man", "--out", directory.resolve("man1"));
    assertThat(run.code()).as(run.err()).isZero();
    try (Stream<Path> files = Files.list(directory.resolve("man1"))) {
      return files.sorted().toList();
    }
  }

  @Test
  void thereIsAPageForEachCommandAndOneForTheProgram() throws Exception {
    assertThat(pages())
        .hasSize(Commands.names().size() + 1)
        .extracting(file -> file.getFileName().toString())
        .contains("ocellus.1", "ocellus-chat.1", "ocellus-man.1");
  }

  @Test
  void aPageHasWhatHelpHas() {
    String page = Cli.run("man", "describe").out();
    assertThat(page)
        .startsWith(".TH OCELLUS\\-DESCRIBE 1")
        .contains(".SH NAME\nocellus\\-describe \\- ")
        .contains(".SH SYNOPSIS", ".SH OPTIONS", ".SH EXAMPLES", ".SH EXIT STATUS")
        .contains("\\fB\\-m, \\-\\-model FILE|NAME\\fR\n")
        .contains("\\fB\\-\\-json\\fR\nPrint JSON for programs on standard output.\n")
        .doesNotContain("%n");
    assertThat(Cli.run("man").out()).contains("ocellus\\-chat(1)");
  }

  @Test
  void manShowsEveryPageWithoutAWarning() throws Exception {
    Tool.need("man");
    for (Path page : pages()) {
      Tool shown = Tool.run(directory, "man", "--warnings", "-l", page.toString());
      assertThat(shown.err()).as(page.toString()).isEmpty();
      assertThat(shown.out().replaceAll(".\b", ""))
          .as(page.toString())
          .contains("NAME", "SYNOPSIS", "OPTIONS", "--help");
    }
  }

  @Test
  void noTextIsTakenForARequest() throws Exception {
    assertThat(pages())
        .allSatisfy(page ->
            assertThat(Files.readAllLines(page))
                .filteredOn(line -> line.startsWith("."))
                .allMatch(line -> line.matches("\\.(?:TH|SH|PP|TP|BR|nf|fi)\\b.*")));
  }

  @Test
  void refusesUnknownCommandsAndFoldersThatCannotBe() throws Exception {
    Cli run = Cli.run("man", "descrbe");
    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err()).contains("no command 'descrbe'");
    assertThat(Cli.run("man", "chat", "--out", directory).code()).isEqualTo(2);
    Path file = Files.writeString(directory.resolve("file"), "");
    Cli inFile = Cli.run("man", "--out", file.resolve("below"));
    assertThat(inFile.code()).isEqualTo(1);
    assertThat(inFile.err()).contains(file.toString());
  }
}
