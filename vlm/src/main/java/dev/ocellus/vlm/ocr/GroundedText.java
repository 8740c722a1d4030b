package dev.ocellus.vlm.ocr;

import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.grounding.MarkReader;
import dev.ocellus.vlm.image.ImageSize;
import java.util.regex.Pattern;

/**
 * Markdown with the place of each part in front of it: what stands in {@linkplain MarkReader marks}
 * is taken out and read.
 */
final class GroundedText {
  private static final Pattern CONTROL = Pattern.compile("<[|\uFF5C][^<>]{1,40}[|\uFF5C]>");

  private GroundedText() {}

  static PageText read(String all, Answer answer, ImageSize page) {
    String text = CONTROL.matcher(MarkReader.text(all)).replaceAll("").strip();
    return new PageText(text, MarkReader.read(all, page), answer);
  }
}
