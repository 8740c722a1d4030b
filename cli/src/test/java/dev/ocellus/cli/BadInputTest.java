package dev.ocellus.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each is refused with a message that helps, exit code 1 and no stack trace. */
class BadInputTest {
  private static final Path GOLDEN = Path.of("../tests/golden/models");
  private static final Path IMAGE = Path.of("../tests/golden/images/odd_97x61.png");

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
  void directoriesInPlaceOfFiles() throws IOException {
    refuses("directory", "describe", directory);
    refuses("is a folder without config.json", "chat", "-p", "hi", "-m", directory);
    String message = directory + ": is a directory; give a file with text";
    refuses(message, "chat", "--messages", directory);
    refuses(message, "chat", "-p", "hi", "--tools", directory);
    refuses(message, "chat", "-p", "hi", "--chat-template-file", directory);
    refuses(message, "chat", "-p", "hi", "--grammar-file", directory);
    refuses(message, "template", "--batch", directory);
    refuses(message, "embed", "--texts", directory);
    refuses(message, "embed", "--images", directory);
    refuses(message, "classify", "--image", IMAGE, "--labels", directory);
    refuses(message, "match", "-m", directory, "--image", IMAGE, "--texts", directory);
    refuses(message, "perplexity", "-m", Models.text(), "-f", directory);
    refuses(message, "tokenize", "-m", Models.text(), "-f", directory);
  }

  @Test
  void foldersWithoutACheckpoint() throws IOException {
    String message = directory + ": is a folder without config.json, so no checkpoint; give ";
    String folder = message + "the folder that holds config.json and the weights, or a GGUF file";
    refuses(folder, "describe", "-m", directory, IMAGE);
    refuses(folder, "ocr", "-m", directory, IMAGE);
    refuses(folder, "embed", "-m", directory, "--text", "x");
    refuses(folder, "classify", "-m", directory, "--image", IMAGE, "--label", "x");
    refuses(folder, "match", "-m", directory, "--image", IMAGE, "--text", "x");
    refuses(folder, "reconstruct", "-m", directory, IMAGE);
    Files.writeString(directory.resolve("mmproj-a.gguf"), "");
    Files.writeString(directory.resolve("b.gguf"), "");
    refuses(message + "a GGUF file in it, such as b.gguf", "embed", "-m", directory, "--text", "x");
  }

  /** Nothing is converted, or what is told is told about the folder that was given. */
  @Test
  void checkpointsOfAnotherKind() {
    Path chat = GOLDEN.resolve("smolvlm/hf");
    Path captioner = GOLDEN.resolve("blip-caption/hf");
    Path dual = GOLDEN.resolve("clip-openclip/hf");
    String no = ", not a model that matches images and texts that is known";
    refuses(no, "match", "-m", chat, "--image", IMAGE, "--text", "x");
    refuses(no, "match", "-m", captioner, "--image", IMAGE, "--text", "x");
    refuses(no, "match", "-m", dual, "--image", IMAGE, "--text", "x");
    Path matcher = GOLDEN.resolve("blip-itm/hf");
    for (Object[] arguments :
        new Object[][] {
          {"describe", "-q", "-m", matcher, IMAGE},
          {"chat", "-q", "-m", matcher, "-p", "x"},
          {"describe", "-q", "-m", dual, IMAGE}
        }) {
      refuses(arguments[3] + " is ", arguments);
      assertThat(Cli.run(arguments).err()).doesNotContain("checkpoints");
    }
  }

  @Test
  void fullDisks() {
    Path full = Path.of("/dev/full");
    assumeTrue(Files.exists(full), "a device of Linux");
    String message = "/dev/full: cannot be written: ";
    for (String format : new String[] {"npy", "csv", "jsonl", "json"}) {
      refuses(message, "embed", "--text", "x", "-o", full, "--format", format);
    }
    refuses(message, "search", "../docs/pictures", "x", "--index", directory, "--html", full);
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
}
