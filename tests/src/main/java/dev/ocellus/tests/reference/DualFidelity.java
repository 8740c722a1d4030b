package dev.ocellus.tests.reference;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.ocellus.convert.ConvertOptions;
import dev.ocellus.convert.ConvertProgress;
import dev.ocellus.convert.Converter;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.safetensors.SafetensorsFile;
import dev.ocellus.vlm.embedding.Classification;
import dev.ocellus.vlm.embedding.DualEncoder;
import dev.ocellus.vlm.embedding.EmbeddingOptions;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.codec.ImageDecoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;

/** The part of docs/fidelity.md about dual encoders. */
final class DualFidelity {
  private DualFidelity() {}

  static String section(List<Reference> references) throws IOException {
    var text =
        new StringBuilder(
            """

            ## Vectors of images and texts

            Dual encoders, converted by `ocellus convert`. *Pixels*, vectors of *images* and of *texts* (of length 1, or of any length where logits were not recorded), and *logits* (cosines times up to 100) are largest errors; *ids* are those of the texts.

            | model | case | pixels | ids | images | texts | logits |
            |---|---|---|---|---|---|---|
            """);
    Set<String> seen = new HashSet<>();
    Path directory = Files.createTempDirectory("ocellus-fidelity");
    for (Reference reference : references) {
      for (DualReference model : DualReference.in(reference)) {
        String name = seen.add(model.model()) ? model.model() : model.model() + ", another";
        Path file = converted(model.checkpoint(), directory.resolve(name + ".gguf"));
        try (DualEncoder encoder = DualEncoder.open(file, EmbeddingOptions.cpu(1))) {
          for (DualReference.Case c : model.cases()) {
            text.append(row(name, encoder, c));
          }
        }
        Files.delete(file);
      }
      for (Path model : variants(reference)) {
        String name = String.valueOf(model.getFileName());
        Path file = converted(model.resolve("hf"), directory.resolve(name + ".gguf"));
        text.append(variant(name, file, model, reference.root()));
        Files.delete(file);
      }
    }
    Files.delete(directory);
    return text.toString();
  }

  private static List<Path> variants(Reference reference) throws IOException {
    Path folder = reference.root().resolve("dual");
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> all = Files.list(folder)) {
      return all.filter(m -> Files.exists(m.resolve("expected.json"))).sorted().toList();
    }
  }

  private static Path converted(Path checkpoint, Path file) throws IOException {
    Converter.convert(
        checkpoint,
        ConvertOptions.defaults().withOutput(file, null).withTypes(OutputType.F32, OutputType.F32),
        ConvertProgress.NONE);
    return file;
  }

  private static String row(String name, DualEncoder encoder, DualReference.Case c) {
    List<RgbImage> images = c.images();
    List<String> texts = c.texts();
    try (SafetensorsFile expected = c.values().expected()) {
      float[] pixels = all(images, image -> encoder.prepare(image).pixels());
      float[] logits =
          all(images, i -> encoder.classify(i, texts, List.of()), Classification::logits);
      return line(
          name,
          c.name(),
          error(pixels, c.pixels(expected)),
          ids(encoder, texts, expected.longs("input_ids")),
          error(all(images, encoder::embedImage), expected.floats("image_embeds")),
          error(all(texts, encoder::embedText), expected.floats("text_embeds")),
          error(logits, expected.floats("logits_per_image")));
    }
  }

  /** Those that have no stages: features of images and texts alone. */
  private static String variant(String name, Path file, Path model, Path root) throws IOException {
    JsonNode expected = new ObjectMapper().readTree(model.resolve("expected.json").toFile());
    List<String> texts = new ArrayList<>();
    expected.get("texts").forEach(text -> texts.add(text.asText()));
    List<RgbImage> images = new ArrayList<>();
    for (JsonNode image : expected.get("images")) {
      images.add(ImageDecoder.decode(root.resolve("images").resolve(image.asText())));
    }
    try (DualEncoder encoder = DualEncoder.open(file, EmbeddingOptions.cpu(1))) {
      return line(
          name,
          "variant",
          "-",
          "-",
          error(Difference.concat(encoder.imageFeatures(images)), rows(expected.get("image"))),
          error(Difference.concat(encoder.textFeatures(texts)), rows(expected.get("text"))),
          "-");
    }
  }

  private static float[] rows(JsonNode rows) {
    return Difference.concat(Arrays.asList(new ObjectMapper().convertValue(rows, float[][].class)));
  }

  /** Padding of the reference is left out. */
  private static String ids(DualEncoder encoder, List<String> texts, long[] expected) {
    int n = expected.length / texts.size();
    int equal = 0;
    for (int i = 0; i < texts.size(); i++) {
      int[] own = encoder.tokenize(texts.get(i)).withoutPadding();
      boolean same = own.length <= n;
      for (int j = 0; same && j < own.length; j++) {
        same = own[j] == expected[i * n + j];
      }
      equal += same ? 1 : 0;
    }
    return equal == texts.size() ? "equal" : "%d of %d texts".formatted(equal, texts.size());
  }

  private static String error(float[] found, float[] expected) {
    double error = Difference.of(found, expected).maxError();
    return error == 0 ? "0" : String.format(Locale.ROOT, "%.1e", error);
  }

  private static String line(String... cells) {
    return "| " + String.join(" | ", cells) + " |\n";
  }

  private static <T> float[] all(List<T> items, Function<T, float[]> values) {
    return Difference.concat(items.stream().map(values).toList());
  }

  private static <T, R> float[] all(
      List<T> items, Function<T, R> results, Function<R, float[]> values) {
    return all(items, item -> values.apply(results.apply(item)));
  }
}
