package dev.ocellus.llama;

import dev.ocellus.gguf.GgufArray;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.gguf.GgufTensor;
import dev.ocellus.gguf.TensorType;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Set;
import java.util.regex.Pattern;

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

  /** What is added to or multiplied with activations one by one, in whatever shape it is stored. */
  private static final Pattern ELEMENTWISE =
      Pattern.compile("norm|\\.bias$|\\.scale$|ssm_a$|ssm_d$|ssm_conv1d|shortconv\\.conv|sinks");

  private ModelGuard() {}

  /** What later checks need to know of a file. */
  record Checked(Hyperparameters sizes, TokenizerGuard.Limits limits) {}

  /**
   * Checks all of a text model.
   *
   * @param allowUnchecked whether architectures may pass of which only the common parts are checked
   * @throws dev.ocellus.UnsupportedArchitectureException for an architecture that is not let
   *     through
   * @throws LlamaException for a hyperparameter, vocabulary or tensor that libllama would abort on
   * @throws dev.ocellus.gguf.GgufFormatException for missing metadata, or of another type
   */
  static Checked check(GgufFile file, boolean allowUnchecked) {
    file.requireReadableByGgml();
    GgufMetadata metadata = file.metadata();
    String name = metadata.string("general.architecture");
    var architecture = TextArchitecture.of(name, file.path(), allowUnchecked);
    Hyperparameters sizes =
        architecture == null
            ? UncheckedArchitecture.read(file, name)
            : Hyperparameters.read(file, architecture);
    var limits = TokenizerGuard.check(file.path(), metadata);
    checkRows(file);
    for (GgufTensor t : file.tensors()) {
      checkType(file.path(), t);
    }
    return new Checked(sizes, limits);
  }

  /** Each token has a row of the embedding, and no row is without one. */
  private static void checkRows(GgufFile file) {
    GgufTensor table = file.findTensor("token_embd.weight").orElse(null);
    GgufArray tokens =
        file.metadata().find("tokenizer.ggml.tokens").orElse(null) instanceof GgufArray a
            ? a
            : null;
    if (table == null || tokens == null || table.shape().size() != 2) {
      return;
    }
    long rows = table.dim(1);
    if (rows != tokens.length()) {
      throw refusal(
          file.path(),
          "rows of tensor \"token_embd.weight\"",
          "%d, as many as tokenizer.ggml.tokens".formatted(tokens.length()),
          Long.toString(rows),
          "The file was converted wrongly, as llama.cpp's converter does with tokens that stand"
              + " twice in tokenizer.json; convert the checkpoint again.");
    }
  }

  /** Only the vocabulary, for a file that need not hold more. */
  static TokenizerGuard.Limits checkTokenizer(GgufFile file) {
    file.requireReadableByGgml();
    return TokenizerGuard.check(file.path(), file.metadata());
  }

  /** As {@link #checkTokenizer}, of a file whose architecture libllama must know. */
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
    boolean vector = t.nElements() == t.dim(0) || ELEMENTWISE.matcher(t.name()).find();
    if (vector ? t.type() == TensorType.F32 : MATRIX_TYPES.contains(t.type())) {
      return;
    }
    throw refusal(
        file,
        "type of tensor \"" + t.name() + "\"",
        vector ? "f32, as it is no matrix to multiply with" : "one that matrices are multiplied in",
        t.type().ggmlName(),
        "The file is damaged, or was quantized by a tool that llama.cpp does not follow.");
  }

  static LlamaException refusal(
      Path file, String what, String expected, String found, String remedy) {
    return new LlamaException(
        "%s: %s: expected %s, found %s. %s".formatted(file, what, expected, found, remedy));
  }
}
