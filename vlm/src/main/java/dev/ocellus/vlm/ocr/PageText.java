package dev.ocellus.vlm.ocr;

import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.grounding.Region;
import java.util.List;

/**
 * The text of a page.
 *
 * @param text without the notation of the family
 * @param regions where the parts of it stand, in pixels of the page; empty where the answer does
 *     not say
 * @param answer of the model, as it wrote it; its stop reason tells whether the page was read to
 *     its end
 */
public record PageText(String text, List<Region> regions, Answer answer) {
  public PageText {
    regions = List.copyOf(regions);
  }
}
