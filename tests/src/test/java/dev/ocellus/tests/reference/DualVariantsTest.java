package dev.ocellus.tests.reference;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.ocellus.convert.ConvertOptions;
import dev.ocellus.convert.ConvertProgress;
import dev.ocellus.convert.Converter;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.gguf.GgufString;
import dev.ocellus.quantize.file.GgufEditor;
import dev.ocellus.vlm.embedding.DualEncoder;
import dev.ocellus.vlm.embedding.EmbeddingOptions;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.codec.ImageDecoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * Dual encoders that are not configured as usual, in {@code golden/dual}: the vectors of images and
 * texts that open_clip, transformers or a restatement of InternVL gives, before they get length 1.
 */
class DualVariantsTest {
  private static final Path GOLDEN = Path.of("golden");
  private static final float TOLERANCE = 2e-5f;

  @TempDir static Path directory;

  @TestFactory
  Stream<DynamicTest> equalsTheReference() throws IOException {
    List<Path> models;
    try (Stream<Path> all = Files.list(GOLDEN.resolve("dual"))) {
      models = all.sorted().toList();
    }
    assertThat(models).isNotEmpty();
    return models.stream()
        .map(m -> DynamicTest.dynamicTest(m.getFileName().toString(), () -> compare(m)));
  }

  private static void compare(Path model) throws IOException {
    JsonNode expected = new ObjectMapper().readTree(model.resolve("expected.json").toFile());
    Path file = directory.resolve(model.getFileName() + ".gguf");
    Converter.convert(
        model.resolve("hf"),
        ConvertOptions.defaults().withOutput(file, null).withTypes(OutputType.F32, OutputType.F32),
        ConvertProgress.NONE);
    compare(file, expected, "image");
    if (expected.has("g")) {
      Path other = directory.resolve(model.getFileName() + "-g.gguf");
      var change = new GgufEditor.Change.Set("clip.model_type", GgufString.of("internvl_g"));
      GgufEditor.edit(file, other, List.of(change));
      compare(other, expected, "g");
    }
  }

  private static void compare(Path file, JsonNode expected, String imageKey) throws IOException {
    List<RgbImage> images = new ArrayList<>();
    for (JsonNode name : expected.get("images")) {
      images.add(ImageDecoder.decode(GOLDEN.resolve("images").resolve(name.asText())));
    }
    List<String> texts = new ArrayList<>();
    expected.get("texts").forEach(text -> texts.add(text.asText()));
    try (DualEncoder encoder = DualEncoder.open(file, EmbeddingOptions.cpu(1))) {
      assertClose("image", encoder.imageFeatures(images), expected.get(imageKey));
      assertClose("text", encoder.textFeatures(texts), expected.get("text"));
      for (JsonNode tokens : expected.path("tokens")) {
        int[] ids = new ObjectMapper().convertValue(tokens.get(1), int[].class);
        assertThat(encoder.tokenize(tokens.get(0).asText()).withoutPadding())
            .as("ids of '%s'", tokens.get(0).asText())
            .isEqualTo(ids);
      }
      assertThat(encoder.logitScale())
          .isCloseTo((float) expected.get("scale").asDouble(), within(1e-3f));
      for (int i = 0; i < texts.size(); i++) {
        assertThat(encoder.textFeatures(List.of(texts.get(i))).getFirst())
            .isEqualTo(encoder.textFeatures(texts).get(i));
      }
      for (int i = 0; i < images.size(); i++) {
        assertThat(encoder.imageFeatures(List.of(images.get(i))).getFirst())
            .isEqualTo(encoder.imageFeatures(images).get(i));
      }
    }
  }

  private static org.assertj.core.data.Offset<Float> within(float value) {
    return org.assertj.core.api.Assertions.within(value);
  }

  private static void assertClose(String what, List<float[]> found, JsonNode expected) {
    assertThat(found).hasSize(expected.size());
    for (int i = 0; i < found.size(); i++) {
      float[] row = new float[expected.get(i).size()];
      for (int j = 0; j < row.length; j++) {
        row[j] = (float) expected.get(i).get(j).asDouble();
      }
      assertThat(found.get(i)).as("%s %d", what, i).containsExactly(row, within(TOLERANCE));
    }
  }
}
