package dev.ocellus.vlm.grounding;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.vlm.grounding.Region.Kind;
import dev.ocellus.vlm.grounding.Region.Pixel;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.Rgb;
import dev.ocellus.vlm.image.RgbImage;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The pixels are what the Python expressions of the references give. */
class CoordinateFormatTest {
  private static final ImageSize IMAGE = new ImageSize(640, 427);
  private static final ImageSize ENCODED = new ImageSize(644, 420);

  private static Region box(String label, int left, int top, int right, int bottom) {
    return new Region(Kind.BOX, label, List.of(new Pixel(left, top), new Pixel(right, bottom)));
  }

  /** {@code int(536 / 1000 * 640), int(509 / 1000 * 427)} and so on. */
  @Test
  void readsTagsOfQwenVl() {
    String answer =
        "<ref> Woman</ref><box>(451,379),(731,806)</box> and<ref> her dog</ref><box>(219,424),(576,896)</box>";
    assertThat(CoordinateFormat.TAGS.read(answer, IMAGE, ENCODED))
        .containsExactly(box("Woman", 288, 161, 467, 344), box("her dog", 140, 181, 368, 382));
  }

  @Test
  void readsTagsOfItsSuccessorsAndOfInternVl() {
    String qwen2 =
        "<|object_ref_start|>the eyes<|object_ref_end|><|box_start|>(250,500)<|box_end|><|box_start|>(0,0),(1000,1000)<|box_end|> x <|box_start|>(1,2),(3,4)<|box_end|>";
    assertThat(CoordinateFormat.TAGS.read(qwen2, IMAGE, ENCODED))
        .containsExactly(
            new Region(Kind.POINT, "the eyes", List.of(new Pixel(160, 213))),
            box("the eyes", 0, 0, 640, 427),
            box("", 0, 0, 1, 1));
    String internVl = "<ref>cup</ref><box>[[100, 200, 300, 400], [5, 6, 7, 8]]</box>";
    assertThat(CoordinateFormat.TAGS.read(internVl, IMAGE, ENCODED))
        .containsExactly(box("cup", 64, 85, 192, 170), box("cup", 3, 2, 4, 3));
    String quad = "<quad>(0,0),(500,0),(500,500),(0,500)</quad>";
    assertThat(CoordinateFormat.TAGS.read(quad, IMAGE, ENCODED))
        .containsExactly(
            new Region(
                Kind.POLYGON,
                "",
                List.of(
                    new Pixel(0, 0), new Pixel(320, 0), new Pixel(320, 213), new Pixel(0, 213))));
  }

  /** {@code int(170 / 420 * 427)}: relative to the image as it was encoded. */
  @Test
  void readsPixelsOfTheEncodedImage() {
    String answer =
        "```json\n[\n\t{\"bbox_2d\": [341, 258, 397, 170], \"label\": \"top right cake\"},\n\t{\"point_2d\": [\n394, 105], \"label\": \"x\"},\n\t{\"bbox_2d\": [1, 2, 3";
    assertThat(CoordinateFormat.JSON_PIXELS.read(answer, IMAGE, ENCODED))
        .containsExactly(
            box("top right cake", 338, 172, 394, 262),
            new Region(Kind.POINT, "x", List.of(new Pixel(391, 106))));
  }

  @Test
  void readsThousandthsInJson() {
    String answer = "[{\"bbox_2d\": [341, 258, 397, 360], \"text_content\": \"a {b\"}]";
    assertThat(CoordinateFormat.JSON_THOUSANDTHS.read(answer, IMAGE, ENCODED)).isEmpty();
    answer = "[{\"bbox_2d\": [341, 258.5, 397, 360], \"label\": \"cake\"}, {\"label\": \"none\"}]";
    assertThat(CoordinateFormat.JSON_THOUSANDTHS.read(answer, IMAGE, ENCODED))
        .containsExactly(box("cake", 218, 110, 254, 153));
  }

  /** {@code int(258 / 1000 * 640), int(341 / 1000 * 427)} and so on. */
  @Test
  void readsJsonWithYFirst() {
    String answer =
        "```json\n[{\"box_2d\": [341, 258, 360, 397], \"label\": \"cake\"}, {\"point\": [500, 250], \"label\": \"x\"}]\n```";
    assertThat(CoordinateFormat.JSON_Y_FIRST.read(answer, IMAGE, ENCODED))
        .containsExactly(
            box("cake", 165, 145, 254, 153),
            new Region(Kind.POINT, "x", List.of(new Pixel(160, 213))));
  }

