package dev.ocellus.tests.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.ocellus.InvalidSettingException;
import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.convert.ConvertOptions;
import dev.ocellus.convert.ConvertProgress;
import dev.ocellus.convert.Converter;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.ggml.MissingWeightException;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.embedding.DualEncoder;
import dev.ocellus.vlm.embedding.EmbeddingOptions;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.codec.ImageDecoder;
import dev.ocellus.vlm.imagetext.ImageCaptioner;
import dev.ocellus.vlm.imagetext.ImageTextMatch;
import dev.ocellus.vlm.imagetext.ImageTextMatcher;
import dev.ocellus.vlm.imagetext.ImageTextOptions;
import dev.ocellus.vlm.sampling.BeamOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Captions and matches of InternVL-G, which one file gives beside vectors, as a restatement of its
 * published code computes them ({@code golden/make/internvl_g.py}).
 */
class InternVlFusionTest {
  private static final Path GOLDEN = Path.of("golden");
  private static final Path MODEL = GOLDEN.resolve("dual/internvl-c");
  private static final float TOLERANCE = 1e-4f;

  @TempDir static Path directory;
  private static Path file = Path.of("");
  private static JsonNode cases = new ObjectMapper().createArrayNode();

  @BeforeAll
  static void convert() throws IOException {
    file = directory.resolve("internvl.gguf");
    Converter.convert(
        MODEL.resolve("hf"),
        ConvertOptions.defaults().withOutput(file, null).withTypes(OutputType.F32, OutputType.F32),
        ConvertProgress.NONE);
    cases = new ObjectMapper().readTree(MODEL.resolve("captions.json").toFile());
  }

  private static RgbImage image(JsonNode example) throws IOException {
    return ImageDecoder.decode(GOLDEN.resolve("images").resolve(example.get("image").asText()));
  }

  private static int[] ints(JsonNode node) {
    return new ObjectMapper().convertValue(node, int[].class);
  }

  private static Answer caption(
      ImageCaptioner model, RgbImage image, String prompt, GenerationOptions options) {
    return model.caption(image, prompt, options, AnswerListener.NONE, new CancellationFlag());
  }

  @Test
  void captionsAsTheReference() throws IOException {
    try (ImageCaptioner model = ImageCaptioner.open(file, ImageTextOptions.cpu(1))) {
      for (JsonNode example : cases) {
        RgbImage image = image(example);
        for (JsonNode expected : example.get("captions")) {
          String prompt = expected.get("prompt").asText();
          int[] ids = ints(expected.get("ids"));
          assertThat(model.tokenize(prompt).ids()).isEqualTo(ids);
          float[][] logits = model.logits(image, ids);
          float[] row = new ObjectMapper().convertValue(expected.get("logits"), float[].class);
          assertThat(logits[ids.length - 1]).containsExactly(row, within(TOLERANCE));
          var greedy = GenerationOptions.greedy().withMaxTokens(12).withIgnoreEos(true);
          Answer answer = caption(model, image, prompt, greedy);
          assertThat(expected.get("margin").asDouble()).isGreaterThan(1e-3);
          assertThat(answer.tokens()).isEqualTo(ints(expected.get("greedy")));
          assertThat(answer.content().strip()).isEqualTo(expected.get("text").asText().strip());
          assertThat(answer.parts().continued()).isEmpty();
        }
      }
    }
  }

  @Test
  void searchesAsTheReference() throws IOException {
    BeamOptions five = BeamOptions.of(5).withMinNewTokens(8);
    try (ImageCaptioner model = ImageCaptioner.open(file, ImageTextOptions.cpu(1))) {
      for (JsonNode example : cases) {
        for (JsonNode expected : example.get("captions")) {
          var options = GenerationOptions.greedy().withMaxTokens(12).withBeams(five);
          Answer answer = caption(model, image(example), expected.get("prompt").asText(), options);
          List<Integer> tokens = new ArrayList<>();
          for (int token : ints(expected.get("beams"))) {
            if (token == 2 || token == 0) {
              break;
            }
            tokens.add(token);
          }
          assertThat(answer.tokens()).containsExactly(tokens.toArray(Integer[]::new));
        }
      }
    }
  }

