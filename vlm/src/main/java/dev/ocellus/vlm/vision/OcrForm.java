package dev.ocellus.vlm.vision;

/** What the text of a page is written as. */
public enum OcrForm {
  /** The words, line by line. */
  TEXT,
  /** Headings, lists and tables in Markdown; tables also as HTML in it. */
  MARKDOWN
}
