package dev.ocellus.tests.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.convert.ConvertOptions;
import dev.ocellus.convert.ConvertOptions.Encoders;
import dev.ocellus.convert.ConvertProgress;
import dev.ocellus.convert.Converter;
import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.safetensors.SafetensorsFile;
import dev.ocellus.vlm.generation.CodeModel;
import dev.ocellus.vlm.generation.ComputeOptions;
import dev.ocellus.vlm.generation.Critic;
import dev.ocellus.vlm.generation.DecodedImage;
import dev.ocellus.vlm.generation.DrawOptions;
import dev.ocellus.vlm.generation.ImageCodes;
import dev.ocellus.vlm.generation.ImageScore;
import dev.ocellus.vlm.generation.NoiseGenerator;
import dev.ocellus.vlm.generation.PixelModel;
import dev.ocellus.vlm.generation.TextToImage;
import dev.ocellus.vlm.generation.VqModel;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.codec.ImageDecoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Models that make images equal PyTorch's: codes, pixels, logits, likelihoods, scores. */
class GenerationFidelityTest {
  private static final Path GOLDEN = Path.of("golden/generation");
  private static final Path IMAGES = Path.of("golden/images");
  private static final ComputeOptions CPU = ComputeOptions.cpu(1);
  private static final CancellationFlag NEVER = new CancellationFlag();

  /** Pixels from -1 to 1 before rounding; the same for logits of a few layers. */
  private static final float TOLERANCE = 1e-4f;

  @TempDir Path directory;

  private record Golden(JsonNode words, Path values) {
    static Golden read(String name) throws IOException {
      Path folder = GOLDEN.resolve(name);
      return new Golden(
          new ObjectMapper().readTree(folder.resolve("expected.json").toFile()),
          folder.resolve("expected.safetensors"));
    }

    float[] floats(String name) throws IOException {
      try (SafetensorsFile file = SafetensorsFile.open(values)) {
        int n =
            (int) file.shape(name).stream().mapToLong(Long::longValue).reduce(1, (a, b) -> a * b);
        float[] out = new float[n];
        file.read(name, 0, out, 0, n);
        return out;
      }
    }

    int[] ints(String name) throws IOException {
      float[] all = floats(name);
      int[] out = new int[all.length];
      for (int i = 0; i < out.length; i++) {
        out[i] = (int) all[i];
      }
      return out;
    }
  }

  private Path converted(String name) throws IOException {
    Path file = directory.resolve(name + ".gguf");
    Converter.convert(
        GOLDEN.resolve(name).resolve("hf"),
        ConvertOptions.defaults()
            .withOutput(file, null)
            .withTypes(OutputType.AUTO, OutputType.AUTO)
            .withParts(false, Encoders.NO),
        ConvertProgress.NONE);
    return file;
  }

  private static RgbImage image() throws IOException {
    return ImageDecoder.decode(IMAGES.resolve("odd_97x61.png"));
  }