  @Test
  void readsListsBetweenMarksOrBehindThoughts() {
    String marked =
        "<think>at [[1, 2, 3, 4]]</think><answer>It is <|begin_of_box|>[[451,379,731,806], [0, 0, 1000, 1000]]<|end_of_box|>, and <|begin_of_box|>[[250,500]]<|end_of_box|></answer>";
    assertThat(CoordinateFormat.LISTS.read(marked, IMAGE, ENCODED))
        .containsExactly(
            box("", 288, 161, 467, 344),
            box("", 0, 0, 640, 427),
            new Region(Kind.POINT, "", List.of(new Pixel(160, 213))));
    String bare = "<think>at [1, 2, 3, 4]</think>\n[[451, 379, 731, 806]], see [1, 2]";
    assertThat(CoordinateFormat.LISTS.read(bare, IMAGE, ENCODED))
        .containsExactly(box("", 288, 161, 467, 344));
    String json =
        "<|begin_of_box|>[{\"label\": \"cup\", \"bbox_2d\": [451,379,731,806]}]<|end_of_box|>";
    assertThat(CoordinateFormat.LISTS.read(json, IMAGE, ENCODED))
        .containsExactly(box("cup", 288, 161, 467, 344));
  }

  /** {@code int(451 / 999 * 640)} and so on. */
  @Test
  void readsMarks() {
    String answer =
        "<|ref|>title<|/ref|><|det|>[[451, 379, 731, 806], [0, 0, 999, 999]]<|/det|>\n# Title";
    assertThat(CoordinateFormat.MARKS.read(answer, IMAGE, ENCODED))
        .containsExactly(box("title", 288, 161, 468, 344), box("title", 0, 0, 640, 427));
    assertThat(MarkReader.text(answer)).isEqualTo("# Title");
  }

  /** {@code round(256 / 1024 * 427)} is 107, and of 106.5 it would be 106. */
  @Test
  void readsLocationTokens() {
    String answer =
        "<loc0256><loc0000><loc1023><loc0512> cat ; <loc0001><loc0002><loc0003><loc0004><seg001><seg002> big dog";
    assertThat(CoordinateFormat.LOCATION_TOKENS.read(answer, IMAGE, ENCODED))
        .containsExactly(box("cat", 0, 107, 320, 427), box("big dog", 1, 0, 2, 1));
    assertThat(CoordinateFormat.LOCATION_TOKENS.read(answer, new ImageSize(2, 426), ENCODED))
        .first()
        .isEqualTo(box("cat", 0, 106, 1, 426));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "no box",
        "<box></box>",
        "<box>(1,2,3)</box>",
        "<box>(1,2),(3,4),(5,6)</box>",
        "<box>(1,2),(3,4)",
        "{\"bbox_2d\": [1, 2, 3]}",
        "{\"bbox_2d\": [1, 2, 3, \"4\"]}",
        "{{{{{{{{{{",
        "{\"bbox_2d\": {}}",
        "<loc0001><loc0002> x"
      })
  void leavesOutWhatIsNoRegion(String answer) {
    for (CoordinateFormat format : CoordinateFormat.values()) {
      assertThat(format.read(answer, IMAGE, ENCODED)).as(format.name()).isEmpty();
    }
  }

  @ParameterizedTest
  @CsvSource({"'(0,0),(99999,99999)'", "'(0,0),(999999999,999999999)'"})
  void staysInTheImage(String coordinates) {
    assertThat(CoordinateFormat.TAGS.read("<box>" + coordinates + "</box>", IMAGE, ENCODED))
        .containsExactly(box("", 0, 0, 640, 427));
  }

  @Test
  void drawsOnACopy() {
    RgbImage white = RgbImage.filled(60, 40, new Rgb(255, 255, 255));
    List<Region> regions =
        List.of(
            box("a", 10, 5, 50, 30),
            new Region(Kind.POINT, "b", List.of(new Pixel(30, 20))),
            box("", -5, -5, 200, 200));
    RgbImage drawn = RegionDrawing.draw(white, regions);
    assertThat(drawn.size()).isEqualTo(white.size());
    int white24 = 0xFFFFFF;
    assertThat(drawn.toBufferedImage().getRGB(30, 5) & white24).isNotEqualTo(white24);
    assertThat(drawn.toBufferedImage().getRGB(30, 20) & white24).isNotEqualTo(white24);
    assertThat(drawn.toBufferedImage().getRGB(20, 12) & white24).isEqualTo(white24);
    assertThat(white.toBufferedImage().getRGB(30, 5) & white24).isEqualTo(white24);
  }
}
