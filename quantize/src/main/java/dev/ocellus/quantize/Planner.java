package dev.ocellus.quantize;

import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufTensor;
import dev.ocellus.gguf.GgufValue;
import dev.ocellus.gguf.TensorType;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Chooses the type of every tensor of a file, as llama.cpp v0.4.0 does. */
final class Planner {
  private static final Pattern LAYER = Pattern.compile("^blk\\.(\\d{1,9})\\.");

  private final QuantizeOptions options;
  private final List<GgufTensor> tensors;
  private final TypeRules rules;

  private Planner(GgufFile file, QuantizeOptions options) {
    this.options = options;
    this.tensors = sorted(file, options.keepSplit());
    Map<String, GgufValue> metadata = new LinkedHashMap<>(file.metadata().asMap());
    metadata.putAll(options.metadata());
    int nValues = (int) tensors.stream().filter(t -> TensorRole.of(t.name()).makesValues()).count();
    boolean tied = file.findTensor("output.weight").isEmpty();
    this.rules = new TypeRules(options, ModelTraits.of(metadata), nValues, tied);
  }

  static QuantizePlan plan(GgufFile file, QuantizeOptions options) {
    return new QuantizePlan(options, new Planner(file, options).planAll());
  }

  /** By block and then by name; for an output in as many files by place in the input. */
  private static List<GgufTensor> sorted(GgufFile file, boolean keepSplit) {
    List<GgufTensor> all = new ArrayList<>(file.tensors());
    if (keepSplit) {
      List<Path> files = file.files();
      all.sort(
          Comparator.<GgufTensor>comparingInt(t -> files.indexOf(t.file()))
              .thenComparingLong(GgufTensor::offset));
    } else {
      all.sort(
          Comparator.<GgufTensor>comparingInt(t -> layer(t.name()))
              .thenComparing(GgufTensor::name, Planner::compareBytes));
    }
    return all;
  }

  private static int layer(String name) {
    Matcher m = LAYER.matcher(name);
    return m.find() ? Integer.parseInt(m.group(1)) : -1;
  }

  private static int compareBytes(String a, String b) {
    return Arrays.compareUnsigned(
        a.getBytes(StandardCharsets.UTF_8), b.getBytes(StandardCharsets.UTF_8));
  }

  private List<PlannedTensor> planAll() {
    List<PlannedTensor> planned = new ArrayList<>();
    for (GgufTensor t : tensors) {
      planned.add(plan(t));
    }
    return planned;
  }

  private PlannedTensor plan(GgufTensor t) {
    TensorType exact = options.exactTypes().get(t.name());
    if (exact != null) {
      return fitted(t, exact);
    }
    if (!Eligibility.allows(t, options)) {
      return new PlannedTensor(t, t.type(), null, false);
    }
    TensorRole role = TensorRole.of(t.name());
    Optional<TypeOverride> override =
        options.overrides().stream().filter(o -> o.matches(t.name())).findFirst();
    TensorType embedding = options.tokenEmbeddingType();
    if (embedding != null && role == TensorRole.TOKEN_EMBEDDING) {
      // the table of every layer's embeddings is large, so naming it explicitly stands above this
      boolean named = t.name().equals("per_layer_token_embd.weight") && override.isPresent();
      if (!named) {
        return fixed(t, embedding);
      }
    }
    TensorType output = options.outputTensorType();
    if (output != null && role == TensorRole.OUTPUT) {
      return fixed(t, output);
    }
    TensorType usual = options.recipe().type();
    if (!usual.isQuantized()) {
      return new PlannedTensor(t, usual, null, false);
    }
    TensorType wanted =
        override.map(TypeOverride::type).orElseGet(() -> options.pure() ? usual : rules.typeOf(t));
    return fitted(t, wanted);
  }

  /** A type that was asked for by name is not replaced by another. */
  private PlannedTensor fixed(GgufTensor t, TensorType type) {
    if (t.dim(0) % type.blockSize() != 0) {
      throw new QuantizeException(
          "%s: rows of %d do not fill blocks of %d, which %s has. Choose another type for it."
              .formatted(t.name(), t.dim(0), type.blockSize(), type.ggmlName()));
    }
    return planned(t, type, null);
  }

  private PlannedTensor fitted(GgufTensor t, TensorType wanted) {
    if (t.dim(0) % wanted.blockSize() == 0) {
      return planned(t, wanted, null);
    }
    return planned(t, Fallback.of(t, wanted), wanted);
  }

  private PlannedTensor planned(GgufTensor t, TensorType type, @Nullable TensorType unfit) {
    return new PlannedTensor(t, type, unfit, needsImportance(t.name(), type));
  }

  private boolean needsImportance(String name, TensorType type) {
    TensorRole role = TensorRole.of(name);
    if (role == TensorRole.TOKEN_EMBEDDING || role == TensorRole.OUTPUT) {
      return false;
    }
    return switch (type) {
      case IQ3_XXS, IQ2_XXS, IQ2_XS, IQ2_S, IQ1_M, IQ1_S -> true;
      case Q2_K -> options.recipe() == Recipe.Q2_K_S;
      default -> false;
    };
  }
}
