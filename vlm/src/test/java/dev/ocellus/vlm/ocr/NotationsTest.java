package dev.ocellus.vlm.ocr;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.Timings;
import dev.ocellus.vlm.grounding.Region;
import dev.ocellus.vlm.grounding.Region.Pixel;
import dev.ocellus.vlm.image.ImageSize;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What families write besides text, as text and places. */
class NotationsTest {
  private static final Timings.Stage NOTHING = new Timings.Stage(0, 0);
  private static final Answer ANSWER =
      Answer.cancelled("", new Timings(NOTHING, NOTHING, NOTHING, NOTHING));
  private static final ImageSize PAGE = new ImageSize(1000, 500);

  private static PageText docTags(String tags) {
    return new DocTags(tags, PAGE).read(ANSWER);
  }

  @Test
  void makesMarkdownOfDocTags() {
    PageText page =
        docTags(
            "<doctag><page_header><loc_1><loc_2><loc_3><loc_4>Draft</page_header>"
                + "<title><loc_50><loc_50><loc_250><loc_100>A title</title>\n"
                + "<section_header_level_1>First</section_header_level_1>"
                + "<text>Some words.</text>"
                + "<ordered_list><list_item>one</list_item><list_item>two</list_item></ordered_list>"
                + "<unordered_list><list_item>· dot</list_item></unordered_list>"
                + "<formula>a < b</formula>"
                + "<code><_Java_>List<String> a;</code>"
                + "<picture><caption>A cat</caption></picture></doctag>");
    assertThat(page.text())
        .isEqualTo(
            """
            # A title

            ## First

            Some words.

            1. one
            2. two

            - dot

            $$a < b$$

            ```java
            List<String> a;
            ```

            A cat

            <!-- image -->\
            """);
    assertThat(page.regions())
        .contains(
            new Region(
                Region.Kind.BOX, "A title", List.of(new Pixel(100, 50), new Pixel(500, 100))));
  }

  @Test
  void keepsTables() {
    PageText page =
        docTags(
            "<otsl><loc_0><loc_0><loc_500><loc_500><ched>A<ched>B | C<nl><fcel>1<lcel><nl><ecel><fcel>2\n3<nl></otsl>");
    assertThat(page.text()).isEqualTo("| A | B \\| C |\n| --- | --- |\n| 1 |  |\n|  | 2 3 |");
    assertThat(page.regions()).extracting(Region::label).containsExactly("table");
  }

  @Test
  void keepsWhatWasCutOff() {
    assertThat(docTags("<doctag><text>A sentence that").text()).isEqualTo("A sentence that");
    assertThat(docTags("<otsl><fcel>1<fcel>").text()).isEqualTo("| 1 |  |\n| --- | --- |");
    assertThat(docTags("</text></otsl>no tags").text()).isEqualTo("no tags");
    assertThat(docTags("").text()).isEmpty();
  }

  @Test
  void takesPlacesOutOfGroundedText() {
    PageText page =
        GroundedText.read(
            "<|ref|>title<|/ref|><|det|>[[0, 0, 999, 333]]<|/det|>\n# Hello\n\n"
                + "<|ref|>text<|/ref|><|det|>[[10, 20, 30, 40], [1,2,3,4]]<|/det|>\nWorld<｜end▁of▁sentence｜>",
            ANSWER,
            PAGE);
    assertThat(page.text()).isEqualTo("# Hello\n\nWorld");
    assertThat(page.regions())
        .containsExactly(
            new Region(Region.Kind.BOX, "title", List.of(new Pixel(0, 0), new Pixel(1000, 166))),
            new Region(Region.Kind.BOX, "text", List.of(new Pixel(10, 10), new Pixel(30, 20))),
            new Region(Region.Kind.BOX, "text", List.of(new Pixel(1, 1), new Pixel(3, 2))));
  }
}