  private static void assertClose(float[] actual, float[] expected) {
    assertThat(actual).hasSameSizeAs(expected);
    for (int i = 0; i < actual.length; i++) {
      assertThat(actual[i]).as("value %d", i).isCloseTo(expected[i], within(TOLERANCE));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"taming", "chameleon", "vqvae", "lightning"})
  void codesAndPixelsOfVqModels(String name) throws IOException {
    Golden golden = Golden.read(name);
    ImageSize size =
        new ImageSize(golden.words.get("width").asInt(), golden.words.get("height").asInt());
    try (VqModel vq = VqModel.open(converted(name), CPU)) {
      RgbImage image = vq.fit(image(), size);
      assertClose(vq.latents(image), golden.floats("latents"));
      ImageCodes codes = vq.encode(image);
      assertThat(codes.codes()).isEqualTo(golden.ints("codes"));
      assertThat(codes.width() * vq.factor()).isEqualTo(size.width());
      assertThat(vq.decodes()).isEqualTo(!name.equals("chameleon"));
      if (vq.decodes()) {
        assertClose(vq.decode(codes).values(), golden.floats("decoded"));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"imagegpt", "imagegpt-tied"})
  void coloursLikelihoodsAndCompletionsOfPixelModels(String name) throws IOException {
    Golden golden = Golden.read(name);
    try (PixelModel gpt = PixelModel.open(converted(name), CPU)) {
      int[] ids = gpt.colours(image());
      assertThat(ids).isEqualTo(golden.ints("ids"));
      assertClose(gpt.logits(ids), golden.floats("logits"));
      ImageScore score = gpt.score(ids, NEVER);
      float[] terms = golden.floats("terms");
      double sum = 0;
      for (int i = 0; i < terms.length; i++) {
        assertThat(score.perPosition()[i]).isCloseTo(terms[i], within(1e-4));
        sum += terms[i];
      }
      assertThat(score.logLikelihood()).isCloseTo(sum, within(1e-3));
      int[] given = Arrays.copyOf(ids, golden.words.get("given").asInt());
      DrawOptions greedy = DrawOptions.seeded(1).withTemperature(0).withCount(2);
      List<int[]> drawn = gpt.draw(given, greedy, DrawOptions.Listener.NONE, NEVER);
      assertThat(drawn).hasSize(2);
      assertThat(drawn.get(0)).isEqualTo(golden.ints("drawn"));
      assertThat(drawn.get(1)).isEqualTo(drawn.get(0));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"plain", "guided"})
  void codesThatJanusWritesOfAText(String kind) throws IOException {
    Golden golden = Golden.read("janus");
    Path text = directory.resolve("text.gguf");
    Converter.convert(
        GOLDEN.resolve("janus/hf"),
        ConvertOptions.defaults()
            .withOutput(text, null)
            .withTypes(OutputType.F32, OutputType.F32)
            .withParts(true, Encoders.NO),
        ConvertProgress.NONE);
    double guidance = kind.equals("plain") ? 1 : golden.words.get("guidance").asDouble();
    DrawOptions greedy =
        DrawOptions.seeded(3).withTemperature(0).withGuidance(guidance).withCount(2);
    try (TextToImage janus = TextToImage.open(text, directory.resolve("gen-text.gguf"), CPU)) {
      String words = golden.words.get("text").asText();
      assertThat(janus.tokenize(words))
          .isEqualTo(new ObjectMapper().convertValue(golden.words.get("input_ids"), int[].class));
      List<float[]> logits = new ArrayList<>();
      List<ImageCodes> drawn =
          janus.drawObserved(words, greedy, (place, row) -> logits.add(row), NEVER);
      assertThat(drawn.get(0).codes()).isEqualTo(golden.ints(kind + ".codes"));
      assertThat(drawn.get(1)).isEqualTo(drawn.get(0));
      float[] expected = golden.floats(kind + ".logits"); // logarithms of probabilities
      int n = janus.vq().nCodes();
      assertThat(logits).hasSize(expected.length / n);
      if (kind.equals("plain")) {
        for (int place = 0; place < logits.size(); place++) {
          float shift = logits.get(place)[0] - expected[place * n];
          for (int k = 0; k < n; k++) {
            assertThat(logits.get(place)[k] - shift)
                .isCloseTo(expected[place * n + k], within(3e-4f));
          }
        }
      }
      assertClose(
          janus.vq().decode(drawn.get(0)).values(), channelsFirst(golden, kind, janus.vq()));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"llamagen", "llamagen-published"})
  void codesThatLlamaGenWritesOfAClass(String name) throws IOException {
    Golden golden = Golden.read(name);
    int number = golden.words.get("number").asInt();
    try (CodeModel model = CodeModel.open(converted(name), CPU)) {
      assertThat(model.vq().family()).isEqualTo("llamagen");
      assertThat(model.classes()).containsExactly("0", "1", "2", "3", "4");
      assertThat(model.classOf("3")).isEqualTo(3);
      int side = golden.words.get("size").asInt();
      assertThat(model.vq().imageSize()).isEqualTo(new ImageSize(side, side));
      RgbImage image = model.vq().fit(image(), model.vq().imageSize());
      assertClose(model.vq().latents(image), golden.floats("latents"));
      assertThat(model.vq().encode(image).codes()).isEqualTo(golden.ints("codes"));
      int[] classes = {number, number};
      DrawOptions greedy = DrawOptions.seeded(1).withTemperature(0).withCount(2);
      for (String kind : new String[] {"plain", "guided"}) {
        double guidance = kind.equals("plain") ? 1 : golden.words.get("guidance").asDouble();
        List<ImageCodes> drawn =
            model.draw(classes, greedy.withGuidance(guidance), DrawOptions.Listener.NONE, NEVER);
        assertThat(drawn.get(0).codes()).isEqualTo(golden.ints(kind + ".codes"));
        assertThat(drawn.get(1)).isEqualTo(drawn.get(0));
        assertClose(model.vq().decode(drawn.get(0)).values(), golden.floats(kind + ".decoded"));
      }
      ImageCodes drawn = new ImageCodes(side / 2, side / 2, golden.ints("guided.codes"));
      int scored = golden.words.get("scored").asInt();
      assertTerms(model.score(drawn, scored, NEVER), golden.floats("terms.class"));
      assertTerms(model.score(drawn, NEVER), golden.floats("terms.none"));
    }
  }

  private static void assertTerms(ImageScore score, float[] terms) {
    assertThat(score.perPosition()).hasSameSizeAs(terms);
    for (int i = 0; i < terms.length; i++) {
      assertThat(score.perPosition()[i]).isCloseTo(terms[i], within(1e-4));
    }
  }

  @Test
  void llamaGenWithoutOneOfItsHalvesIsRefused() throws IOException {
    Path folder = Files.createDirectory(directory.resolve("half"));
    Path hf = GOLDEN.resolve("llamagen/hf");
    Files.copy(hf.resolve("config.json"), folder.resolve("config.json"));
    Files.copy(hf.resolve("c2i_T_8.pt"), folder.resolve("c2i_T_8.pt"));
    assertThatThrownBy(
            () -> Converter.convert(folder, ConvertOptions.defaults(), ConvertProgress.NONE))
        .isInstanceOf(ConversionException.class)
        .hasMessageContaining("found only the transformer");
  }

  private static float[] channelsFirst(Golden golden, String kind, VqModel vq) throws IOException {
    assertThat(vq.imageSize()).isEqualTo(new ImageSize(6, 6));
    return golden.floats(kind + ".decoded");
  }

  @ParameterizedTest
  @ValueSource(strings = {"dcgan-generator", "gray-generator"})
  void imagesOfNoise(String name) throws IOException {
    Golden golden = Golden.read(name);
    float[] z = golden.floats("z");
    float[] expected = golden.floats("images");
    try (NoiseGenerator gan = NoiseGenerator.open(converted(name), CPU)) {
      List<float[]> noise = new ArrayList<>();
      for (int at = 0; at < z.length; at += gan.latent()) {
        noise.add(Arrays.copyOfRange(z, at, at + gan.latent()));
      }
      List<DecodedImage> images = gan.generate(noise, NEVER);
      int each = expected.length / noise.size();
      for (int i = 0; i < images.size(); i++) {
        float[] values = Arrays.copyOf(images.get(i).values(), each); // one channel of gray
        assertClose(values, Arrays.copyOfRange(expected, i * each, (i + 1) * each));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"dcgan-critic", "wgan-critic"})
  void scoresOfCritics(String name) throws IOException {
    try (Critic critic = Critic.open(converted(name), CPU)) {
      assertThat(critic.score(image(), NEVER))
          .isCloseTo(Golden.read(name).floats("score")[0], within(1e-5));
    }
  }

  @Test
  void foldersOfJanusBecomeThreeFiles() throws IOException {
    Converter.convert(
        GOLDEN.resolve("janus/hf"),
        ConvertOptions.defaults().withOutput(directory.resolve("j.gguf"), null),
        ConvertProgress.NONE);
    for (String name : new String[] {"j.gguf", "mmproj-j.gguf", "gen-j.gguf"}) {
      assertThat(Files.exists(directory.resolve(name))).as(name).isTrue();
    }
  }
}
