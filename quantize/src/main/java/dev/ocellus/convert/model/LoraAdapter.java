package dev.ocellus.convert.model;

import dev.ocellus.UnsupportedArchitectureException;
import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.convert.hf.AdapterFolder;
import dev.ocellus.convert.hf.HfConfig;
import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.ModelConverter;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.convert.model.base.TensorTypes;
import dev.ocellus.convert.model.base.TextModel;
import dev.ocellus.convert.model.base.TextNames;
import dev.ocellus.convert.model.base.TextShapes;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.gguf.TensorType;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A LoRA adapter (arXiv:2106.09685) for a text model: to a matrix W of the base belong A and B, and
 * the model computes with W + alpha / rank * B A. Whatever happens to the rows of W happens to
 * those of B.
 */
public final class LoraAdapter implements ModelConverter {
  private static final List<String> ENDINGS_A = List.of(".lora_A.weight", ".lora_embedding_A");
  private static final List<String> ENDINGS_B = List.of(".lora_B.weight", ".lora_embedding_B");
  private static final String PREFIX = "base_model.model.";

  /** The two matrices, while the other is still to come. */
  private static final class Pair {
    @Nullable LazyTensor a;
    @Nullable LazyTensor b;
  }

  private final Context context;
  private final AdapterFolder adapter;
  private final TextModel base;
  private long parameters;

  private LoraAdapter(Context context, AdapterFolder adapter, TextModel base) {
    this.context = context;
    this.adapter = adapter;
    this.base = base;
    HfConfig config = adapter.config();
    String type = config.findString("peft_type").orElse("LORA");
    if (!type.equals("LORA")) {
      throw config.invalid("peft_type", "LORA", "'" + type + "'");
    }
    refuse("use_dora", config.flag("use_dora", false));
    refuse("fan_in_fan_out", config.flag("fan_in_fan_out", false));
    for (String key : new String[] {"alpha_pattern", "rank_pattern"}) {
      var pattern = config.find(key);
      refuse(key, pattern != null && !pattern.isEmpty());
    }
  }

  /**
   * An adapter and the configuration of its base.
   *
   * @throws UnsupportedArchitectureException if the base is of no known architecture
   * @throws ConversionException if the adapter is of a kind that llama.cpp does not know
   */
  public static LoraAdapter of(Context context, AdapterFolder adapter) throws IOException {
    return new LoraAdapter(context, adapter, (TextModel) Converters.text(context));
  }

  private void refuse(String key, boolean there) {
    if (there) {
      throw adapter
          .config()
          .invalid(key, "nothing, as adapters of llama.cpp have one scale for all", "it");
    }
  }

  @Override
  public String architecture() {
    return base.architecture();
  }

  @Override
  public String generalType() {
    return "adapter";
  }

  @Override
  public void parameters(GgufWriter out, OutputType type) {
    out.string("adapter.type", "lora");
    out.f32("adapter.lora.alpha", (float) alpha());
  }

  /** llama.cpp divides by the rank; rank-stabilized adapters (arXiv:2312.03732) by its root. */
  private double alpha() {
    double alpha = adapter.config().real("lora_alpha");
    return adapter.config().flag("use_rslora", false)
        ? alpha * Math.sqrt(adapter.config().integer("r"))
        : alpha;
  }

  @Override
  public long parameterCount(List<TargetTensor> tensors) {
    return parameters;
  }

  @Override
  public List<TargetTensor> tensors() {
    List<TargetTensor> out = new ArrayList<>();
    Map<String, Pair> pairs = new LinkedHashMap<>();
    int others = 0;
    for (Map.Entry<String, LazyTensor> e : adapter.tensors().entrySet()) {
      String name = e.getKey();
      Optional<String> a = before(name, ENDINGS_A);
      Optional<String> b = before(name, ENDINGS_B);
      Optional<String> stem = a.or(() -> b).or(() -> Optional.of(name)).map(LoraAdapter::own);
      Optional<String> own = TextNames.own(stem.orElseThrow());
      if (own.isEmpty()) {
        others++;
      } else if (a.isPresent()) {
        pairs.computeIfAbsent(own.get() + ".weight", n -> new Pair()).a = e.getValue();
      } else if (b.isPresent()) {
        pairs.computeIfAbsent(own.get() + ".weight", n -> new Pair()).b = e.getValue();
      } else if (name.contains("_layernorm") || name.contains(".norm")) {
        out.addAll(base.mapped(own.get(), e.getValue()));
      } else if (!name.contains(".base_layer.weight")) {
        throw new ConversionException(
            "%s: tensor '%s' is neither A nor B of a LoRA. Whole matrices (modules_to_save) cannot be in an adapter of llama.cpp; merge the adapter into its base model and convert that."
                .formatted(adapter.directory(), name));
      }
    }
    if (others > 0) {
      context.warn(
          "%d tensors that do not belong to the text model are left out, as llama.cpp has no adapters for image encoders; merge the adapter into its checkpoint to keep them"
              .formatted(others));
    }
    pairs.forEach((name, pair) -> out.addAll(both(name, pair)));
    if (out.isEmpty()) {
      throw new ConversionException(
          "%s: no tensor of a text model in it.".formatted(adapter.directory()));
    }
    return out;
  }

  private static Optional<String> before(String name, List<String> endings) {
    return endings.stream()
        .filter(name::endsWith)
        .findFirst()
        .map(e -> name.substring(0, name.length() - e.length()));
  }

  private static String own(String name) {
    return name.startsWith(PREFIX) ? name.substring(PREFIX.length()) : name;
  }

  private List<TargetTensor> both(String name, Pair pair) {
    LazyTensor a = pair.a;
    LazyTensor b = pair.b;
    if (a == null || b == null) {
      throw new ConversionException(
          "%s: '%s' has only one of A and B. Is the file incomplete?"
              .formatted(adapter.directory(), name));
    }
    if (a.rank() != 2 || b.rank() != 2 || a.size(0) != b.size(1)) {
      throw new ConversionException(
          "%s: %s and %s: expected [rank, in] and [out, rank]."
              .formatted(adapter.directory(), a, b));
    }
    List<TargetTensor> mapped = base.mapped(name, b);
    if (mapped.isEmpty()) {
      throw new ConversionException(
          "%s: '%s' is adapted, but is not a tensor of its own in architecture %s."
              .formatted(adapter.directory(), name, architecture()));
    }
    List<TargetTensor> out = new ArrayList<>();
    for (TargetTensor t : mapped) {
      boolean embedding = t.name().equals("token_embd.weight");
      if (!embedding) {
        new TextShapes(base).checkShape(t.name(), t.data().name(), t.data().size(0), a.size(1));
      }
      parameters += t.data().size(0) * a.size(1);
      out.add(new TargetTensor(t.name() + ".lora_a", embedding ? a.transposed() : a));
      out.add(new TargetTensor(t.name() + ".lora_b", t.data()));
    }
    return out;
  }

  @Override
  public TensorType typeOf(TargetTensor tensor, OutputType type) {
    boolean half = tensor.name().endsWith(".lora_a") || tensor.name().endsWith(".lora_b");
    return half ? TensorTypes.fitting(tensor, type.tensorType()) : TensorType.F32;
  }

  @Override
  public void tokenizer(GgufWriter out) {}
}
