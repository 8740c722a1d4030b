package dev.ocellus.quantize.inspect;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.gguf.GgufArray;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.gguf.GgufString;
import dev.ocellus.gguf.GgufTensor;
import dev.ocellus.gguf.GgufValue;
import dev.ocellus.gguf.MetadataType;
import dev.ocellus.gguf.TensorType;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a GGUF file holds: the logic of {@code ocellus inspect}.
 *
 * <p>It reads from the file as it renders, so the file must stay open as long as the report is
 * used. A key of an unexpected type is shown as it is and never an error: inspecting is what one
 * does with a file that something is wrong with.
 */
public final class GgufReport {
  /** Tensors of one type together. */
  public record TypeTotal(TensorType type, int tensors, long parameters, long bytes) {}

  /**
   * A token with a role.
   *
   * @param role such as {@code bos} or {@code eos}
   * @param text the token, empty where the id is not in the vocabulary
   */
  public record SpecialToken(String role, long id, String text) {}

  /**
   * The tokenizer in short.
   *
   * @param model such as {@code gpt2} or {@code llama}
   * @param pre the pre-tokenizer, may be empty
   * @param tokens number of tokens
   * @param merges number of BPE merges
   */
  public record Tokenizer(
      String model, String pre, int tokens, int merges, List<SpecialToken> special) {}

  private static final String TOKEN_ID = "_token_id";
  private static final String TOKENIZER = "tokenizer.ggml.";

  private final GgufFile file;

  private GgufReport(GgufFile file) {
    this.file = file;
  }

  /** A report on an open file. */
  public static GgufReport of(GgufFile file) {
    return new GgufReport(file);
  }

  /** The file. */
  public GgufFile file() {
    return file;
  }

  /** {@code general.architecture}, or empty. */
  public Optional<String> architecture() {
    return text("general.architecture");
  }

  /** {@code general.name}, or empty. */
  public Optional<String> name() {
    return text("general.name");
  }

  /** {@code general.type}, such as {@code model}, {@code mmproj} or {@code adapter}; or empty. */
  public Optional<String> kind() {
    return text("general.type");
  }

  /** The quantization recipe, such as {@code Q4_K_M}; or empty. */
  public Optional<String> fileType() {
    return number("general.file_type").map(n -> FileTypes.name(n).orElse("unknown (" + n + ")"));
  }

  /** The Jinja chat template, or empty. */
  public Optional<String> chatTemplate() {
    return text("tokenizer.chat_template");
  }

  /** Number of elements of all tensors. */
  public long parameters() {
    return file.tensors().stream().mapToLong(GgufTensor::nElements).sum();
  }

  /** Bytes of all tensors, without padding. */
  public long tensorBytes() {
    return file.tensors().stream().mapToLong(GgufTensor::byteSize).sum();
  }

  /** Average bits per parameter; 0 for a file without tensors. */
  public double bitsPerWeight() {
    long n = parameters();
    return n == 0 ? 0 : 8.0 * tensorBytes() / n;
  }

  /** Totals by tensor type, most bytes first. */
  public List<TypeTotal> typeTotals() {
    Map<TensorType, TypeTotal> totals = new EnumMap<>(TensorType.class);
    for (GgufTensor t : file.tensors()) {
      totals.merge(
          t.type(),
          new TypeTotal(t.type(), 1, t.nElements(), t.byteSize()),
          (a, b) ->
              new TypeTotal(
                  a.type(),
                  a.tensors() + b.tensors(),
                  a.parameters() + b.parameters(),
                  a.bytes() + b.bytes()));
    }
    List<TypeTotal> sorted = new ArrayList<>(totals.values());
    sorted.sort(Comparator.comparingLong(TypeTotal::bytes).reversed());
    return sorted;
  }

  /** The tokenizer, where the file has one. */
  public Optional<Tokenizer> tokenizer() {
    Optional<String> model = text(TOKENIZER + "model");
    Optional<GgufArray> tokens = strings(TOKENIZER + "tokens");
    if (model.isEmpty() && tokens.isEmpty()) {
      return Optional.empty();
    }
    List<SpecialToken> special = new ArrayList<>();
    for (String key : file.metadata().asMap().keySet()) {
      if (key.startsWith(TOKENIZER) && key.endsWith(TOKEN_ID)) {
        String role = key.substring(TOKENIZER.length(), key.length() - TOKEN_ID.length());
        number(key).ifPresent(id -> special.add(new SpecialToken(role, id, token(tokens, id))));
      }
    }
    return Optional.of(
        new Tokenizer(
            model.orElse(""),
            text(TOKENIZER + "pre").orElse(""),
            tokens.map(GgufArray::length).orElse(0),
            strings(TOKENIZER + "merges").map(GgufArray::length).orElse(0),
            List.copyOf(special)));
  }

  private static String token(Optional<GgufArray> tokens, long id) {
    return tokens
        .filter(t -> id >= 0 && id < t.length() && t.length() <= GgufArray.MAX_BULK_ELEMENTS)
        .map(t -> t.stringAt((int) id))
        .orElse("");
  }

  /**
   * The report for machines; docs/gguf.md describes its shape, which only ever grows.
   *
   * @param full whether arrays and strings are given whole instead of their beginning
   */
  public ObjectNode toJson(boolean full) {
    return new ReportJson(this, full).render();
  }

  /** The report for people. */
  public String toText(TextOptions options) {
    return new ReportText(this, options).render();
  }

  private GgufMetadata metadata() {
    return file.metadata();
  }

  private Optional<String> text(String key) {
    return metadata()
        .find(key)
        .flatMap(v ->
            v instanceof GgufString s
                ? Optional.of(s.start(ReportJson.MAX_STRING_BYTES))
                : Optional.empty());
  }

  private Optional<Long> number(String key) {
    return metadata()
        .find(key)
        .flatMap(v -> v instanceof GgufValue.Int i ? Optional.of(i.value()) : Optional.empty());
  }

  private Optional<GgufArray> strings(String key) {
    return metadata()
        .find(key)
        .flatMap(v ->
            v instanceof GgufArray a && a.elementType() == MetadataType.STRING
                ? Optional.of(a)
                : Optional.empty());
  }
}
