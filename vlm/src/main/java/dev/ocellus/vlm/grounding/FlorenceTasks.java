package dev.ocellus.vlm.grounding;

import dev.ocellus.vlm.grounding.TaskResult.Form;
import dev.ocellus.vlm.grounding.TaskResult.Found;
import dev.ocellus.vlm.image.ImageSize;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * Florence-2's tasks.
 *
 * @param bannedPhrases what is none of an answer to phrase grounding, such as {@code it}
 * @param minQuadArea least area of the text that OCR finds, as a part of the image's
 */
public record FlorenceTasks(Set<String> bannedPhrases, double minQuadArea) implements VisionTasks {
  private static final int N_BINS = 1000;
  private static final String START = "<s>";
  private static final String END = "</s>";

  public FlorenceTasks {
    bannedPhrases = Set.copyOf(bannedPhrases);
  }

  @Override
  public List<String> names() {
    return Arrays.stream(FlorenceTask.values()).map(FlorenceTask::name).toList();
  }

  @Override
  public List<String> namesOfOcr() {
    return List.of(FlorenceTask.OCR.name(), FlorenceTask.OCR_WITH_REGION.name());
  }

  @Override
  public String prompt(String task, String text) {
    String wanted = task.toUpperCase(Locale.ROOT).replace('-', '_');
    FlorenceTask found =
        Arrays.stream(FlorenceTask.values())
            .filter(t -> t.name().equals(wanted))
            .findFirst()
            .orElseThrow(() ->
                new IllegalArgumentException(
                    "task: expected one of %s, found '%s'"
                        .formatted(String.join(", ", names()), task)));
    if (found.takesText() == text.isBlank()) {
      throw new IllegalArgumentException(
          found.takesText()
              ? "task %s: expected a text that it is about, found none".formatted(found)
              : "task %s: expected no text, found '%s'".formatted(found, text));
    }
    return found.token() + text;
  }

  @Override
  public String defaultPrompt() {
    return FlorenceTask.DETAILED_CAPTION.token();
  }

  /** As {@code Florence2PostProcessor.quantize} has it. */
  @Override
  public String place(Region box, ImageSize image) {
    StringBuilder out = new StringBuilder();
    for (Region.Pixel corner : box.points()) {
      out.append("<loc_%d>".formatted(bin(corner.x(), image.width())));
      out.append("<loc_%d>".formatted(bin(corner.y(), image.height())));
    }
    return out.toString();
  }

  private static int bin(int pixel, int size) {
    float perBin = (float) (size / (double) N_BINS);
    return Math.clamp((int) Math.floor((float) pixel / perBin), 0, N_BINS - 1);
  }

  @Override
  public Optional<TaskResult> read(String prompt, String answer, ImageSize image) {
    int start = prompt.indexOf(START);
    int end = prompt.lastIndexOf(END);
    String sentence =
        start < 0 || end < start ? prompt : prompt.substring(start + START.length(), end);
    return FlorenceTask.ofSentence(sentence).map(task -> read(task, answer, image));
  }

  private TaskResult read(FlorenceTask task, String answer, ImageSize image) {
    var reader = new FlorenceReader(answer, image);
    List<Found> objects =
        switch (task) {
          case OCR_WITH_REGION -> reader.quads(minQuadArea);
          case OD, DENSE_REGION_CAPTION -> reader.boxes(false);
          case REGION_PROPOSAL -> reader.boxes(true);
          case CAPTION_TO_PHRASE_GROUNDING -> reader.phrases(bannedPhrases);
          case REFERRING_EXPRESSION_SEGMENTATION, REGION_TO_SEGMENTATION -> reader.polygons(true);
          case OPEN_VOCABULARY_DETECTION ->
              reader.hasPolygons() ? reader.polygons(false) : reader.boxes(false);
          default -> List.of();
        };
    String text = task.form() == Form.TEXT ? reader.plainText() : "";
    return new TaskResult(task.name(), task.form(), text, objects);
  }
}
