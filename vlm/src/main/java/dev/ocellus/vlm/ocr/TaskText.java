package dev.ocellus.vlm.ocr;

import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.grounding.Region;
import dev.ocellus.vlm.grounding.TaskResult;
import dev.ocellus.vlm.image.RgbImage;
import java.util.List;
import java.util.stream.Collectors;

/** Text that is the answer to a task: lines with their places. */
final class TaskText {
  private TaskText() {}

  static PageText read(VisionLanguageModel model, Answer answer, RgbImage page) {
    TaskResult result = model.taskResult(answer, page).orElse(null);
    if (result == null) {
      return new PageText(answer.content(), List.of(), answer);
    }
    List<Region> regions = result.regions();
    String text =
        result.form() == TaskResult.Form.TEXT
            ? result.text()
            : regions.stream().map(Region::label).collect(Collectors.joining("\n"));
    return new PageText(text, regions, answer);
  }
}
