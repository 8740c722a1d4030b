package dev.ocellus.vlm.ocr;

import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.grounding.Region;
import dev.ocellus.vlm.grounding.Region.Pixel;
import dev.ocellus.vlm.image.ImageSize;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * DocTags, the notation of Docling's models, as Markdown: headings, lists, formulas, code and
 * tables; headers and footers of pages are left out, as Docling leaves them out. Places are in
 * 500ths of the page.
 *
 * <p>Source: <a href="https://github.com/docling-project/docling-core">docling-core</a>, {@code
 * types/doc/document.py} and {@code types/doc/tokens.py}.
 */
final class DocTags {
  private static final double UNITS = 500;
  private static final Pattern TAG = Pattern.compile("<(/?)([A-Za-z_][A-Za-z0-9_+#. -]*)>");
  private static final Pattern PLACE = Pattern.compile("loc_(\\d{1,4})");
  private static final Set<String> BLOCKS =
      Set.of(
          "title",
          "text",
          "paragraph",
          "caption",
          "footnote",
          "formula",
          "code",
          "list_item",
          "checkbox_selected",
          "checkbox_unselected",
          "picture",
          "chart",
          "otsl",
          "document_index",
          "page_header",
          "page_footer",
          "reference",
          "handwritten_text",
          "form",
          "key_value_region",
          "section_header");
  private static final Set<String> LEFT_OUT = Set.of("page_header", "page_footer");

  /** A block that is open. */
  private static final class Block {
    private final String tag;
    private final StringBuilder text = new StringBuilder();
    private final List<Integer> places = new ArrayList<>();
    private final OtslTable table = new OtslTable();
    private String language = "";

    Block(String tag) {
      this.tag = tag;
    }
  }

  private final String tags;
  private final ImageSize page;
  private final StringBuilder out = new StringBuilder();
  private final List<Region> regions = new ArrayList<>();
  private final Deque<Block> open = new ArrayDeque<>();
  private boolean ordered;
  private int item;

  DocTags(String tags, ImageSize page) {
    this.tags = tags;
    this.page = page;
  }

  PageText read(Answer answer) {
    Matcher m = TAG.matcher(tags);
    int end = 0;
    while (m.find()) {
      text(tags.substring(end, m.start()));
      end = m.end();
      tag(m.group(2), !m.group(1).isEmpty(), m.group());
    }
    text(tags.substring(end));
    while (!open.isEmpty()) { // what was cut off
      close();
    }
    return new PageText(out.toString().strip(), regions, answer);
  }

  private void text(String text) {
    Block block = open.peek();
    if (block == null) {
      if (!text.isBlank()) {
        paragraph(text.strip());
      }
    } else if (block.table.isBegun()) {
      block.table.text(text);
    } else {
      block.text.append(text);
    }
  }

  private void tag(String name, boolean closing, String whole) {
    Block block = open.peek();
    Matcher place = PLACE.matcher(name);
    if (isBlock(name)) {
      if (!closing) {
        open.push(new Block(name));
      } else if (open.stream().anyMatch(b -> b.tag.equals(name))) {
        while (!close().equals(name)) {
          continue; // what the model forgot to close
        }
      }
    } else if (name.equals("ordered_list") || name.equals("unordered_list")) {
      ordered = name.startsWith("ordered") && !closing;
      item = 0;
    } else if (place.matches()) {
      if (block != null) {
        block.places.add(Integer.valueOf(place.group(1)));
      }
    } else if (block != null && block.table.tag(name)) {
      return;
    } else if (block != null && block.tag.equals("code") && name.startsWith("_")) {
      block.language = name.replaceAll("^_|_$", "").toLowerCase(java.util.Locale.ROOT);
    } else if (block != null && block.tag.equals("code")) {
      block.text.append(whole); // program text has such, too
    }
  }

  private static boolean isBlock(String name) {
    return BLOCKS.contains(name) || name.startsWith("section_header_level_");
  }

  /** Ends the innermost block and gives its tag. */
  private String close() {
    Block block = open.pop();
    String text = block.text.toString().strip();
    if (block.places.size() >= 4) {
      String label = block.table.isBegun() ? "table" : text.isEmpty() ? block.tag : text;
      regions.add(
          new Region(
              Region.Kind.BOX, label, List.of(pixel(block.places, 0), pixel(block.places, 2))));
    }
    if (!LEFT_OUT.contains(block.tag)) {
      write(block, text);
    }
    return block.tag;
  }

  private Pixel pixel(List<Integer> places, int at) {
    return new Pixel(
        (int) Math.min(page.width(), places.get(at) / UNITS * page.width()),
        (int) Math.min(page.height(), places.get(at + 1) / UNITS * page.height()));
  }

  private void write(Block block, String text) {
    if (block.table.isBegun()) {
      paragraph(block.table.markdown());
      return;
    }
    switch (block.tag) {
      case "title" -> paragraph("# " + text);
      case "section_header" -> paragraph("## " + text);
      case "formula" -> paragraph("$$" + text + "$$");
      case "code" -> paragraph("```" + block.language + "\n" + text + "\n```");
      case "list_item" -> listItem(text);
      case "checkbox_selected" -> paragraph("- [x] " + text);
      case "checkbox_unselected" -> paragraph("- [ ] " + text);
      case "picture", "chart" -> paragraph((text + "\n\n<!-- image -->").strip());
      default -> {
        if (block.tag.startsWith("section_header_level_")) {
          int level = Character.digit(block.tag.charAt(block.tag.length() - 1), 10);
          paragraph("#".repeat(Math.clamp(level + 1, 2, 6)) + " " + text);
        } else {
          paragraph(text);
        }
      }
    }
  }

  private void listItem(String text) {
    item++;
    String line = (ordered ? item + ". " : "- ") + text.replaceFirst("^[-\u2022\u00B7*] +", "");
    if (item > 1) {
      out.append(line).append('\n');
    } else {
      paragraph(line);
    }
  }

  private void paragraph(String text) {
    if (!text.isEmpty()) {
      if (!out.isEmpty()) {
        out.append('\n');
      }
      out.append(text).append('\n');
    }
  }
}
