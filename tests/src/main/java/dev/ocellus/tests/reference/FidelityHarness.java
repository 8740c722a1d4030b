package dev.ocellus.tests.reference;

import dev.ocellus.UnsupportedArchitectureException;
import dev.ocellus.gguf.TensorType;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.llama.LlamaException;
import dev.ocellus.safetensors.SafetensorsFile;
import dev.ocellus.vlm.ChatSession;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.encoder.VisionEncoder;
import dev.ocellus.vlm.image.Visual;
import dev.ocellus.vlm.options.LoadOptions;
import dev.ocellus.vlm.vision.ImageInput;
import dev.ocellus.vlm.vision.Tiles;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** Computes what the reference computed, with F32 caches and one thread, and compares. */
final class FidelityHarness {
  private static final ContextOptions EXACT =
      ContextOptions.defaults()
          .withContext(4096)
          .withThreads(1, 1)
          .withCache(TensorType.F32, TensorType.F32)
          .withFlashAttention(ContextOptions.FlashAttention.OFF);

  /**
   * @param pixels of the preprocessed images
   * @param rows of what the text model gets, with deepstack rows where there are any
   */
  record Embeddings(Difference pixels, Difference rows) {}

  private FidelityHarness() {}

  /**
   * Why a model is not compared, or nothing if it is: its image encoder or its text model is of an
   * architecture that Ocellus does not know.
   *
   * @throws IOException if a file cannot be read
   */
  static Optional<String> unsupported(Reference reference, String model) throws IOException {
    try (VisionLanguageModel vlm =
        VisionLanguageModel.open(
            LoadOptions.of(reference.textModel(model), reference.encoder(model))
                .withContextOptions(EXACT))) {
      return Optional.empty();
    } catch (UnsupportedArchitectureException e) {
      return Optional.of(String.valueOf(e.getMessage()));
    } catch (LlamaException e) {
      // files of the reference that libllama refuses: its converter counted tokens twice
      String message = String.valueOf(e.getMessage());
      if (!message.contains("as many as tokenizer.ggml.tokens")) {
        throw e;
      }
      return Optional.of(message);
    }
  }

  /** Preprocesses and encodes the images of a case. */
  static Embeddings embeddings(Reference reference, String model, ReferenceCase c)
      throws IOException {
    try (VisionEncoder encoder = VisionEncoder.open(reference.encoder(model), 1, false);
        SafetensorsFile expected = c.expected()) {
      List<float[]> pixels = new ArrayList<>();
      List<float[]> rows = new ArrayList<>();
      for (Visual image : c.visuals()) {
        ImageInput input =
            encoder
                .prepare(image, reference.imageOptions(model, c))
                .withInstruction(encoder.architecture().instruction(c.instruction()));
        pixels.add(c.isInBands() ? planes(input) : input.pixels());
        float[] values = encoder.encode(input).values();
        rows.add(
            ReferenceCase.hasStatesOnly(expected)
                ? Arrays.copyOf(values, values.length - 1)
                : values);
      }
      return new Embeddings(
          Difference.of(Difference.concat(pixels), c.pixelValues(expected)),
          Difference.of(Difference.concat(rows), c.rows(expected)));
    }
  }

  /** Tile by tile, of inputs that have the patches of all side by side. */
  private static float[] planes(ImageInput input) {
    return Difference.concat(input.tiles().stream().map(Tiles::pixels).toList());
  }

  /** Answers a case's conversation greedily, with as many tokens as the reference has. */
  static Answer answer(Reference reference, String model, ReferenceCase c) throws IOException {
    LoadOptions options =
        LoadOptions.of(reference.textModel(model), reference.encoder(model))
            .withContextOptions(EXACT)
            .withImageOptions(reference.imageOptions(model, c));
    try (VisionLanguageModel vlm = VisionLanguageModel.open(options);
        ChatSession chat = vlm.newChat()) {
      GenerationOptions greedy =
          GenerationOptions.greedy().withMaxTokens(c.greedy().length).withIgnoreEos(true);
      return chat.complete(c.messages(), greedy, AnswerListener.NONE);
    }
  }
}
