package dev.ocellus.tests.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.ocellus.InvalidSettingException;
import dev.ocellus.UnsupportedArchitectureException;
import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.convert.ConvertOptions;
import dev.ocellus.convert.ConvertProgress;
import dev.ocellus.convert.Converter;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.gguf.TensorType;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.vlm.embedding.Embedder;
import dev.ocellus.vlm.embedding.EmbeddingInput;
import dev.ocellus.vlm.embedding.ImageEmbedding;
import dev.ocellus.vlm.embedding.ImageReader;
import dev.ocellus.vlm.embedding.StreamOptions;
import dev.ocellus.vlm.embedding.Vectors;
import dev.ocellus.vlm.embedding.VisionLanguageEmbedder;
import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.Visual;
import dev.ocellus.vlm.image.codec.ImageDecoder;
import dev.ocellus.vlm.options.LoadOptions;
import dev.ocellus.vlm.prompt.PromptException;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Qwen3-VL-Embedding: states and vectors equal those of the published usage code. */
class VisionLanguageEmbedderTest {
  private static final Path GOLDEN = Path.of("golden");
  private static final ContextOptions EXACT =
      ContextOptions.defaults()
          .withContext(512)
          .withThreads(1, 1)
          .withCache(TensorType.F32, TensorType.F32)
          .withFlashAttention(ContextOptions.FlashAttention.OFF);

  @TempDir Path directory;

  private LoadOptions converted(String model) throws IOException {
    Path text = directory.resolve("text.gguf");
    Converter.convert(
        GOLDEN.resolve("embedding").resolve(model).resolve("hf"),
        ConvertOptions.defaults().withOutput(text, null).withTypes(OutputType.F32, OutputType.F32),
        ConvertProgress.NONE);
    return LoadOptions.of(text, directory.resolve("mmproj-text.gguf")).withContextOptions(EXACT);
  }

  private static EmbeddingInput input(JsonNode node) throws IOException {
    List<Visual> images =
        node.has("image")
            ? List.of(
                ImageDecoder.decode(GOLDEN.resolve("images").resolve(node.get("image").asText())))
            : List.of();
    return new EmbeddingInput(
        node.path("text").asText(""), images, node.path("instruction").asText(""));
  }

  private static float[] floats(JsonNode array) {
    return new ObjectMapper().convertValue(array, float[].class);
  }

  @ParameterizedTest
  @ValueSource(strings = {"qwen3-vl-embedding", "qwen3-vl-embedding-end"})
  void equalsTheReference(String model) throws IOException {
    Path file = GOLDEN.resolve("embedding").resolve(model).resolve("expected.json");
    JsonNode cases = new ObjectMapper().readTree(file.toFile());
    LoadOptions options = converted(model);
    try (var embedder = VisionLanguageEmbedder.open(options);
        var shorter = VisionLanguageEmbedder.open(options, 24)) {
      assertThat(cases).hasSizeGreaterThan(4);
      for (JsonNode expected : cases) {
        EmbeddingInput input = input(expected);
        float[] state = floats(expected.get("state"));
        float[] found = embedder.features(input, new CancellationFlag());
        assertThat(Difference.of(found, state).maxError())
            .as("state of %s", input)
            .isLessThan(Tolerances.EMBEDDINGS);
        float[] vector = embedder.embed(input);
        assertThat(Difference.of(vector, floats(expected.get("vector"))).maxError())
            .as("vector of %s", input)
            .isLessThan(Tolerances.UNIT_VECTORS);
        assertThat(embedder.embed(input)).isEqualTo(vector);
        float[] beginning = shorter.embed(input);
        assertThat(beginning).hasSize(24);
        assertThat(Vectors.dot(beginning, beginning)).isBetween(0.99999, 1.00001);
        assertThat(beginning[3] * vector[5]).isCloseTo(beginning[5] * vector[3], offset(1e-6f));
      }
    }
  }

