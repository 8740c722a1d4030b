package dev.ocellus.vlm.image.document;

import dev.ocellus.InvalidSettingException;
import dev.ocellus.Setting;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/** Some pages of a document: {@code 1-3,7,10-}, in this order, from 1; empty for all. */
public record PageRange(String text) {
  /** All pages. */
  public static final PageRange ALL = new PageRange("");

  private static final Pattern PART = Pattern.compile("(\\d{1,7})?(-)?(\\d{1,7})?");

  /**
   * @throws InvalidSettingException if it is no such list
   */
  public PageRange {
    if (!text.isBlank()) {
      for (String part : parts(text)) {
        Matcher m = PART.matcher(part);
        if (!m.matches() || part.isEmpty() || part.equals("-") || isBackwards(m)) {
          throw invalid(
              "expected numbers and ranges from 1 such as 1-3,7,10-, found '%s'".formatted(text));
        }
      }
    }
  }

  private static List<String> parts(String text) {
    List<String> parts = new ArrayList<>();
    for (String part : text.split(",", -1)) {
      parts.add(part.strip());
    }
    return parts;
  }

  private static boolean isBackwards(Matcher m) {
    int first = m.group(1) == null ? 1 : Integer.parseInt(m.group(1));
    int last = m.group(3) == null ? Integer.MAX_VALUE : Integer.parseInt(m.group(3));
    return first < 1 || last < first || (m.group(2) == null && m.group(3) != null);
  }

  private static InvalidSettingException invalid(String what) {
    return new InvalidSettingException("pages: " + what, Setting.PAGES);
  }

  /**
   * The numbers of these pages.
   *
   * @param nPages pages of the document
   * @throws InvalidSettingException if it has a page too few
   */
  public List<Integer> of(int nPages) {
    if (text.isBlank()) {
      return IntStream.rangeClosed(1, nPages).boxed().toList();
    }
    List<Integer> pages = new ArrayList<>();
    for (String part : parts(text)) {
      Matcher m = PART.matcher(part);
      if (!m.matches()) {
        throw new IllegalStateException(part);
      }
      int first = m.group(1) == null ? 1 : Integer.parseInt(m.group(1));
      int last = first;
      if (m.group(2) != null) {
        last = m.group(3) == null ? nPages : Integer.parseInt(m.group(3));
      }
      if (first > nPages || last > nPages) {
        throw invalid(
            "expected pages from 1 to %d, which the document has, found '%s'"
                .formatted(nPages, part));
      }
      IntStream.rangeClosed(first, last).forEach(pages::add);
    }
    return pages;
  }
}
