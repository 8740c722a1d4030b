package dev.ocellus.spark;

import java.io.Serializable;
import org.jspecify.annotations.Nullable;

/**
 * How pages are read.
 *
 * @param markdown whether headings, lists and tables are wanted, else the words line by line; where
 *     a family has one form only, that comes
 * @param places whether to ask where texts stand, where the family says it
 * @param prompt what to ask instead of the family's own prompt; null for that
 * @param maxPages pages of a document that are read, from the first
 * @param maxTokens most tokens of a page; -1 for as many as the context holds
 * @param dpi dots per inch at which the pages of PDF documents are drawn
 */
public record PageOptions(
    boolean markdown, boolean places, @Nullable String prompt, int maxPages, int maxTokens, int dpi)
    implements Serializable {
  private static final int MAX_PAGES = 1000;
  private static final int DPI = 200;
  private static final int MIN_DPI = 18;
  private static final int MAX_DPI = 1200;

  public PageOptions {
    if (maxPages < 1 || maxTokens < -1 || maxTokens == 0 || dpi < MIN_DPI || dpi > MAX_DPI) {
      throw new IllegalArgumentException(
          "pages: expected 1 page or more, tokens of -1 or more than 0, and %d to %d dots per inch, found %d, %d and %d"
              .formatted(MIN_DPI, MAX_DPI, maxPages, maxTokens, dpi));
    }
  }

  /** Markdown without places by the family's own prompt, of at most 1000 pages a document. */
  public static PageOptions defaults() {
    return new PageOptions(true, false, null, MAX_PAGES, -1, DPI);
  }

  public PageOptions withMarkdown(boolean value) {
    return new PageOptions(value, places, prompt, maxPages, maxTokens, dpi);
  }

  public PageOptions withPlaces(boolean value) {
    return new PageOptions(markdown, value, prompt, maxPages, maxTokens, dpi);
  }

  public PageOptions withPrompt(@Nullable String value) {
    return new PageOptions(markdown, places, value, maxPages, maxTokens, dpi);
  }

  public PageOptions withMaxPages(int value) {
    return new PageOptions(markdown, places, prompt, value, maxTokens, dpi);
  }

  public PageOptions withMaxTokens(int value) {
    return new PageOptions(markdown, places, prompt, maxPages, value, dpi);
  }

  public PageOptions withDpi(int value) {
    return new PageOptions(markdown, places, prompt, maxPages, maxTokens, value);
  }
}
