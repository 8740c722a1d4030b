package dev.ocellus.tests.docs;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.ocellus.vlm.ChatSession;
import dev.ocellus.vlm.DemoModel;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.codec.ImageDecoder;
import dev.ocellus.vlm.options.LoadOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The Java examples that a newcomer reads first compile and run as they are printed, with the files
 * of the embedded model.
 */
class JavaExamplesTest {
  private static final Path ROOT = Path.of("..");
  private static final Path IMAGE =
      ROOT.resolve("docs/pictures/red-circle.png").toAbsolutePath().normalize();
  private static final ObjectMapper STRICT =
      new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  @TempDir Path directory;

  private static List<JavaExample> readme() throws IOException {
    List<JavaExample> examples = JavaExample.ofMarkdown(ROOT.resolve("README.md"));
    assertThat(examples).as("Java examples in README.md").hasSize(2);
    return examples;
  }

  private static Path text(LoadOptions files) {
    return files.model();
  }

  private static Path mmproj(LoadOptions files) {
    return Objects.requireNonNull(files.mmproj());
  }

  @Test
  void theFirstExampleOfTheReadmeTalksAboutAnImage() throws Exception {
    LoadOptions demo = DemoModel.files();
    JavaExample example =
        readme()
            .getFirst()
            .withFiles(
                Map.of("text.gguf", text(demo), "mmproj.gguf", mmproj(demo), "cat.jpg", IMAGE));
    assertThat(example.run(directory, Map.of())).isNotBlank();
  }

  @Test
  void theSecondExampleOfTheReadmeGivesWholeJson() throws Exception {
    RgbImage image = ImageDecoder.decode(IMAGE);
    try (var model = VisionLanguageModel.open(DemoModel.files());
        ChatSession chat = model.newChat()) {
      // greedy, so the same answer again tells how the first one ended
      JavaExample example =
          readme()
              .get(1)
              .followedBy(
                  """
                  Answer again = chat.regenerate(options, AnswerListener.NONE);
                  System.out.println(json.equals(again.content()) + " " + again.stopReason());
                  System.out.println(json);
                  """);
      String[] printed =
          example.run(directory, Map.of("chat", chat, "image", image)).split("\n", 2);
      assertThat(printed[0]).isEqualTo("true END");
      JsonNode json = STRICT.readTree(printed[1]);
      assertThat(json.path("animal").isTextual()).isTrue();
      assertThat(json.path("count").isIntegralNumber()).isTrue();
    }
  }

  @Test
  void theExampleOfTheModelsDocumentationRuns() throws Exception {
    List<JavaExample> examples =
        JavaExample.ofJavadoc(
            ROOT.resolve("vlm/src/main/java/dev/ocellus/vlm/VisionLanguageModel.java"));
    assertThat(examples).hasSize(1);
    LoadOptions demo = DemoModel.files();
    Map<String, Object> variables =
        Map.of("text", text(demo), "mmproj", mmproj(demo), "image", ImageDecoder.decode(IMAGE));
    assertThat(examples.getFirst().run(directory, variables)).isNotBlank();
  }
}
