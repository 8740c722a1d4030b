package dev.ocellus.convert.model.base;

import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.convert.hf.HfConfig;
import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.gguf.TensorType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/**
 * A language model that is not built as Llama is, so that little of {@link TextModel} holds: its
 * names, its shapes and its metadata are those of its class.
 */
public abstract class GraphText implements ModelConverter {
  protected final Context context;
  protected final HfConfig config;

  protected GraphText(Context context) {
    this.context = context;
    this.config = TextConfigs.of(context.folder().config());
  }

  /** Names of this architecture's checkpoints. */
  protected abstract NameTable names();

  /** Shapes by the names in the file; those of all tensors that must be there. */
  protected abstract Map<String, long[]> required();

  /** Shapes of tensors that may be there. */
  protected abstract Map<String, long[]> optional();

  /** What becomes of a tensor, under its name in the file. */
  protected TargetTensor target(String name, LazyTensor tensor) {
    return new TargetTensor(name, tensor);
  }

  /** The name without what all of the class have in front. */
  protected String bare(String name) {
    return name;
  }

  /** Whether a tensor of the checkpoint says nothing that another one does not. */
  protected boolean isRedundant(String name) {
    return false;
  }

  @Override
  public String generalType() {
    return "model";
  }

  /** Adds the shapes of a norm with a bias. */
  protected static void norm(Map<String, long[]> shapes, String name, long width) {
    shapes.put(name + ".weight", new long[] {width});
    shapes.put(name + ".bias", new long[] {width});
  }

  /** Adds the shapes of a linear layer with a bias. */
  protected static void linear(Map<String, long[]> shapes, String name, long out, long in) {
    shapes.put(name + ".weight", new long[] {out, in});
    shapes.put(name + ".bias", new long[] {out});
  }

  protected final int nVocab() {
    return config.integer("vocab_size");
  }

  @Override
  public List<TargetTensor> tensors() {
    List<TargetTensor> out = new ArrayList<>();
    for (Map.Entry<String, LazyTensor> e : context.folder().tensors().entrySet()) {
      Optional<String> own = TextNames.own(e.getKey());
      if (own.isPresent() && !isRedundant(own.get())) {
        out.add(target(gguf(bare(own.get())), e.getValue()));
      }
    }
    check(out);
    return out;
  }

  private String gguf(String name) {
    return names()
        .find(name)
        .orElseThrow(() -> context.unknownTensor(name, "architecture '" + architecture() + "'"));
  }

  private void check(List<TargetTensor> tensors) {
    Map<String, long[]> known = new HashMap<>(optional());
    Map<String, long[]> required = required();
    known.putAll(required);
    TreeSet<String> missing = new TreeSet<>(required.keySet());
    for (TargetTensor t : tensors) {
      long[] wanted = known.remove(t.name());
      if (wanted == null) {
        throw new ConversionException(
            "%s: tensor '%s' becomes '%s', which is there twice or not by the configuration. Configuration and tensors are not of one checkpoint."
                .formatted(context.folder().directory(), t.data().name(), t.name()));
      }
      TextShapes.require(context.folder().directory(), t, wanted);
      missing.remove(t.name());
    }
    if (!missing.isEmpty()) {
      throw context.missingTensors("", missing);
    }
  }

  @Override
  public TensorType typeOf(TargetTensor tensor, OutputType type) {
    return TensorTypes.of(tensor, type);
  }
}
