package dev.ocellus.quantize;

import dev.ocellus.Setting;
import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.ggml.RowCodec;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufTensor;
import dev.ocellus.gguf.TensorType;
import dev.ocellus.quantize.imatrix.Importance;
import java.io.IOException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Chooses the type of every tensor so that a model of a given size loses least.
 *
 * <p>Minimised is the sum of the {@linkplain TypeErrors relative errors} of all tensors, each
 * counted once. All layers add to one residual stream, so an error of the same relative size does
 * about the same harm wherever it is made and however small the tensor: small tensors therefore get
 * more bits.
 */
public final class SizePlanner {
  /** From few bits to many. */
  private static final List<TensorType> PLAIN =
      List.of(
          TensorType.Q2_K,
          TensorType.Q3_K,
          TensorType.IQ4_XS,
          TensorType.Q4_K,
          TensorType.Q5_K,
          TensorType.Q6_K,
          TensorType.Q8_0);

  /** Usable for rows that do not fill blocks of 256. */
  private static final List<TensorType> SMALL_BLOCKS =
      List.of(
          TensorType.IQ4_NL, TensorType.Q4_0, TensorType.Q5_0, TensorType.Q5_1, TensorType.Q8_0);

  /** Useless without importance. */
  private static final List<TensorType> TINY =
      List.of(
          TensorType.IQ1_M,
          TensorType.IQ2_XXS,
          TensorType.IQ2_S,
          TensorType.IQ3_XXS,
          TensorType.IQ3_S);

  private SizePlanner() {}

  /**
   * Measures and chooses.
   *
   * @param options its overrides by name hold; its recipe is only used to name the result
   * @param listener told of every tensor that is measured
   * @throws QuantizeException if no choice is small enough
   * @throws java.util.concurrent.CancellationException if {@code flag} was set
   */
  public static QuantizePlan plan(
      GgufFile file,
      QuantizeOptions options,
      SizeTarget target,
      Quantizer.Listener listener,
      CancellationFlag flag)
      throws IOException {
    // what the options fix by name shows as a plan of a recipe that quantizes nothing else
    QuantizePlan fixed = Planner.plan(file, options.toBuilder().pure(true).build());
    List<GgufTensor> free = new ArrayList<>();
    long fixedBytes = 0;
    for (PlannedTensor t : fixed.tensors()) {
      if (isFree(t, options)) {
        free.add(t.tensor());
      } else {
        fixedBytes += t.bytes();
      }
    }
    long budget = budget(file, fixed, target) - fixedBytes;
    long weights = Math.max(1, free.stream().mapToLong(GgufTensor::nElements).sum());
    // types of very few bits are slow to try, and never chosen where there is room for many
    double minBits = 8.0 * budget / weights / 2;
    List<TypeErrors.Question> questions =
        free.stream()
            .map(t -> new TypeErrors.Question(t, candidates(t, options, minBits)))
            .toList();
    requireOriginal(questions, options);
    var errors =
        TypeErrors.measure(
            file, questions, options.importance(), options.nThreads(), listener, flag);
    Map<String, List<Allocation.Choice>> choices = new LinkedHashMap<>();
    for (TypeErrors.Question q : questions) {
      choices.put(q.tensor().name(), choices(q.tensor(), errors));
    }
    Map<String, TensorType> chosen = new HashMap<>(Allocation.choose(choices, budget));
    Recipe name = nearest(questions, chosen);
    var named = QuantizeOptions.builder(name).like(options);
    Map<String, TensorType> exact = new HashMap<>(options.exactTypes());
    for (PlannedTensor t : fixed.tensors()) {
      exact.put(t.name(), chosen.getOrDefault(t.name(), t.type()));
    }
    return Planner.plan(file, named.exactTypes(exact).build());
  }

