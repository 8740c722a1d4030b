package dev.ocellus.quantize;

import dev.ocellus.gguf.GgufValue;
import dev.ocellus.gguf.TensorType;
import dev.ocellus.quantize.imatrix.Importance;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What to quantize to, and how. The names of the choices are those of llama-quantize.
 *
 * @param recipe type of most tensors, and rules for the others
 * @param importance weights of the columns of every tensor; null for none
 * @param overrides types for tensors by name; the first that matches counts
 * @param pure whether the recipe's rules are left out, so that all tensors get its one type
 * @param outputTensorType type of {@code output.weight}; null for the recipe's
 * @param tokenEmbeddingType type of the token embeddings; null for the recipe's
 * @param leaveOutputTensor whether {@code output.weight} keeps its type
 * @param allowRequantize whether tensors that are quantized already may be quantized again
 * @param keepSplit whether a model in several files becomes one in as many
 * @param metadata values to set in the output
 * @param exactTypes types by full name that stand above everything else, the recipe's included
 * @param nThreads threads to compute with
 */
public record QuantizeOptions(
    Recipe recipe,
    @Nullable Importance importance,
    List<TypeOverride> overrides,
    boolean pure,
    @Nullable TensorType outputTensorType,
    @Nullable TensorType tokenEmbeddingType,
    boolean leaveOutputTensor,
    boolean allowRequantize,
    boolean keepSplit,
    Map<String, GgufValue> metadata,
    Map<String, TensorType> exactTypes,
    int nThreads) {

  public QuantizeOptions {
    overrides = List.copyOf(overrides);
    metadata = Collections.unmodifiableMap(new LinkedHashMap<>(metadata));
    exactTypes = Map.copyOf(exactTypes);
    if (nThreads < 1 || nThreads > 512) {
      throw new IllegalArgumentException("threads: expected 1 to 512, found " + nThreads);
    }
  }

  /** A recipe as it is, without importance, on all processors. */
  public static QuantizeOptions of(Recipe recipe) {
    return new Builder(recipe).build();
  }

  /** Choices that begin with a recipe as it is. */
  public static Builder builder(Recipe recipe) {
    return new Builder(recipe);
  }

  /** The same choices, to be changed. */
  public Builder toBuilder() {
    return new Builder(recipe).like(this);
  }

  /** Gathers choices. */
  public static final class Builder {
    private final Recipe recipe;
    private @Nullable Importance importance;
    private List<TypeOverride> overrides = List.of();
    private boolean pure;
    private @Nullable TensorType outputTensorType;
    private @Nullable TensorType tokenEmbeddingType;
    private boolean leaveOutputTensor;
    private boolean allowRequantize;
    private boolean keepSplit;
    private Map<String, GgufValue> metadata = Map.of();
    private Map<String, TensorType> exactTypes = Map.of();
    private int nThreads = Runtime.getRuntime().availableProcessors();

    private Builder(Recipe recipe) {
      this.recipe = recipe;
    }

    /** All choices of others but their recipe. */
    Builder like(QuantizeOptions o) {
      importance = o.importance;
      overrides = o.overrides;
      pure = o.pure;
      outputTensorType = o.outputTensorType;
      tokenEmbeddingType = o.tokenEmbeddingType;
      leaveOutputTensor = o.leaveOutputTensor;
      allowRequantize = o.allowRequantize;
      keepSplit = o.keepSplit;
      metadata = o.metadata;
      exactTypes = o.exactTypes;
      nThreads = o.nThreads;
      return this;
    }

    public Builder importance(@Nullable Importance importance) {
      this.importance = importance;
      return this;
    }

    public Builder overrides(List<TypeOverride> overrides) {
      this.overrides = overrides;
      return this;
    }

    public Builder pure(boolean pure) {
      this.pure = pure;
      return this;
    }

    public Builder outputTensorType(@Nullable TensorType type) {
      this.outputTensorType = type;
      return this;
    }

    public Builder tokenEmbeddingType(@Nullable TensorType type) {
      this.tokenEmbeddingType = type;
      return this;
    }

    public Builder leaveOutputTensor(boolean leave) {
      this.leaveOutputTensor = leave;
      return this;
    }

    public Builder allowRequantize(boolean allow) {
      this.allowRequantize = allow;
      return this;
    }

    public Builder keepSplit(boolean keep) {
      this.keepSplit = keep;
      return this;
    }

    public Builder metadata(Map<String, GgufValue> metadata) {
      this.metadata = metadata;
      return this;
    }

    public Builder exactTypes(Map<String, TensorType> types) {
      this.exactTypes = types;
      return this;
    }

    public Builder threads(int nThreads) {
      this.nThreads = nThreads;
      return this;
    }

    public QuantizeOptions build() {
      return new QuantizeOptions(
          recipe,
          importance,
          overrides,
          pure,
          outputTensorType,
          tokenEmbeddingType,
          leaveOutputTensor,
          allowRequantize,
          keepSplit,
          metadata,
          exactTypes,
          nThreads);
    }
  }
}
