package dev.ocellus.vlm.vision;

/** How a model writes the text of a page, besides plain text and Markdown. */
public enum OcrNotation {
  /** As it is asked for. */
  PLAIN,
  /** Answers to one of the family's {@link ImagePromptFormat#tasks()}, with places. */
  TASK,
  /**
   * {@code <|ref|>title<|/ref|><|det|>[[x1, y1, x2, y2]]<|/det|>} in 999ths of the image in front
   * of each part: DeepSeek-OCR.
   */
  GROUNDED,
  /** DocTags of Docling, with places in 500ths: granite-docling, SmolDocling. */
  DOCTAGS
}
