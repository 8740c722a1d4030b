package dev.ocellus.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import dev.ocellus.cli.terminal.Io;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Commands of the guides have only options and arguments that there are. */
class DocumentedCommandsTest {
  private static final Path ROOT = Path.of("..");

  /** A line of a block of code, with a prompt or without. */
  private static final Pattern COMMAND =
      Pattern.compile("(?m)^ *(?:\\$ )?(?:\\./)?ocellus ((?:[^\\n\\\\]|\\\\\\n?)+)$");

  /** A word as a shell takes it: parts with quotes and without. */
  private static final Pattern WORD = Pattern.compile("(?:\"[^\"]*\"|'[^']*'|[^\\s\"'])+");

  private static final Pattern REST = Pattern.compile("[#|;&]|[0-9]?>.*");

  @Test
  void haveOptionsThatThereAre() throws IOException {
    List<String> commands = new ArrayList<>();
    for (Path page : pages()) {
      Matcher found = COMMAND.matcher(Files.readString(page));
      while (found.find()) {
        commands.add(found.group(1).replace("\\\n", " "));
      }
    }
    assertThat(commands).hasSizeGreaterThan(50);
    for (String command : commands) {
      String[] arguments = arguments(command);
      assertThatCode(() -> Ocellus.whole(Io.ofProcess()).parseArgs(arguments))
          .as(command)
          .doesNotThrowAnyException();
    }
  }

  private static List<Path> pages() throws IOException {
    List<Path> pages = new ArrayList<>(List.of(ROOT.resolve("README.md")));
    try (Stream<Path> docs = Files.list(ROOT.resolve("docs"))) {
      docs.filter(file -> file.toString().endsWith(".md")).sorted().forEach(pages::add);
    }
    return pages;
  }

  /** Up to a remark, another command or a file that takes the output. */
  private static String[] arguments(String command) {
    List<String> words = new ArrayList<>();
    Matcher word = WORD.matcher(command);
    while (word.find() && !REST.matcher(word.group()).lookingAt()) {
      words.add(word.group().replaceAll("[\"']", ""));
    }
    return words.toArray(String[]::new);
  }
}
