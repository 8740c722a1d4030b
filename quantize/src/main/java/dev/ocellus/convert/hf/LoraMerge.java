package dev.ocellus.convert.hf;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ocellus.convert.common.ConversionException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.jspecify.annotations.Nullable;

/**
 * Adds a LoRA adapter (arXiv:2106.09685) to the tensors of a checkpoint, those of its image encoder
 * too: W + scale · B A, as {@code merge_and_unload} of <a
 * href="https://github.com/huggingface/peft/blob/v0.17.0/src/peft/tuners/lora/layer.py">PEFT</a>
 * computes it. Whole tensors ({@code modules_to_save}) replace those of the checkpoint.
 *
 * <p>An adapter names tensors as the class has them in memory, a checkpoint as it was published,
 * with {@code model.} and the like elsewhere or not at all; so names are compared without these
 * where they are not equal as they are.
 */
final class LoraMerge {
  private static final String PREFIX = "base_model.model.";
  private static final List<String> FIRST = List.of(".lora_A", ".lora_embedding_A");
  private static final List<String> SECOND = List.of(".lora_B", ".lora_embedding_B");

  /** Parts of names that say only whose they are. */
  private static final List<Set<String>> SILENT =
      List.of(
          Set.of("model", "language_model"),
          Set.of("model", "language_model", "vision_model", "text_model"));

  /** The two matrices of a tensor. */
  private static final class Pair {
    @Nullable LazyTensor a;
    @Nullable LazyTensor b;
    boolean embedding;
  }

  private final AdapterFolder adapter;
  private final HfConfig config;
  private final Map<String, LazyTensor> base;

  private LoraMerge(AdapterFolder adapter, Map<String, LazyTensor> base) {
    this.adapter = adapter;
    this.config = adapter.config();
    this.base = base;
  }

  /**
   * The tensors with the adapter added.
   *
   * @throws ConversionException if the adapter is of another kind, incomplete, or not of this
   *     checkpoint
   */
  static Map<String, LazyTensor> merged(Map<String, LazyTensor> base, AdapterFolder adapter) {
    LoraMerge merge = new LoraMerge(adapter, base);
    merge.requireKnown();
    return merge.merged();
  }

  private void requireKnown() {
    String type = config.findString("peft_type").orElse("LORA");
    if (!type.equals("LORA")) {
      throw config.invalid("peft_type", "LORA", "'" + type + "'");
    }
    for (String key : new String[] {"use_dora", "lora_bias"}) {
      if (config.flag(key, false)) {
        throw config.invalid(key, "false, as such adapters are not merged", "true");
      }
    }
    JsonNode parameters = config.find("target_parameters");
    if (parameters != null && !parameters.isEmpty()) {
      throw config.invalid(
          "target_parameters", "nothing, as such adapters are not merged", parameters.toString());
    }
  }

  private Map<String, LazyTensor> merged() {
    Map<String, Pair> pairs = new LinkedHashMap<>();
    Map<String, LazyTensor> result = new LinkedHashMap<>(base);
    for (Map.Entry<String, LazyTensor> e : adapter.tensors().entrySet()) {
      String name = e.getKey();
      if (!take(name, e.getValue(), pairs)) {
        replace(name, e.getValue(), result);
      }
    }
    if (pairs.isEmpty()) {
      throw new ConversionException(
          "%s: no lora_A and lora_B in it. Is this the folder of a LoRA adapter?"
              .formatted(adapter.directory()));
    }
    pairs.forEach((module, pair) -> {
      String target = target(module + ".weight");
      result.put(target, sum(module, result.get(target), pair));
    });
    return result;
  }

  /** Notes one of two matrices; false for another tensor. */
  private boolean take(String name, LazyTensor tensor, Map<String, Pair> pairs) {
    for (String end : FIRST) {
      int at = name.lastIndexOf(end);
      if (at >= 0) {
        Pair pair = pairs.computeIfAbsent(module(name, at), n -> new Pair());
        pair.a = tensor;
        pair.embedding = end.contains("embedding");
        return true;
      }
    }
    for (String end : SECOND) {
      int at = name.lastIndexOf(end);
      if (at >= 0) {
        pairs.computeIfAbsent(module(name, at), n -> new Pair()).b = tensor;
        return true;
      }
    }
    return false;
  }

  private static String module(String name, int end) {
    return bare(name.substring(0, end));
  }

  private static String bare(String name) {
    String own = name.startsWith(PREFIX) ? name.substring(PREFIX.length()) : name;
    return own.replace(".base_layer", "").replace(".modules_to_save.default", "");
  }

