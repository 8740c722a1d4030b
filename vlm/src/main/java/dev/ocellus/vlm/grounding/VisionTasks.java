package dev.ocellus.vlm.grounding;

import dev.ocellus.vlm.image.ImageSize;
import java.util.List;
import java.util.Optional;

/** The tasks that the models of a family were trained for, each with a name and a notation. */
public interface VisionTasks {
  /** Names of all of them, such as {@code OD}. */
  List<String> names();

  /** Names of those that read text from images, and give its places. */
  List<String> namesOfOcr();

  /**
   * What a user asks for a task.
   *
   * @param task one of {@link #names()}, in any case
   * @param text what the task is about, such as a phrase; empty for none
   * @throws IllegalArgumentException if there is no such task, or it takes no text, or needs one
   */
  String prompt(String task, String text);

  /** The text of a user's message that is used where nobody says what to ask. */
  String defaultPrompt();

  /**
   * A box as a user's text names it.
   *
   * @param box whose points are two corners
   * @param image size of the image
   */
  String place(Region box, ImageSize image);

  /**
   * Reads an answer.
   *
   * @param prompt as the model read it, by which the task is found
   * @param answer its text, with all tokens written out
   * @param image size of the image as it was given
   * @return empty if the prompt is none of a task
   */
  Optional<TaskResult> read(String prompt, String answer, ImageSize image);
}
