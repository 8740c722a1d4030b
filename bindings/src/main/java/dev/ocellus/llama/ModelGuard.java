package dev.ocellus.llama;

import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.gguf.GgufTensor;
import dev.ocellus.gguf.TensorType;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Set;

/**
 * Checks a text model's metadata and tensors before libllama reads them.
 *
 * <p>libllama itself checks that every tensor is there and has the shape that the hyperparameters
 * ask for, that no other tensor is there, and the types of most metadata: it throws, and loading
 * fails. It asserts on the rest, or finds out when it computes, and both end the process. That rest
 * is checked here.
 */
final class ModelGuard {
  /** Types that the CPU kernels can multiply with, look up rows of, and repack. */
  private static final Set<TensorType> MATRIX_TYPES =
      EnumSet.complementOf(
          EnumSet.of(
              TensorType.Q8_1,
              TensorType.Q8_K,
              TensorType.I8,
              TensorType.I16,
              TensorType.I32,
              TensorType.I64,
              TensorType.F64));

  private ModelGuard() {}

  /** What later checks need to know of a file. */
  record Checked(Hyperparameters sizes, TokenizerGuard.Limits limits) {}

  /**
   * Checks all of a text model.
   *
   * @throws dev.ocellus.UnsupportedArchitectureException for an architecture that is not let
   *     through
   * @throws LlamaException for a hyperparameter, vocabulary or tensor that libllama would abort on
   * @throws dev.ocellus.gguf.GgufFormatException for missing metadata, or of another type
   */
  static Checked check(GgufFile file) {
    file.requireReadableByGgml();
    GgufMetadata metadata = file.metadata();
    var architecture = TextArchitecture.of(metadata.string("general.architecture"), file.path());
    var sizes = Hyperparameters.read(file.path(), metadata, architecture);
    var limits = TokenizerGuard.check(file.path(), metadata);
    for (GgufTensor t : file.tensors()) {
      checkType(file.path(), t);
    }
    if (architecture == TextArchitecture.PHI3) {
      requireAttention(file, sizes.nLayer());
    }
    return new Checked(sizes, limits);
  }

  /** Only the vocabulary, for a file that need not hold more. */
  static TokenizerGuard.Limits checkVocabulary(GgufFile file) {
    file.requireReadableByGgml();
    TextArchitecture.requireKnown(file.metadata().string("general.architecture"), file.path());
    return TokenizerGuard.check(file.path(), file.metadata());
  }

  /**
   * Norms, biases, scales and rotary factors go through kernels for F32 only, matrices through
   * those of most types. What counts for libllama is the shape without trailing ones.
   */
  private static void checkType(Path file, GgufTensor t) {
    boolean vector = t.nElements() == t.dim(0);
    if (vector ? t.type() == TensorType.F32 : MATRIX_TYPES.contains(t.type())) {
      return;
    }
    throw refusal(
        file,
        "type of tensor \"" + t.name() + "\"",
        vector ? "f32, as it is a vector" : "one that matrices are multiplied in",
        t.type().ggmlName(),
        "The file is damaged, or was quantized by a tool that llama.cpp does not follow.");
  }

  /** The one architecture whose loader takes these as optional, and whose graph does not. */
  private static void requireAttention(GgufFile file, int nLayer) {
    for (int i = 0; i < nLayer; i++) {
      if (file.findTensor("blk.%d.attn_qkv.weight".formatted(i)).isEmpty()) {
        for (String name : new String[] {"attn_q", "attn_k", "attn_v"}) {
          file.tensor("blk.%d.%s.weight".formatted(i, name));
        }
      }
    }
  }

  static LlamaException refusal(
      Path file, String what, String expected, String found, String remedy) {
    return new LlamaException(
        "%s: %s: expected %s, found %s. %s".formatted(file, what, expected, found, remedy));
  }
}