  private static boolean isFree(PlannedTensor t, QuantizeOptions options) {
    String name = t.name();
    TensorRole role = TensorRole.of(name);
    return Eligibility.allows(t.tensor(), options)
        && RowCodec.canDecode(t.tensor().type())
        && !options.exactTypes().containsKey(name)
        && options.overrides().stream().noneMatch(o -> o.matches(name))
        && !(role == TensorRole.OUTPUT && options.outputTensorType() != null)
        && !(role == TensorRole.TOKEN_EMBEDDING && options.tokenEmbeddingType() != null);
  }

  private static void requireOriginal(List<TypeErrors.Question> free, QuantizeOptions options) {
    for (TypeErrors.Question q : free) {
      if (q.tensor().type().isQuantized() && !options.allowRequantize()) {
        throw new QuantizeException(
                "%s is %s already, and its true weights are not known. Give the original of 16 or 32 bits, or allow quantizing again."
                    .formatted(q.tensor().name(), q.tensor().type().ggmlName()))
            .about(Setting.ALLOW_REQUANTIZE);
      }
    }
  }

  private static List<TensorType> candidates(
      GgufTensor t, QuantizeOptions options, double minBits) {
    Importance importance = options.importance();
    boolean known = importance != null && ImportanceLookup.tensor(importance, t) != null;
    List<TensorType> types = new ArrayList<>(known ? TINY : List.of());
    types.removeIf(type -> type.bitsPerElement() < minBits);
    types.addAll(PLAIN);
    types.removeIf(type -> t.dim(0) % type.blockSize() != 0);
    if (types.isEmpty() || types.equals(List.of(TensorType.Q8_0))) {
      types = new ArrayList<>(SMALL_BLOCKS);
      types.removeIf(type -> t.dim(0) % type.blockSize() != 0);
    }
    types.removeIf(type -> type.bitsPerElement() >= t.type().bitsPerElement());
    return types;
  }

  private static List<Allocation.Choice> choices(
      GgufTensor t, Map<String, Map<TensorType, Double>> errors) {
    List<Allocation.Choice> choices = new ArrayList<>();
    errors
        .getOrDefault(t.name(), Map.of())
        .forEach((type, error) ->
            choices.add(new Allocation.Choice(type, type.bytes(Shapes.of(t)), error)));
    choices.add(new Allocation.Choice(t.type(), t.byteSize(), 0));
    return choices;
  }

  private static long budget(GgufFile file, QuantizePlan plan, SizeTarget target) {
    return switch (target) {
      case SizeTarget.BitsPerWeight(double bits) -> (long) (bits * plan.nElements() / 8);
      case SizeTarget.FileBytes(long bytes) -> {
        // data follow the metadata; both are padded
        long data = plan.tensors().stream().mapToLong(t -> t.tensor().byteSize()).sum();
        long padding = (long) file.alignment() * (plan.tensors().size() + 1);
        yield bytes - (file.byteSize() - data) - padding - 1024;
      }
    };
  }

  /** The recipe to name the file after: that of the type which most weights have. */
  private static Recipe nearest(
      List<TypeErrors.Question> questions, Map<String, TensorType> chosen) {
    Map<TensorType, Long> weights = new EnumMap<>(TensorType.class);
    for (TypeErrors.Question q : questions) {
      TensorType type = chosen.getOrDefault(q.tensor().name(), q.tensor().type());
      weights.merge(type, q.tensor().nElements(), Long::sum);
    }
    TensorType commonest =
        weights.entrySet().stream()
            .max(Map.Entry.comparingByValue())
            .map(Map.Entry::getKey)
            .orElse(TensorType.F16);
    return switch (commonest) {
      case Q3_K -> Recipe.Q3_K_M;
      case Q4_K -> Recipe.Q4_K_M;
      case Q5_K -> Recipe.Q5_K_M;
      default -> recipeOf(commonest);
    };
  }

  private static Recipe recipeOf(TensorType type) {
    for (Recipe r : Recipe.values()) {
      if (r.name().equalsIgnoreCase(type.name())) {
        return r;
      }
    }
    return Recipe.F16;
  }
}
