package dev.ocellus.tests.reference;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.ocellus.UnsupportedArchitectureException;
import dev.ocellus.convert.ConvertOptions;
import dev.ocellus.convert.ConvertProgress;
import dev.ocellus.convert.Converter;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufTensor;
import dev.ocellus.gguf.GgufValue;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * Checkpoints become the files that llama.cpp's converter makes of them, byte for byte, and the
 * files answer as transformers does.
 */
class ConversionTest {
  @TempDir Path directory;

  /** Keys whose values may differ from the reference's file, and why. */
  private static final Map<String, String> DIFFERENCES =
      Map.of(
          "tokenizer.ggml.pre",
          "the reference's was forced by hand to llama-bpe, which searches whole words first; these"
              + " tokenizers do not ask for that",
          "general.name",
          "the older script that made these image encoders takes another");

  /**
   * What checkpoints' processors say where it is not as usual, and llama.cpp's converter leaves out
   * (docs/gguf.md).
   */
  private static final Set<String> OWN_KEYS =
      Set.of(
          "clip.vision.bidirectional_images",
          "clip.vision.image_min_pixels",
          "clip.vision.image_max_pixels",
          "clip.vision.projector.attention.head_count",
          "clip.vision.preproc_tile_size",
          "clip.vision.preproc_min_tiles",
          "clip.vision.use_image_id",
          "clip.vision.preproc_max_side_patches",
          "clip.vision.preproc_max_tiles",
          "llama4.attention.chunk_size",
          "llama4.attention.temperature_length",
          "llama4.attention.temperature_scale",
          "llama4.attention.heads_normed",
          "llama4.attention.chunked_layers",
          "llama4.rope.layers");

  private static boolean isOurOwn(String key) {
    return OWN_KEYS.contains(key) || key.startsWith("clip.vision.video.");
  }

  @TestFactory
  Stream<DynamicNode> equalsLlamaCppsConverter() {
    List<DynamicNode> nodes = new ArrayList<>();
    for (Reference reference : Reference.all()) {
      for (String model : reference.models()) {
        if (reference.checkpoints().contains(model)) {
          nodes.add(
              DynamicTest.dynamicTest(
                  model, () -> compareIfKnown(reference, model, checkpoint(reference, model))));
        }
      }
    }
    return nodes.stream();
  }

  /** The reference's files of InternVL come from the original layout. */
  private static Path checkpoint(Reference reference, String model) {
    Path original = reference.checkpoint(model).resolveSibling("chat");
    return Files.exists(original) ? original : reference.checkpoint(model);
  }

  private void compareIfKnown(Reference reference, String model, Path checkpoint)
      throws IOException {
    try {
      compare(reference, model, checkpoint);
    } catch (UnsupportedArchitectureException e) {
      if (reference.mustBeKnown()) {
        throw e;
      }
      Assumptions.abort(e.getMessage());
    }
  }

  private void compare(Reference reference, String model, Path checkpoint) throws IOException {
    JsonNode types =
        new ObjectMapper().readTree(reference.text(model).resolveSibling("info.json").toFile());
    Path text = convert(directory, checkpoint, model, type(types, "text"), type(types, "mmproj"));
    assertSame(reference.mmproj(model), text.resolveSibling("mmproj.gguf"));
    assumeRowsForTokens(reference.text(model));
    assertSame(reference.text(model), text);
  }

  /**
   * Of Gemma 4, llama.cpp's converter counts tokens that stand in two lists of tokenizer.json twice
   * when it cuts the embedding, and libllama refuses the file of such a tiny tokenizer.
   */
  private static void assumeRowsForTokens(Path text) throws IOException {
    try (GgufFile file = GgufFile.open(text)) {
      long rows = file.tensor("token_embd.weight").shape().get(1);
      long tokens = file.metadata().array("tokenizer.ggml.tokens").length();
      Assumptions.assumeTrue(
          rows == tokens, () -> text + ": %d rows for %d tokens".formatted(rows, tokens));
    }
  }