  @Test
  void cutsTextsAndRefusesWhatItCannotTake() throws IOException {
    LoadOptions options = converted("qwen3-vl-embedding-end");
    EmbeddingInput image =
        EmbeddingInput.of(ImageDecoder.decode(GOLDEN.resolve("images/odd_97x61.png")));
    try (var embedder =
        VisionLanguageEmbedder.open(options.withContextOptions(EXACT.withContext(64)))) {
      EmbeddingInput text = EmbeddingInput.of("word ".repeat(400));
      assertThat(embedder.nDropped(text)).isPositive();
      assertThat(embedder.nDropped(EmbeddingInput.of("word"))).isZero();
      assertThat(embedder.embed(text)).hasSize(64);
    }
    try (var texts = VisionLanguageEmbedder.open(LoadOptions.of(options.model()))) {
      assertThat(texts.embedText("a dog")).hasSize(64);
      assertThatThrownBy(() -> texts.embed(image)).isInstanceOf(PromptException.class);
    }
    assertThatThrownBy(() -> VisionLanguageEmbedder.open(options, 65))
        .isInstanceOf(InvalidSettingException.class)
        .hasMessageContaining("expected 1 to 64");
    Path llava = GOLDEN.resolve("models/llava-1.5/gguf/text.gguf");
    assertThatThrownBy(() -> VisionLanguageEmbedder.open(LoadOptions.of(llava)))
        .isInstanceOf(UnsupportedArchitectureException.class)
        .hasMessageContaining("qwen3vl");
  }

  /** A stream gives each image the vector that it has alone, and goes on behind what has none. */
  @Test
  void streamsImages() throws IOException {
    List<String> names = List.of("odd_97x61.png", "no.png", "thin", "gray_120x90.png");
    ImageReader<String> reader =
        name -> {
          if (name.equals("thin")) {
            return RgbImage.of(1000, 2, new byte[1000 * 2 * 3]); // refused as too narrow
          }
          return ImageDecoder.decode(GOLDEN.resolve("images").resolve(name));
        };
    try (Embedder embedder = VisionLanguageEmbedder.open(converted("qwen3-vl-embedding"))) {
      List<ImageEmbedding<String>> found = new ArrayList<>();
      try (var stream = embedder.embedImages(names.iterator(), reader, StreamOptions.defaults())) {
        stream.forEachRemaining(found::add);
      }
      assertThat(found).extracting(ImageEmbedding::item).isEqualTo(names);
      for (int i : new int[] {0, 3}) {
        float[] alone = embedder.embedImage(reader.read(names.get(i)));
        assertThat(((ImageEmbedding.Vector<String>) found.get(i)).vector()).isEqualTo(alone);
      }
      assertThat(((ImageEmbedding.Failure<String>) found.get(1)).cause())
          .isInstanceOf(NoSuchFileException.class);
      assertThat(((ImageEmbedding.Failure<String>) found.get(2)).cause())
          .isInstanceOf(ImageFormatException.class);
      var closed = embedder.embedImages(names.iterator(), reader, StreamOptions.defaults());
      closed.close();
      assertThatThrownBy(closed::next).isInstanceOf(CancellationException.class);
    }
  }

  @Test
  void tellsItsFilesByTheirContent() throws IOException {
    LoadOptions first = converted("qwen3-vl-embedding");
    String identity = VisionLanguageEmbedder.identity(first);
    try (Embedder embedder = VisionLanguageEmbedder.open(first, 24)) {
      assertThat(embedder.identity()).isEqualTo(identity);
      assertThat(embedder.path()).isEqualTo(first.model());
    }
    assertThat(VisionLanguageEmbedder.identity(LoadOptions.of(first.model())))
        .isNotEqualTo(identity);
    assertThat(VisionLanguageEmbedder.identity(converted("qwen3-vl-embedding-end")))
        .isNotEqualTo(identity);
  }
}
