package dev.ocellus.tests.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.testkit.ScriptedModels;
import dev.ocellus.testkit.WeatherScript;
import dev.ocellus.vlm.ChatSession;
import dev.ocellus.vlm.DemoModel;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.image.codec.ImageDecoder;
import dev.ocellus.vlm.options.LoadOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The page for Java programs: every block compiles as it is printed, and gives what the page
 * promises where the embedded models can run it.
 */
class EmbeddingPageTest {
  private static final Path PAGE = Path.of("../docs/embedding-in-java.md");
  private static final Path PICTURES = Path.of("../docs/pictures").toAbsolutePath().normalize();

  /** What only those can run who have such models, or a network. */
  private static final List<String> OTHERS = List.of("hf://", "blip-caption.gguf");

  private static VisionLanguageModel model;
  private static VisionLanguageModel withTools;

  @TempDir Path directory;

  @BeforeAll
  static void open() throws IOException {
    model = VisionLanguageModel.open(DemoModel.files());
    withTools = ScriptedModels.scripted(WeatherScript::answer);
  }

  @AfterAll
  static void close() {
    model.close();
    withTools.close();
  }

  /** A block, and what it prints: lines in their order, as regular expressions. */
  record Block(JavaExample example, List<String> printed) {
    @Override
    public String toString() {
      return example.code().lines().findFirst().orElse("");
    }
  }

  private static final String SHAPE = ".*circle.*";

  /** In the order of the page. */
  private static final List<List<String>> PRINTED =
      List.of(
          List.of(SHAPE),
          List.of(SHAPE),
          List.of("END, \\d+ tokens", "\\d+ of them decoded"),
          List.of(SHAPE),
          List.of(".+CANCELLED"),
          List.of(".+"),
          List.of(".+"),
          List.of("64 and \\d+"),
          List.of("[1-9]\\d* of \\d+ tokens were there", "\\d messages"),
          List.of(
              "\\{\\s*\"shape\"\\s*:\\s*\"(circle|square|star)\"\\s*,\\s*\"count\"\\s*:\\s*\\d\\s*}"),
          List.of("weather \\{\"city\":\"Munich\"}", "It is sunny"),
          List.of("0\\.\\d+", "circle"),
          List.of(".+ \\d+", ".+ \\d+"),
          List.of("0\\.\\d+ .*red-circle.png", ".+", ".+"),
          List.of(SHAPE, SHAPE, SHAPE, SHAPE),
          List.of(SHAPE),
          List.of("1024 tokens, 0 in use"),
          List.of("NOT_AN_IMAGE: .+", ".*tokens.*\\[.*]"));

  static List<Block> blocks() throws IOException {
    List<Block> blocks = new ArrayList<>();
    var printed = PRINTED.iterator();
    for (JavaExample example : JavaExample.ofMarkdown(PAGE)) {
      if (!isModule(example) && OTHERS.stream().noneMatch(example.code()::contains)) {
        blocks.add(new Block(example, printed.next()));
      }
    }
    assertThat(printed).isExhausted();
    return blocks;
  }

  private static boolean isModule(JavaExample example) {
    return example.code().startsWith("module ");
  }

  @ParameterizedTest
  @MethodSource("blocks")
  void aBlockRuns(Block block) throws Exception {
    try (ChatSession chat = model.newChat();
        ChatSession toolChat = withTools.newChat()) {
      String out =
          block
              .example()
              .withFiles(files())
              .run(
                  directory,
                  Map.of(
                      "model", model,
                      "chat", chat,
                      "toolChat", toolChat,
                      "image", ImageDecoder.decode(PICTURES.resolve("red-circle.png"))));
      assertThat(out.strip()).matches(String.join("\\R+", block.printed()));
    }
  }

  private Map<String, Path> files() throws IOException {
    LoadOptions demo = DemoModel.files();
    return Map.of(
        "text.gguf", demo.model(),
        "mmproj.gguf", Objects.requireNonNull(demo.mmproj()),
        "clip.gguf", DemoModel.dualEncoder(),
        "cat.jpg", PICTURES.resolve("red-circle.png"),
        "dog.jpg", PICTURES.resolve("seven.png"),
        "photos", photos(),
        "today.session", directory.resolve("today.session"));
  }

  private Path photos() throws IOException {
    Path folder = Files.createDirectories(directory.resolve("photos"));
    for (String name : List.of("red-circle.png", "seven.png", "square-and-star.png")) {
      Files.write(folder.resolve(name), Files.readAllBytes(PICTURES.resolve(name)));
    }
    return folder;
  }

  @Test
  void theOthersCompile() throws IOException {
    int n = 0;
    for (JavaExample example : JavaExample.ofMarkdown(PAGE)) {
      if (OTHERS.stream().anyMatch(example.code()::contains)) {
        Map<String, Object> variables =
            Map.of("image", ImageDecoder.decode(PICTURES.resolve("red-circle.png")));
        example.compile(directory, variables);
        n++;
      }
      if (isModule(example)) {
        example.compileAsModule(Files.createDirectory(directory.resolve("module")));
        n++;
      }
    }
    assertThat(n).isEqualTo(3);
  }
}