  private void replace(String name, LazyTensor tensor, Map<String, LazyTensor> result) {
    String target = target(bare(name));
    LazyTensor old = base.get(target);
    if (old == null || !Arrays.equals(old.shape(), tensor.shape())) {
      throw new ConversionException(
          "%s: '%s' would replace %s, whose shape is another. Is this the checkpoint that the adapter was trained on?"
              .formatted(adapter.directory(), tensor, old));
    }
    result.put(target, tensor);
  }

  /** The tensor of the checkpoint that an adapter's name means. */
  private String target(String name) {
    if (base.containsKey(name)) {
      return name;
    }
    for (Set<String> silent : SILENT) {
      Set<String> found = byShortName(silent).getOrDefault(shortened(name, silent), Set.of());
      if (found.size() == 1) {
        return found.iterator().next();
      }
      if (found.size() > 1) {
        throw new ConversionException(
            "%s: '%s' may mean any of %s of the checkpoint"
                .formatted(adapter.directory(), name, found));
      }
    }
    throw new ConversionException(
        "%s: the checkpoint has no tensor '%s', which the adapter changes. Is this the checkpoint that the adapter was trained on?"
            .formatted(adapter.directory(), name));
  }

  private final Map<Set<String>, Map<String, Set<String>>> byShortName = new HashMap<>();

  private Map<String, Set<String>> byShortName(Set<String> silent) {
    return byShortName.computeIfAbsent(
        silent,
        parts -> {
          Map<String, Set<String>> names = new HashMap<>();
          for (String name : base.keySet()) {
            names.computeIfAbsent(shortened(name, parts), n -> new TreeSet<>()).add(name);
          }
          return names;
        });
  }

  private static String shortened(String name, Set<String> silent) {
    return String.join(
        ".", Arrays.stream(name.split("\\.")).filter(part -> !silent.contains(part)).toList());
  }

  private LazyTensor sum(String module, @Nullable LazyTensor matrix, Pair pair) {
    LazyTensor a = pair.a;
    LazyTensor b = pair.b;
    if (matrix == null || a == null || b == null) {
      throw new ConversionException(
          "%s: '%s' has only one of A and B. Is the file incomplete?"
              .formatted(adapter.directory(), module));
    }
    long rank = a.size(0);
    float scale = (float) scale(module, rank);
    if (pair.embedding) {
      requireShapes(matrix, a, b, a.count() / rank, b.size(0), rank);
      return matrix.plusProduct(a.transposed(), b.transposed(), scale);
    }
    boolean exchanged = config.flag("fan_in_fan_out", false);
    long in = matrix.count() / matrix.size(0);
    if (exchanged) {
      requireShapes(matrix, a, b, a.count() / rank, b.size(0), rank);
      return matrix.plusProduct(a.transposed(), b.transposed(), scale);
    }
    requireShapes(matrix, a, b, matrix.size(0), in, rank);
    return matrix.plusProduct(b.reshape(b.size(0), rank), a.reshape(rank, in), scale);
  }

  /** Kernels of convolutions are matrices here, of a row for each channel that comes out. */
  private void requireShapes(
      LazyTensor matrix, LazyTensor a, LazyTensor b, long rows, long columns, long rank) {
    boolean fit =
        matrix.size(0) == rows
            && matrix.count() == rows * columns
            && a.count() * b.count() == rank * rank * rows * columns
            && b.count() / b.size(0) == rank;
    if (!fit) {
      throw new ConversionException(
          "%s: %s and %s do not fit %s. Is this the checkpoint that the adapter was trained on?"
              .formatted(adapter.directory(), a, b, matrix));
    }
  }

  /** alpha / rank, or over its root for rank-stabilized adapters (arXiv:2312.03732). */
  private double scale(String module, long rank) {
    double wanted = pattern("rank_pattern", module, config.integerOr("r", (int) rank));
    if (wanted != rank) {
      throw config.invalid("r", "%d, as '%s' has".formatted(rank, module), "" + (int) wanted);
    }
    double alpha = pattern("alpha_pattern", module, config.real("lora_alpha"));
    return config.flag("use_rslora", false) ? alpha / Math.sqrt(rank) : alpha / rank;
  }

  /** The first pattern that matches the end of a module's name, behind a dot, counts. */
  private double pattern(String key, String module, double otherwise) {
    JsonNode patterns = config.find(key);
    if (patterns == null) {
      return otherwise;
    }
    for (Map.Entry<String, JsonNode> e : patterns.properties()) {
      try {
        if (Pattern.compile("(.*\\.)?(" + e.getKey() + ")").matcher(module).matches()) {
          return e.getValue().asDouble();
        }
      } catch (PatternSyntaxException bad) {
        throw new ConversionException(
            "%s: %s: '%s' is no pattern: %s"
                .formatted(config.file(), key, e.getKey(), bad.getMessage()),
            bad);
      }
    }
    return otherwise;
  }
}
