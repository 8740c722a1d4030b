package dev.ocellus.cli.chat;

import dev.ocellus.cli.command.OcellusCommand;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.chat.Content;
import dev.ocellus.vlm.grounding.Region;
import dev.ocellus.vlm.grounding.Region.Pixel;
import dev.ocellus.vlm.grounding.VisionTasks;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Tasks that a family was trained for, such as Florence-2's. */
final class TaskMixin {
  private static final int CORNERS = 4;

  @Option(
      names = "--task",
      paramLabel = "NAME",
      description =
          "For models with tasks (Florence-2): which, such as caption, detailed_caption, od, ocr_with_region,"
              + " referring_expression_segmentation; -p is the phrase it is about. The result is"
              + " \"task_result\" of --json. Default: detailed_caption.")
  @Nullable String task;

  @Option(
      names = "--region",
      paramLabel = "X1,Y1,X2,Y2",
      split = ",",
      description = "With --task: the box in pixels of the image that the task is about.")
  List<Integer> region = new ArrayList<>();

  boolean isGiven() {
    return task != null || !region.isEmpty();
  }

  /** What is asked about an image, if the model has tasks. */
  Optional<String> question(
      OcellusCommand command, VisionLanguageModel opened, @Nullable String prompt, Content shown) {
    VisionTasks tasks = opened.tasks();
    if (tasks == null) {
      if (isGiven()) {
        throw command.usage("this model has no tasks (--task); ask it with -p");
      }
      return Optional.empty();
    }
    String name = task;
    if (name == null) {
      if (!region.isEmpty()) {
        throw command.usage("--region needs a task (--task)");
      }
      return prompt == null ? Optional.of(tasks.defaultPrompt()) : Optional.empty();
    }
    String text = region.isEmpty() ? (prompt == null ? "" : prompt) : place(command, tasks, shown);
    return Optional.of(command.checked(() -> tasks.prompt(name, text)));
  }

  private String place(OcellusCommand command, VisionTasks tasks, Content shown) {
    if (region.size() != CORNERS) {
      throw command.usage("--region: expected four numbers X1,Y1,X2,Y2, found " + region.size());
    }
    if (!(shown instanceof Content.Image image)) {
      throw command.usage("--region is for images");
    }
    var from = new Pixel(region.get(0), region.get(1));
    var to = new Pixel(region.get(2), region.get(3));
    return tasks.place(new Region(Region.Kind.BOX, "", List.of(from, to)), image.image().size());
  }
}