  private static OutputType type(JsonNode info, String file) {
    return OutputType.named(info.get(file).asText().replaceFirst(",.*", ""));
  }

  private static Path convert(
      Path made, Path checkpoint, String model, OutputType text, OutputType mmproj)
      throws IOException {
    Path out = Files.createDirectories(made.resolve(model)).resolve("text.gguf");
    Converter.convert(
        checkpoint,
        ConvertOptions.defaults()
            .withOutput(out, null)
            .withTypes(text, mmproj)
            .withModelName("tiny-" + model),
        ConvertProgress.NONE);
    Files.move(out.resolveSibling("mmproj-text.gguf"), out.resolveSibling("mmproj.gguf"));
    return out;
  }

  private static void assertSame(Path expected, Path found) throws IOException {
    try (GgufFile a = GgufFile.open(expected);
        GgufFile b = GgufFile.open(found)) {
      TreeSet<String> keys = new TreeSet<>(a.metadata().asMap().keySet());
      keys.addAll(b.metadata().asMap().keySet());
      keys.removeAll(DIFFERENCES.keySet());
      keys.removeIf(key -> isOurOwn(key) && !a.metadata().contains(key));
      for (String key : keys) {
        assertThat(shown(b.metadata().asMap().get(key)))
            .as(key)
            .isEqualTo(shown(a.metadata().asMap().get(key)));
      }
      assertThat(b.tensors())
          .extracting(GgufTensor::name)
          .containsExactlyElementsOf(a.tensors().stream().map(GgufTensor::name).toList());
      for (GgufTensor t : a.tensors()) {
        GgufTensor other = b.tensor(t.name());
        assertThat(other.type()).as(t.name()).isEqualTo(t.type());
        assertThat(other.shape()).as(t.name()).isEqualTo(t.shape());
        assertThat(other.data().segment().mismatch(t.data().segment()))
            .as("first byte that differs in " + t.name())
            .isEqualTo(-1);
      }
    }
  }

  private static String shown(@Nullable GgufValue value) {
    if (value == null) {
      return "nothing";
    }
    String text =
        value instanceof dev.ocellus.gguf.GgufArray a
                && a.elementType() == dev.ocellus.gguf.MetadataType.STRING
            ? a.strings().toString()
            : value.display();
    return value.type() + " " + text;
  }

  @Test
  void makesTheSameFilesOfACheckpointOfItsOwn() throws Exception {
    Path model = Path.of("golden/models/smolvlm");
    Path text = convert(directory, model.resolve("hf"), "smolvlm", OutputType.F16, OutputType.F32);
    List<String> found = new ArrayList<>();
    for (Path file : List.of(text, text.resolveSibling("mmproj.gguf"))) {
      found.add(sha256(file) + "  " + file.getFileName());
    }
    assertThat(found).isEqualTo(Files.readAllLines(model.resolve("gguf.sha256")));
  }

  private static String sha256(Path file) throws IOException, NoSuchAlgorithmException {
    MessageDigest digest = MessageDigest.getInstance("SHA-256");
    digest.update(ByteBuffer.wrap(Files.readAllBytes(file)));
    return HexFormat.of().formatHex(digest.digest());
  }

  @TestFactory
  Stream<DynamicNode> convertedModelsAnswerAsTransformersDoes() throws IOException {
    List<DynamicNode> nodes = new ArrayList<>();
    for (Reference reference : Reference.all()) {
      Path made = directory.resolve(Integer.toString(nodes.size()));
      for (String model : reference.checkpoints()) {
        try {
          convert(made, reference.checkpoint(model), model, OutputType.F32, OutputType.F32);
          nodes.add(FidelityTest.container(reference.withModels(made), model));
        } catch (UnsupportedArchitectureException e) {
          nodes.add(FidelityTest.notKnown(reference, model, String.valueOf(e.getMessage())));
        }
      }
    }
    return nodes.stream();
  }
}
