package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.ocellus.OcellusException;
import dev.ocellus.convert.ConvertOptions;
import dev.ocellus.convert.ConvertProgress;
import dev.ocellus.convert.Converter;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.gguf.GgufString;
import dev.ocellus.gguf.GgufValue;
import dev.ocellus.gguf.MetadataType;
import dev.ocellus.quantize.file.GgufEditor;
import dev.ocellus.quantize.file.GgufEditor.Change;
import dev.ocellus.vlm.embedding.Classification;
import dev.ocellus.vlm.embedding.DualEncoder;
import dev.ocellus.vlm.embedding.EmbeddingOptions;
import dev.ocellus.vlm.embedding.Vectors;
import dev.ocellus.vlm.model.WrongModelKindException;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DualEncoderTest {
  private static final Path MODELS = Path.of("golden/models");

  @TempDir static Path directory;
  private static Path clip = Path.of("");

  @BeforeAll
  static void convert() throws IOException {
    clip = converted(MODELS.resolve("clip-openclip/hf"), "clip.gguf");
  }

  private static Path converted(Path checkpoint, String name) throws IOException {
    Path file = directory.resolve(name);
    Converter.convert(
        checkpoint,
        ConvertOptions.defaults().withOutput(file, null).withTypes(OutputType.F32, OutputType.F32),
        ConvertProgress.NONE);
    return file;
  }

  private static DualEncoder open(Path file) throws IOException {
    return DualEncoder.open(file, EmbeddingOptions.cpu(1));
  }

  private static Path edited(String name, Change... changes) throws IOException {
    Path file = directory.resolve(name);
    GgufEditor.edit(clip, file, List.of(changes));
    return file;
  }

  /** Such a file has no merges, no scale, no family and no kind of pooling. */
  @Test
  void opensWhatClipCppWrites() throws IOException {
    Path file =
        edited(
            "clipcpp.gguf",
            new Change.Remove("clip.model_type"),
            new Change.Remove("clip.logit_scale"),
            new Change.Remove("clip.text.eos_token_id"),
            new Change.Remove("clip.text.hidden_act"),
            new Change.Remove("clip.vision.hidden_act"),
            new Change.Set("clip.use_gelu", new GgufValue.Bool(true)),
            new Change.Remove("tokenizer.ggml.model"),
            new Change.Remove("tokenizer.ggml.pre"),
            new Change.Remove("tokenizer.ggml.token_type"),
            new Change.Remove("tokenizer.ggml.merges"),
            new Change.Remove("tokenizer.ggml.bos_token_id"),
            new Change.Remove("tokenizer.ggml.eos_token_id"),
            new Change.Remove("tokenizer.ggml.padding_token_id"));
    try (DualEncoder ours = open(clip);
        DualEncoder theirs = open(file)) {
      for (String text : List.of("a photo of a cat", "Two helpful children; it's 2024!", "")) {
        assertThat(theirs.tokenize(text).ids()).isEqualTo(ours.tokenize(text).ids());
        assertThat(theirs.embedText(text)).isEqualTo(ours.embedText(text));
      }
      assertThat(theirs.logitScale()).isCloseTo(100, within(1e-3f));
      assertThat(theirs.embedImage(Golden.image("odd_97x61.png")))
          .isEqualTo(ours.embedImage(Golden.image("odd_97x61.png")));
    }
  }

  /**
   * Published tokenizers of SigLIP give no mask of the padding; numbers of transformers 5.18 for
   * the same weights without one.
   */
  @Test
  void attendsToPaddingWhereTheTokenizerGivesNoMask() throws IOException {
    Path checkpoint =
        changed("siglip", "tokenizer_config.json", "{", "{\"model_input_names\": [\"input_ids\"],");
    float[][] expected = {
      {0.0613707f, -0.1693291f, 0.0145746f, -0.1171557f},
      {0.0228223f, -0.1718644f, -0.0529959f, -0.1081005f},
      {0.024523f, -0.1351801f, -0.03212f, -0.0821411f}
    };
    List<String> texts =
        List.of("a photo of a cat", "a red bicycle near the ocean", "Two children; it's 2024!");
    try (DualEncoder encoder = open(converted(checkpoint, "unmasked.gguf"))) {
      List<float[]> found = encoder.embedTexts(texts);
      for (int i = 0; i < expected.length; i++) {
        assertThat(Arrays.copyOf(found.get(i), 4)).containsExactly(expected[i], within(1e-6f));
        assertThat(found.get(i)).isEqualTo(encoder.embedText(texts.get(i)));
      }
    }
  }

  /** A copy of a checkpoint in which the first of a text in a file is another. */
  private static Path changed(String model, String file, String from, String to)
      throws IOException {
    Path checkpoint = Files.createTempDirectory(directory, model);
    try (Stream<Path> files = Files.list(MODELS.resolve(model).resolve("hf"))) {
      for (Path f : files.toList()) {
        Files.copy(f, checkpoint.resolve(f.getFileName()));
      }
    }
    Path edited = checkpoint.resolve(file);
    String text = Files.readString(edited);
    assertThat(text).contains(from);
    int at = text.indexOf(from);
    Files.writeString(edited, text.substring(0, at) + to + text.substring(at + from.length()));
    return checkpoint;
  }

  @Test
  void refusesACropThatTheTowerDoesNotTake() throws IOException {
    String processor = "preprocessor_config.json";
    Path other = changed("clip-openclip", processor, "\"height\": 70", "\"height\": 64");
    assertThatThrownBy(() -> converted(other, "crop.gguf"))
        .isInstanceOf(OcellusException.class)
        .hasMessageContaining("'crop_size': expected 70 x 70, as the tower takes");
    Path none =
        changed(
            "clip-openclip", processor, "\"do_center_crop\": true", "\"do_center_crop\": false");
    assertThatThrownBy(() -> converted(none, "crop.gguf"))
        .isInstanceOf(OcellusException.class)
        .hasMessageContaining("'do_center_crop': expected true");
  }

  @Test
  void averagesTemplates() throws IOException {
    try (DualEncoder encoder = open(clip)) {
      List<String> templates = List.of("a photo of a {}", "a drawing of a {}");
      float[] image = encoder.embedImage(Golden.image("odd_97x61.png"));
      Classification found = encoder.classifier(List.of("cat", "dog"), templates).classify(image);
      float[] a = encoder.embedText("a photo of a dog");
      float[] b = encoder.embedText("a drawing of a dog");
      double[] sum = new double[a.length];
      double length = 0;
      double dot = 0;
      for (int i = 0; i < sum.length; i++) {
        sum[i] = a[i] + b[i];
        length += sum[i] * sum[i];
        dot += sum[i] * image[i];
      }
      assertThat((double) found.logits()[1])
          .isCloseTo(encoder.logitScale() * dot / Math.sqrt(length), within(1e-5));
    }
  }

  @Test
  void givesThreadsTheSameVectors() throws Exception {
    try (DualEncoder encoder = open(clip);
        var threads = Executors.newFixedThreadPool(4)) {
      float[] text = encoder.embedText("a dog");
      float[] image = encoder.embedImage(Golden.image("odd_97x61.png"));
      List<Callable<float[]>> tasks = new ArrayList<>();
      for (int i = 0; i < 10; i++) {
        tasks.add(() -> encoder.embedText("a dog"));
        tasks.add(() -> encoder.embedImage(Golden.image("odd_97x61.png")));
      }
      int i = 0;
      for (Future<float[]> result : threads.invokeAll(tasks)) {
        assertThat(result.get()).isEqualTo(i++ % 2 == 0 ? text : image);
      }
    }
  }

  @Test
  void embedsAnyTextAndImage() throws IOException {
    try (DualEncoder encoder = open(clip)) {
      assertThat(encoder.embedTexts(List.of())).isEmpty();
      assertThat(encoder.embedImages(List.of())).isEmpty();
      for (String text : List.of("", " ", "\0", "\ud800", "x".repeat(100_000), "日本 ".repeat(999))) {
        float[] vector = encoder.embedText(text);
        assertThat(Vectors.dot(vector, vector)).isCloseTo(1, within(1e-6));
      }
      for (int[] size : new int[][] {{1, 1}, {1, 3000}, {3000, 1}}) {
        float[] vector = encoder.embedImage(Golden.noise(size[0], size[1], 1));
        assertThat(Vectors.dot(vector, vector)).isCloseTo(1, within(1e-6));
      }
    }
  }

  @Test
  void refusesOtherFilesAndWhatIsDamaged() throws IOException {
    assertThatThrownBy(() -> open(Golden.TEXT)).isInstanceOf(WrongModelKindException.class);
    assertThatThrownBy(() -> open(Golden.MMPROJ))
        .isInstanceOf(WrongModelKindException.class)
        .hasMessageContaining("is an image encoder (mmproj), not a dual encoder");
    assertThatThrownBy(() -> open(MODELS)).isInstanceOf(FileSystemException.class);
    refused(
        "other.gguf",
        "'blip', which is not known; known are [chinese_clip, clip, clip_bert, internvl_c, ",
        new Change.Rename("clip.model_type", "x"),
        set("clip.model_type", "blip"));
    refused(
        "act.gguf",
        "clip.text.hidden_act: 'snake' is not known",
        set("clip.text.hidden_act", "snake"));
    refused(
        "scale.gguf",
        "clip.logit_scale, logit_bias: expected finite numbers",
        new Change.Set("clip.logit_scale", new GgufValue.Real(MetadataType.F32, 1e9)));
    refused(
        "heads.gguf",
        "clip.text.attention.head_count: expected a divisor of 64",
        new Change.Set("clip.text.attention.head_count", new GgufValue.Int(MetadataType.U32, 3)));
    refused(
        "context.gguf",
        "t.position_embd.weight",
        new Change.Set("clip.text.context_length", new GgufValue.Int(MetadataType.U32, 99)));
    refused("tokens.gguf", "tokenizer.ggml.tokens", new Change.Remove("tokenizer.ggml.tokens"));
  }

  private static Change set(String key, String value) {
    return new Change.Set(key, GgufString.of(value));
  }

  private static void refused(String name, String message, Change... changes) throws IOException {
    Path file = edited(name, changes);
    assertThatThrownBy(() -> open(file))
        .isInstanceOf(OcellusException.class)
        .hasMessageContaining(message);
  }
}
