package dev.ocellus.vlm.grounding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.ocellus.vlm.grounding.Region.Pixel;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.json.AnswerJson;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Answers are read as transformers' processor reads them, and tasks are asked for in its words. */
class FlorenceTasksTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final VisionTasks TASKS = new FlorenceTasks(Set.of("it", "the image"), 0);

  @Test
  void readsWhatTransformersReads() throws IOException {
    int n = 0;
    try (var in =
        new BufferedReader(
            new InputStreamReader(
                Objects.requireNonNull(getClass().getResourceAsStream("florence2-answers.jsonl")),
                StandardCharsets.UTF_8))) {
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        JsonNode expected = JSON.readTree(line);
        String task = expected.get("task").asText().replaceAll("[<>]", "");
        String prompt = "<image><s>" + FlorenceTask.valueOf(task).sentence("a phrase") + "</s>";
        if (!FlorenceTask.valueOf(task).takesText()) {
          prompt = "<image><s>" + FlorenceTask.valueOf(task).sentence("") + "</s>";
        }
        var size =
            new ImageSize(expected.get("size").get(0).asInt(), expected.get("size").get(1).asInt());
        TaskResult found = TASKS.read(prompt, expected.get("text").asText(), size).orElseThrow();
        assertThat(JSON.readTree(AnswerJson.taskResult(found).toString()))
            .as(line)
            .isEqualTo(expected.get("result"));
        n++;
      }
    }
    assertThat(n).isGreaterThan(300);
  }

  @Test
  void namesPlacesAsTransformersDoes() {
    var box = new Region(Region.Kind.BOX, "", List.of(new Pixel(10, 20), new Pixel(300, 426)));
    assertThat(TASKS.place(box, new ImageSize(640, 427)))
        .isEqualTo("<loc_15><loc_46><loc_468><loc_997>");
  }

  @Test
  void refusesWhatIsNoTask() {
    assertThat(TASKS.prompt("referring-expression-segmentation", "a dog"))
        .isEqualTo("<REFERRING_EXPRESSION_SEGMENTATION>a dog");
    assertThatThrownBy(() -> TASKS.prompt("draw", ""))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContainingAll("OPEN_VOCABULARY_DETECTION", "draw");
    assertThatThrownBy(() -> TASKS.prompt("od", "a dog")).hasMessageContaining("expected no text");
    assertThatThrownBy(() -> TASKS.prompt("region_to_ocr", " ")).hasMessageContaining("found none");
    assertThat(TASKS.read("<image><s>What is this?</s>", "x", new ImageSize(1, 1))).isEmpty();
  }
}
