package dev.ocellus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each is refused with a message that helps, exit code 1 and no stack trace. */
class BadInputTest {
  @TempDir Path directory;

  private static void refuses(String message, Object... arguments) {
    Cli run = Cli.run(arguments);
    assertThat(run.err())
        .contains("ocellus: error: ", message)
        .doesNotContain("\tat ", "internal error");
    assertThat(run.out()).isEmpty();
    assertThat(run.code()).isEqualTo(1);
  }

  @Test
  void missingFiles() throws IOException {
    refuses("no such file", "describe", directory.resolve("none.png"));
    refuses("no such file", "chat", "-p", "hi", "-m", directory.resolve("none.gguf"));
    refuses("no such file", "chat", "--messages", directory.resolve("none.json"));
    refuses("no such file", "inspect", directory.resolve("none.gguf"));
    refuses(
        "no such file",
        "encode",
        "--out",
        directory,
        "--mmproj",
        Models.mmproj(),
        directory.resolve("none.png"));
  }

  @Test
  void directoriesInPlaceOfFiles() {
    refuses("directory", "describe", directory);
    refuses("directory", "chat", "-p", "hi", "-m", directory);
    refuses("directory", "chat", "--messages", directory);
  }

  @Test
  void textInPlaceOfAPicture() throws IOException {
    Path text = Files.writeString(directory.resolve("note.png"), "hello");
    refuses("note.png", "describe", text);
  }

  @Test
  void filesWithoutPagesBeforeAModelIsLoaded() throws IOException {
    Path text = Files.writeString(directory.resolve("notes.txt"), "hello");
    Path damaged = Files.write(directory.resolve("damaged.png"), new byte[] {(byte) 0x89, 'P'});
    Path model = directory.resolve("none.gguf");
    Cli run = Cli.run("ocr", "-m", model, text, damaged, directory.resolve("none.png"));
    assertThat(run.err())
        .contains("notes.txt", "text", "damaged.png", "none.png: no such file")
        .doesNotContain("none.gguf");
    assertThat(run.code()).isEqualTo(1);
    run = Cli.run("ocr", "-m", model, text, Cli.redCircle(directory));
    assertThat(run.err()).contains("notes.txt", "none.gguf");
    assertThat(run.code()).isEqualTo(1);
  }

  @Test
  void panAndScanOfAFamilyThatHasNone() throws IOException {
    Path image = Cli.redCircle(directory);
    refuses("llava have no pan and scan", "describe", "--pan-and-scan", image);
    refuses(
        "llava have no pan and scan",
        "encode",
        "--pan-and-scan",
        "--out",
        directory,
        "--mmproj",
        Models.mmproj(),
        image);
  }

  @Test
  void modelsInTheWrongPlace() throws IOException {
    refuses("as the mmproj", "chat", "-p", "hi", "-m", Models.mmproj());
    refuses("-m", "chat", "-p", "hi", "-m", Models.text(), "--mmproj", Models.text());
    refuses(
        "not an image encoder",
        "encode",
        "--out",
        directory,
        "--mmproj",
        Models.text(),
        Cli.redCircle(directory));
  }

  @Test
  void truncatedModels() throws IOException {
    byte[] whole = Files.readAllBytes(Models.text());
    for (int length : new int[] {0, 3, 20, 5000, whole.length - 1}) {
      Path cut = directory.resolve("cut-" + length + ".gguf");
      Files.write(cut, Arrays.copyOf(whole, length));
      refuses("cut-" + length, "chat", "-p", "hi", "-m", cut);
      refuses("cut-" + length, "inspect", cut);
    }
  }

  @Test
  void imagesWithoutAnEncoder() throws IOException {
    refuses(
        "mmproj",
        "chat",
        "-q",
        "-p",
        "hi",
        "-m",
        Models.text(),
        "--image",
        Cli.redCircle(directory));
  }

  @Test
  void brokenConversations() throws IOException {
    Path file = Files.writeString(directory.resolve("chat.json"), "[{\"role\": \"king\"}]");
    refuses("chat.json: messages[0].role", "chat", "--messages", file);
    Path latin = Files.write(directory.resolve("latin.json"), new byte[] {'[', (byte) 0xe4, ']'});
    refuses("not UTF-8", "chat", "--messages", latin);
  }

  @Test
  void contextsThatOverflow() {
    refuses("larger context", "chat", "-q", "-c", 256, "-p", "word ".repeat(1000));
  }

  @Test
  void absurdNumbers() {
    refuses("threads", "chat", "-q", "-p", "hi", "-t", 100_000);
    refuses("context", "chat", "-q", "-p", "hi", "-c", Integer.MAX_VALUE);
  }
}
