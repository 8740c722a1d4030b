package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.gguf.TensorType;
import dev.ocellus.vlm.ChatSession;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.Content;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.chat.Role;
import dev.ocellus.vlm.options.LoadOptions;
import dev.ocellus.vlm.options.PrefixCacheOptions;
import dev.ocellus.vlm.options.SessionOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A prompt goes on from its last image in a new process, and answers as if it had not. */
class PrefixCacheTest {
  private static final GenerationOptions TEN =
      GenerationOptions.greedy().withMaxTokens(10).withIgnoreEos(true);

  @TempDir Path parent;
  private Path directory;

  @BeforeEach
  void nameDirectory() {
    directory = parent.resolve("prefixes");
  }

  private LoadOptions options() {
    return with(PrefixCacheOptions.OFF.withDirectory(directory));
  }

  private static LoadOptions with(PrefixCacheOptions cache) {
    return Golden.options().withSessions(SessionOptions.defaults().withPrefixCache(cache));
  }

  private static Answer ask(LoadOptions options, String system, String image, String question)
      throws IOException {
    List<Message> messages =
        List.of(
            Message.system(system),
            new Message(
                Role.USER,
                List.of(
                    new Content.Image(Golden.image(image), image), new Content.Text(question))));
    try (VisionLanguageModel model = VisionLanguageModel.open(options);
        ChatSession chat = model.newChat()) {
      return chat.complete(messages, TEN, AnswerListener.NONE);
    }
  }

  private static Answer ask(LoadOptions options, String question) throws IOException {
    return ask(options, "Be brief.", "exact_56x56.png", question);
  }

  private List<Path> files() throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.toList();
    }
  }

  @Test
  void computesOnlyTheQuestionInANewProcess() throws IOException {
    Answer first = ask(options(), "What is it?");
    assertThat(first.usage().cachedTokens()).isZero();
    Answer other = ask(options(), "Which colour has it?");
    assertThat(other.usage().cachedTokens()).isGreaterThan(other.usage().imageTokens());
    assertThat(other.tokens()).isEqualTo(ask(Golden.options(), "Which colour has it?").tokens());
    assertThat(ask(options(), "What is it?").tokens()).isEqualTo(first.tokens());
    assertThat(files()).hasSize(1);
  }

  @Test
  void answersAsWithoutIt() throws IOException {
    Answer plain = ask(Golden.options(), "What is it?");
    Answer kept = ask(options(), "What is it?");
    assertThat(kept.tokens()).isEqualTo(plain.tokens());
    assertThat(kept.promptTokens()).isEqualTo(plain.promptTokens());
    assertThat(kept.usage().cachedTokens()).isZero();
  }

  @Test
  void anotherSystemMessageImageOrFormIsAnotherPrefix() throws IOException {
    ask(options(), "What is it?");
    assertThat(ask(options(), "Say much.", "exact_56x56.png", "What is it?").usage().cachedTokens())
        .isZero();
    assertThat(
            ask(
                    options()
                        .withContextOptions(
                            Golden.options()
                                .contextOptions()
                                .withCache(TensorType.F32, TensorType.F32)),
                    "What is it?")
                .usage()
                .cachedTokens())
        .isZero();
    assertThat(files()).hasSize(3);
  }

  /** In the magic number, the key, the checksum, and keys and values. */
  @ParameterizedTest
  @ValueSource(ints = {0, 10, 45, 80, -1})
  void computesAgainWhatWasChanged(int at) throws IOException {
    Answer first = ask(options(), "What is it?");
    Path file = files().getFirst();
    byte[] bytes = Files.readAllBytes(file);
    bytes[at < 0 ? bytes.length + at : at] ^= 1;
    Files.write(file, bytes);
    Answer second = ask(options(), "What is it?");
    assertThat(second.usage().cachedTokens()).isZero();
    assertThat(second.tokens()).isEqualTo(first.tokens());
    assertThat(ask(options(), "What is it?").usage().cachedTokens()).isPositive();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 7, 72, 1000})
  void computesAgainWhatWasCutShort(int length) throws IOException {
    ask(options(), "What is it?");
    Path file = files().getFirst();
    byte[] bytes = Files.readAllBytes(file);
    Files.write(file, Arrays.copyOf(bytes, length));
    assertThat(ask(options(), "What is it?").usage().cachedTokens()).isZero();
    assertThat(Files.size(file)).isEqualTo(bytes.length);
  }

  @Test
  void nothingIsKeptThatIsLargerThanTheCache() throws IOException {
    LoadOptions small = with(PrefixCacheOptions.OFF.withDirectory(directory).withDiskBytes(1000));
    assertThat(ask(small, "What is it?").tokens())
        .isEqualTo(ask(Golden.options(), "What is it?").tokens());
    assertThat(directory).doesNotExist();
  }

  @Test
  void aDirectoryThatEverybodyCanWriteToIsNotUsed() throws IOException {
    ask(options(), "What is it?");
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxrwxrwx"));
    assertThat(ask(options(), "What is it?").usage().cachedTokens()).isZero();
  }

  @Test
  void goesOnFromTheLongestBeginningThatIsThere() throws IOException {
    ask(options(), "What is it?");
    try (VisionLanguageModel model = VisionLanguageModel.open(options());
        ChatSession chat = model.newChat()) {
      Message two =
          new Message(
              Role.USER,
              List.of(
                  new Content.Image(Golden.image("exact_56x56.png"), ""),
                  new Content.Image(Golden.image("exact_56x56.png"), ""),
                  new Content.Text("Are they the same?")));
      Answer answer =
          chat.complete(List.of(Message.system("Be brief."), two), TEN, AnswerListener.NONE);
      int images = answer.usage().imageTokens();
      assertThat(answer.usage().cachedTokens()).isBetween(images / 2, images);
    }
    assertThat(files()).hasSize(2);
  }
}
