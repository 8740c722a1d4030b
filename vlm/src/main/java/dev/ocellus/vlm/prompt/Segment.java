package dev.ocellus.vlm.prompt;

/** A stretch of a prompt. */
public sealed interface Segment {
  /** Tokens of text. */
  record Tokens(int[] ids) implements Segment {}

  /**
   * The place of an image.
   *
   * @param index number of the image in the conversation, from 0
   */
  record Image(int index) implements Segment {}
}
