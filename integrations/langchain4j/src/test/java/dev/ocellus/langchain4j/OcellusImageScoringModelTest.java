package dev.ocellus.langchain4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.langchain4j.data.document.Metadata;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.ocellus.convert.ConvertOptions;
import dev.ocellus.convert.ConvertProgress;
import dev.ocellus.convert.Converter;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.vlm.DemoModel;
import dev.ocellus.vlm.embedding.DualEncoder;
import dev.ocellus.vlm.embedding.Vectors;
import dev.ocellus.vlm.image.codec.ImageDecoder;
import dev.ocellus.vlm.imagetext.ImageTextMatcher;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Images ranked by a query, with the embedded dual encoder. */
class OcellusImageScoringModelTest {
  private static final Path PICTURES = Path.of("../../docs/pictures");
  private static final Path GOLDEN = Path.of("../../tests/golden");

  private static DualEncoder encoder;
  private static OcellusImageScoringModel model;

  @BeforeAll
  static void open() throws IOException {
    encoder = DualEncoder.open(DemoModel.dualEncoder());
    model = OcellusImageScoringModel.of(encoder);
  }

  @AfterAll
  static void close() {
    encoder.close();
  }

  private static TextSegment segment(String image) {
    return TextSegment.from("whatever", Metadata.from(OcellusImageScoringModel.IMAGE_KEY, image));
  }

  private static TextSegment picture(String name) {
    return segment(PICTURES.resolve(name).toUri().toString());
  }

  @Test
  void anImageThatFitsComesBeforeOthers() throws IOException {
    List<Double> scores =
        model
            .scoreAll(
                List.of(picture("seven.png"), picture("red-circle.png")), "a large red circle")
            .content();
    assertThat(scores).hasSize(2);
    assertThat(scores.get(1)).isGreaterThan(scores.get(0));
    double cosine =
        Vectors.dot(
            encoder.embedImage(ImageDecoder.decode(PICTURES.resolve("red-circle.png"))),
            encoder.embedText("a large red circle"));
    assertThat(scores.get(1)).isCloseTo(cosine, within(1e-9));
  }

  /** BLIP, of whose tiny checkpoint the golden data have the scores. */
  @Test
  void aMatcherGivesProbabilities(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("blip-itm.gguf");
    Converter.convert(
        GOLDEN.resolve("models/blip-itm/hf"),
        ConvertOptions.defaults().withOutput(file, null).withTypes(OutputType.F32, OutputType.F32),
        ConvertProgress.NONE);
    Path photo = GOLDEN.resolve("images/photo_640x427.jpg");
    try (ImageTextMatcher matcher = ImageTextMatcher.open(file)) {
      double score =
          OcellusImageScoringModel.of(matcher)
              .score(segment(photo.toUri().toString()), "a red bicycle")
              .content();
      assertThat(score)
          .isEqualTo(matcher.match(ImageDecoder.decode(photo), "a red bicycle").probability())
          .isBetween(0.0, 1.0);
    }
  }

  @Test
  void aTextIsNoImage() {
    assertThatThrownBy(() -> model.score("a text", "a query"))
        .isInstanceOf(UnsupportedFeatureException.class)
        .hasMessageContaining("'image'");
    assertThatThrownBy(() -> model.score(segment("data:image/png;base64,AAAA"), "a query"))
        .isInstanceOf(InvalidRequestException.class);
    assertThatThrownBy(() -> model.score(segment("http://127.0.0.1/a.png"), "a query"))
        .isInstanceOf(UnsupportedFeatureException.class)
        .hasMessageContaining("imageLoader");
  }
}
