package dev.ocellus.tests.reference;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ocellus.convert.ConvertOptions;
import dev.ocellus.convert.ConvertProgress;
import dev.ocellus.convert.Converter;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.safetensors.SafetensorsFile;
import dev.ocellus.vlm.embedding.Classification;
import dev.ocellus.vlm.embedding.DualEncoder;
import dev.ocellus.vlm.embedding.EmbeddingOptions;
import dev.ocellus.vlm.image.RgbImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Dual encoders: pixels, ids, stages, vectors and logits equal the reference's. */
class DualFidelityTest {
  @TempDir Path directory;

  @TestFactory
  Stream<DynamicNode> equalsTransformers() {
    List<DualReference> all =
        Reference.all().stream().flatMap(r -> DualReference.in(r).stream()).toList();
    assertThat(all).isNotEmpty();
    return all.stream().map(this::container);
  }

  /** Ours and those of the reference, which calls what the projections give pooled. */
  private static final Map<String, List<String>> IMAGE_STAGES =
      Map.of(
          "vision.layer1", List.of("vision.layer1"),
          "vision.last_hidden", List.of("vision.last_hidden"),
          "image.features", List.of("vision.pooled", "image_features"));

  private interface Check {
    void run(DualEncoder encoder) throws IOException;
  }

  private DynamicNode container(DualReference reference) {
    Stream<DynamicNode> cases =
        reference.cases().stream()
            .flatMap(c ->
                Stream.of(
                    test(reference, c.name() + " images", e -> compareImages(e, c)),
                    test(reference, c.name() + " texts", e -> compareTexts(e, c)),
                    test(reference, c.name() + " logits", e -> compareLogits(e, c)),
                    test(reference, c.name() + " batches", e -> compareBatches(e, c))));
    Stream<DynamicNode> tokens =
        reference.tokens().stream()
            .map(t -> test(reference, "ids of " + t.get("text"), e -> compareIds(e, t)));
    return DynamicContainer.dynamicContainer(reference.model(), Stream.concat(cases, tokens));
  }

  private DynamicNode test(DualReference reference, String name, Check check) {
    return DynamicTest.dynamicTest(
        name,
        () -> {
          try (DualEncoder encoder =
              DualEncoder.open(converted(reference), EmbeddingOptions.cpu(1))) {
            check.run(encoder);
          }
        });
  }

  private synchronized Path converted(DualReference reference) throws IOException {
    Path file =
        directory.resolve("%s-%08x.gguf".formatted(reference.model(), reference.hashCode()));
    if (!Files.exists(file)) {
      Converter.convert(
          reference.checkpoint(),
          ConvertOptions.defaults()
              .withOutput(file, null)
              .withTypes(OutputType.F32, OutputType.F32),
          ConvertProgress.NONE);
    }
    return file;
  }

  private static void compareIds(DualEncoder encoder, JsonNode expected) {
    int[] ids = new int[expected.get("ids").size()];
    Arrays.setAll(ids, i -> expected.get("ids").get(i).asInt());
    assertThat(encoder.tokenize(expected.get("text").asText()).withoutPadding()).isEqualTo(ids);
  }

  private static void compareImages(DualEncoder encoder, DualReference.Case c) {
    List<RgbImage> images = c.images();
    try (SafetensorsFile expected = c.values().expected()) {
      float[] pixels = all(images, image -> encoder.prepare(image).pixels());
      assertThat(Difference.of(pixels, c.pixels(expected)).maxError())
          .isLessThanOrEqualTo(Tolerances.PIXELS);
      for (Map.Entry<String, List<String>> stage : IMAGE_STAGES.entrySet()) {
        for (String name : stage.getValue().stream().filter(expected::contains).toList()) {
          float[] found = all(images, image -> stage(encoder, image, stage.getKey()));
          assertClose(
              name, Difference.of(found, c.imageRows(expected, name)), Tolerances.EMBEDDINGS);
        }
      }
      float[] vectors = all(images, encoder::embedImage);
      assertClose(
          "image_embeds",
          Difference.of(vectors, expected.floats("image_embeds")),
          Tolerances.UNIT_VECTORS);
    }
  }

  private static void compareTexts(DualEncoder encoder, DualReference.Case c) {
    List<String> texts = c.texts();
    try (SafetensorsFile expected = c.values().expected()) {
      long[] ids = expected.longs("input_ids");
      boolean hasLast = expected.contains("text.last_hidden");
      float[] last = hasLast ? expected.floats("text.last_hidden") : new float[0];
      int n = ids.length / texts.size();
      int width = last.length / ids.length;
      for (int i = 0; i < texts.size(); i++) {
        int[] own = encoder.tokenize(texts.get(i)).withoutPadding();
        for (int j = 0; j < own.length; j++) {
          assertThat((long) own[j]).as("id %d of text %d", j, i).isEqualTo(ids[i * n + j]);
        }
        if (!hasLast) {
          continue;
        }
        float[] found = stage(encoder, texts.get(i), "text.last_hidden");
        int count = own.length * width; // padding of another length comes behind
        assertClose(
            "text.last_hidden",
            Difference.of(
                Arrays.copyOf(found, count),
                Arrays.copyOfRange(last, i * n * width, i * n * width + count)),
            Tolerances.EMBEDDINGS);
      }
      float[] pooled = all(texts, t -> stage(encoder, t, "text.features"));
      assertClose(
          "text.features",
          Difference.of(
              pooled,
              expected.floats(expected.contains("text.pooled") ? "text.pooled" : "text_features")),
          Tolerances.EMBEDDINGS);
      assertClose(
          "text_embeds",
          Difference.of(all(texts, encoder::embedText), expected.floats("text_embeds")),
          Tolerances.UNIT_VECTORS);
    }
  }

  private static float[] stage(DualEncoder encoder, RgbImage image, String name) {
    return encoder.stages(image, List.of(name)).values().iterator().next();
  }

  private static float[] stage(DualEncoder encoder, String text, String name) {
    return encoder.stages(text, List.of(name)).values().iterator().next();
  }

  private static void compareLogits(DualEncoder encoder, DualReference.Case c) {
    try (SafetensorsFile expected = c.values().expected()) {
      List<Classification> found =
          c.images().stream().map(i -> encoder.classify(i, c.texts(), List.of())).toList();
      assertClose(
          "logits_per_image",
          Difference.of(all(found, Classification::logits), expected.floats("logits_per_image")),
          Tolerances.LOGITS);
      assertClose(
          "probs",
          Difference.of(all(found, Classification::probabilities), expected.floats("probs")),
          Tolerances.UNIT_VECTORS);
    }
  }

  /** Bit for bit, whatever is encoded beside. */
  private static void compareBatches(DualEncoder encoder, DualReference.Case c) {
    List<float[]> images = encoder.embedImages(c.images());
    List<float[]> texts = encoder.embedTexts(c.texts());
    for (int i = 0; i < images.size(); i++) {
      assertThat(images.get(i)).isEqualTo(encoder.embedImage(c.images().get(i)));
    }
    for (int i = 0; i < texts.size(); i++) {
      assertThat(texts.get(i)).isEqualTo(encoder.embedText(c.texts().get(i)));
    }
  }

  private static void assertClose(String what, Difference difference, float tolerance) {
    System.out.printf("%s %s%n", what, difference);
    assertThat(difference.maxError()).as(what).isLessThan(tolerance);
  }

  private static <T> float[] all(List<T> items, Function<T, float[]> values) {
    List<float[]> parts = new ArrayList<>();
    items.forEach(item -> parts.add(values.apply(item)));
    return Difference.concat(parts);
  }
}