  @Test
  void asksForAnEnglishCaptionByItself() throws IOException {
    JsonNode example = cases.get(0);
    try (ImageCaptioner model = ImageCaptioner.open(file, ImageTextOptions.cpu(1))) {
      assertThat(model.tokenize("").ids()).isEqualTo(model.tokenize("English caption:").ids());
      var greedy = GenerationOptions.greedy().withMaxTokens(12).withIgnoreEos(true);
      assertThat(caption(model, image(example), "", greedy).tokens())
          .isEqualTo(ints(example.get("captions").get(0).get("greedy")));
    }
  }

  @Test
  void matchesAsTheReference() throws IOException {
    try (ImageTextMatcher model = ImageTextMatcher.open(file, ImageTextOptions.cpu(1))) {
      for (JsonNode example : cases) {
        RgbImage image = image(example);
        List<String> texts = new ArrayList<>();
        example.get("matches").forEach(match -> texts.add(match.get("text").asText()));
        List<ImageTextMatch> found = model.match(image, texts);
        for (int i = 0; i < texts.size(); i++) {
          JsonNode expected = example.get("matches").get(i);
          assertThat(found.get(i).noMatchLogit())
              .isCloseTo((float) expected.get("itm").get(0).asDouble(), within(TOLERANCE));
          assertThat(found.get(i).matchLogit())
              .isCloseTo((float) expected.get("itm").get(1).asDouble(), within(TOLERANCE));
          assertThat(found.get(i).cosine()).isCloseTo(expected.get("itc").asDouble(), within(1e-5));
          assertThat(model.match(image, texts.get(i))).isEqualTo(found.get(i));
        }
      }
    }
  }

  @Test
  void givesTheVectorsOfTheTypeThatIsAskedFor() throws IOException {
    JsonNode expected = new ObjectMapper().readTree(MODEL.resolve("expected.json").toFile());
    RgbImage image =
        ImageDecoder.decode(
            GOLDEN.resolve("images").resolve(expected.get("images").get(0).asText()));
    EmbeddingOptions cpu = EmbeddingOptions.cpu(1);
    String named;
    try (DualEncoder encoder = DualEncoder.open(file, cpu.withModelType("internvl_c"))) {
      assertThat(encoder.imageFeatures(List.of(image)).getFirst())
          .containsExactly(
              new ObjectMapper().convertValue(expected.get("image").get(0), float[].class),
              within(2e-5f));
      named = encoder.identity();
    }
    try (DualEncoder encoder = DualEncoder.open(file, cpu.withModelType("internvl_g"))) {
      assertThat(encoder.imageFeatures(List.of(image)).getFirst())
          .containsExactly(
              new ObjectMapper().convertValue(expected.get("g").get(0), float[].class),
              within(2e-5f));
      assertThat(encoder.identity()).isNotEqualTo(named);
    }
    try (DualEncoder encoder = DualEncoder.open(file, cpu)) {
      assertThat(encoder.identity()).isEqualTo(named);
    }
    assertThatThrownBy(() -> DualEncoder.open(file, cpu.withModelType("clip")))
        .isInstanceOf(InvalidSettingException.class)
        .hasMessageContaining("internvl_c, internvl_g")
        .hasMessageContaining("'clip'");
  }

  @Test
  void aFileWithoutTheHeadsGivesVectorsOnly() throws IOException {
    Path bare = directory.resolve("bare.gguf");
    try (GgufFile source = GgufFile.open(file)) {
      GgufWriter writer = new GgufWriter().putAll(source.metadata());
      source.tensors().stream()
          .filter(tensor -> !Set.of("t.output.weight", "itm_head.weight").contains(tensor.name()))
          .forEach(writer::tensor);
      writer.write(bare);
    }
    DualEncoder.open(bare, EmbeddingOptions.cpu(1)).close();
    assertThatThrownBy(() -> ImageCaptioner.open(bare, ImageTextOptions.cpu(1)))
        .isInstanceOf(MissingWeightException.class)
        .hasMessageContaining("t.output.weight");
    assertThatThrownBy(() -> ImageTextMatcher.open(bare, ImageTextOptions.cpu(1)))
        .isInstanceOf(MissingWeightException.class)
        .hasMessageContaining("itm_head.weight");
  }
}
