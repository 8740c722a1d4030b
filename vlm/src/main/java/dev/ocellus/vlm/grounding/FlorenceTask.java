package dev.ocellus.vlm.grounding;

import dev.ocellus.vlm.grounding.TaskResult.Form;
import java.util.Optional;

/** Florence-2's tasks: what its processor makes of their tokens, and what answers are. */
enum FlorenceTask {
  OCR(Form.TEXT, "What is the text in the image?"),
  OCR_WITH_REGION(Form.QUADS, "What is the text in the image, with regions?"),
  CAPTION(Form.TEXT, "What does the image describe?"),
  DETAILED_CAPTION(Form.TEXT, "Describe in detail what is shown in the image."),
  MORE_DETAILED_CAPTION(Form.TEXT, "Describe with a paragraph what is shown in the image."),
  OD(Form.BOXES, "Locate the objects with category name in the image."),
  DENSE_REGION_CAPTION(Form.BOXES, "Locate the objects in the image, with their descriptions."),
  REGION_PROPOSAL(Form.BOXES, "Locate the region proposals in the image."),
  CAPTION_TO_PHRASE_GROUNDING(Form.BOXES, "Locate the phrases in the caption: ", ""),
  REFERRING_EXPRESSION_SEGMENTATION(Form.POLYGONS, "Locate ", " in the image with mask"),
  REGION_TO_SEGMENTATION(Form.POLYGONS, "What is the polygon mask of region ", ""),
  OPEN_VOCABULARY_DETECTION(Form.BOXES_OR_POLYGONS, "Locate ", " in the image."),
  REGION_TO_CATEGORY(Form.TEXT, "What is the region ", "?"),
  REGION_TO_DESCRIPTION(Form.TEXT, "What does the region ", " describe?"),
  REGION_TO_OCR(Form.TEXT, "What text is in the region ", "?");

  private final Form form;
  private final boolean takesText;
  private final String before;
  private final String after;

  FlorenceTask(Form form, String sentence) {
    this.form = form;
    this.takesText = false;
    this.before = sentence;
    this.after = "";
  }

  FlorenceTask(Form form, String before, String after) {
    this.form = form;
    this.takesText = true;
    this.before = before;
    this.after = after;
  }

  Form form() {
    return form;
  }

  boolean takesText() {
    return takesText;
  }

  /** The token by which users ask for it. */
  String token() {
    return "<" + name() + ">";
  }

  /** What the model reads. */
  String sentence(String text) {
    return before + text + after;
  }

  /** The task whose sentence this is; those without a text come first. */
  static Optional<FlorenceTask> ofSentence(String sentence) {
    for (FlorenceTask task : values()) {
      boolean is =
          task.takesText
              ? sentence.length() >= task.before.length() + task.after.length()
                  && sentence.startsWith(task.before)
                  && sentence.endsWith(task.after)
              : sentence.equals(task.before);
      if (is) {
        return Optional.of(task);
      }
    }
    return Optional.empty();
  }
}
