package dev.ocellus.tests.reference;

import dev.ocellus.UnsupportedArchitectureException;
import dev.ocellus.gguf.TensorType;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.safetensors.SafetensorsFile;
import dev.ocellus.vlm.Answer;
import dev.ocellus.vlm.AnswerListener;
import dev.ocellus.vlm.ChatSession;
import dev.ocellus.vlm.GenerationOptions;
import dev.ocellus.vlm.LoadOptions;
import dev.ocellus.vlm.VisionEncoder;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.image.Visual;
import dev.ocellus.vlm.model.ImageInput;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Computes what the reference computed, with F32 caches and one thread, and compares. */
final class FidelityHarness {
  private static final ContextOptions EXACT =
      ContextOptions.defaults()
          .withContext(4096)
          .withThreads(1, 1)
          .withCache(TensorType.F32, TensorType.F32)
          .withFlashAttention(ContextOptions.FlashAttention.OFF);

  /**
   * @param pixels of the preprocessed pictures
   * @param rows of what the text model gets, with deepstack rows where there are any
   */
  record Embeddings(Difference pixels, Difference rows) {}

  private FidelityHarness() {}

  /**
   * Whether Ocellus knows the architecture of a model's mmproj file.
   *
   * @throws IOException if the file cannot be read
   */
  static boolean isSupported(Reference reference, String model) throws IOException {
    try (VisionEncoder encoder = VisionEncoder.open(reference.mmproj(model), 1, false)) {
      return true;
    } catch (UnsupportedArchitectureException e) {
      System.out.println("not compared: " + model + ": " + e.getMessage());
      return false;
    }
  }

  /** Preprocesses and encodes the pictures of a case. */
  static Embeddings embeddings(Reference reference, String model, ReferenceCase c)
      throws IOException {
    try (VisionEncoder encoder = VisionEncoder.open(reference.mmproj(model), 1, false);
        SafetensorsFile expected = c.expected()) {
      List<float[]> pixels = new ArrayList<>();
      List<float[]> rows = new ArrayList<>();
      for (Visual image : c.visuals()) {
        ImageInput input = encoder.prepare(image, reference.imageOptions(model, c));
        pixels.add(input.pixels());
        rows.add(encoder.encode(input).rows());
      }
      return new Embeddings(
          Difference.of(Difference.concat(pixels), c.pixelValues(expected)),
          Difference.of(Difference.concat(rows), c.rows(expected)));
    }
  }

  /** Answers a case's conversation greedily, with as many tokens as the reference has. */
  static Answer answer(Reference reference, String model, ReferenceCase c) throws IOException {
    LoadOptions options =
        LoadOptions.of(reference.text(model), reference.mmproj(model))
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
