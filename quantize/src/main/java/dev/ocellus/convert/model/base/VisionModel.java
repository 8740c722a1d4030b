package dev.ocellus.convert.model.base;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.convert.hf.HfConfig;
import dev.ocellus.convert.hf.HfFolder;
import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.gguf.TensorType;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * An image encoder with its projector. Here is what the families share: sizes, colours, the names
 * of towers in the style of CLIP and SigLIP. Each family overrides what is its own.
 */
public abstract class VisionModel implements ModelConverter {
  /** Names of towers of transformers' CLIP and SigLIP classes, after "vision_model.". */
  protected static final NameTable TOWER =
      NameTable.of(
          "embeddings.class_embedding v.class_embd",
          "embeddings.patch_embedding v.patch_embd",
          "embeddings.position_embedding v.position_embd",
          "pre_layrnorm v.pre_ln",
          "post_layernorm v.post_ln",
          "encoder.layers.#.layer_norm1 v.blk.#.ln1",
          "encoder.layers.#.layer_norm2 v.blk.#.ln2",
          "encoder.layers.#.self_attn.q_proj v.blk.#.attn_q",
          "encoder.layers.#.self_attn.k_proj v.blk.#.attn_k",
          "encoder.layers.#.self_attn.v_proj v.blk.#.attn_v",
          "encoder.layers.#.self_attn.out_proj v.blk.#.attn_out",
          "encoder.layers.#.mlp.fc1 v.blk.#.ffn_up",
          "encoder.layers.#.mlp.fc2 v.blk.#.ffn_down");

  protected static final Set<String> GELU_TANH = Set.of("gelu_pytorch_tanh", "gelu_new");

  /** Those that the program computes. */
  private static final Set<String> ACTIVATIONS =
      new TreeSet<>(Set.of("gelu", "gelu_new", "gelu_pytorch_tanh", "quick_gelu", "silu"));

  protected static final int BICUBIC = 3;

  /** Bytes become numbers from 0 to 1. */
  private static final double RESCALE = 1.0 / 255;

  protected final Context context;
  protected final HfConfig global;
  protected final HfConfig config;
  protected final HfConfig processor;

  protected VisionModel(Context context, String classType) throws IOException {
    this.context = context;
    this.global = context.folder().config();
    this.config = global.section("vision_config", classType);
    this.processor = processor(context.folder());
  }

  /** For layouts whose configuration is said otherwise. */
  protected VisionModel(Context context, HfConfig config, HfConfig processor) {
    this.context = context;
    this.global = context.folder().config();
    this.config = config;
    this.processor = processor;
  }

  /**
   * Settings of the image processor, which stand in one file or in another, or in a part of one.
   */
  public static HfConfig processor(HfFolder folder) throws IOException {
    ObjectNode merged = folder.json("preprocessor_config.json").deepCopy();
    ObjectNode other = folder.json("processor_config.json");
    merged.setAll(other);
    if (other.get("image_processor") instanceof ObjectNode image) {
      merged.setAll(image);
    }
    merged.remove("model_type");
    return HfConfig.of(folder.file("preprocessor_config.json"), merged);
  }

  /** The name by which this program and llama.cpp find the graph. */
  protected abstract String projector();

  /** The tensor's name, without the parts that all of the family have, or nothing for others. */
  protected abstract Optional<String> own(String name);

  /** What becomes of a tensor of the encoder; {@code name} comes from {@link #own}. */
  protected abstract List<TargetTensor> map(String name, LazyTensor tensor);

  /** Adds what this family alone has. */
  protected abstract void more(GgufWriter out);

  @Override
  public String architecture() {
    return "clip";
  }

  @Override
  public String generalType() {
    return "mmproj";
  }

  protected int nBlock() {
    return config.integer("num_hidden_layers", "depth");
  }

  protected int nEmbd() {
    return config.integer("hidden_size");
  }

  protected int nFf() {
    return config.integer("intermediate_size");
  }

  protected int nHead() {
    return config.integer("num_attention_heads", "num_heads");
  }

  protected int imageSize() {
    return side("image_size");
  }

  protected int patchSize() {
    return side("patch_size");
  }

  /** A size that may be given as a pair. */
  private int side(String key) {
    int[] sizes = config.integers(key);
    if (sizes.length == 0 || sizes[0] < 1) {
      throw config.missing(key, "a size in pixels");
    }
    return sizes[0];
  }

  /** Width of the text model. */
  protected final int nEmbdText() {
    return TextConfigs.of(global).integer("hidden_size", "d_model");
  }

  protected float eps(double defaultValue) {
    return (float) config.findReal("layer_norm_eps").orElse(defaultValue);
  }

  @Override
  public void parameters(GgufWriter out, OutputType type) {
    out.u32("general.file_type", type.fileType());
    out.bool("clip.has_vision_encoder", true);
    out.u32("clip.vision.projection_dim", nEmbdText());
    out.u32("clip.vision.image_size", imageSize());
    out.u32("clip.vision.patch_size", patchSize());
    out.u32("clip.vision.embedding_length", nEmbd());
    out.u32("clip.vision.feed_forward_length", nFf());
    out.u32("clip.vision.block_count", nBlock());
    out.u32("clip.vision.attention.head_count", nHead());
    colours(out);
    more(out);
    unusual(out);
  }

  /** The filter, by its number in Pillow, that all published processors of the family have. */
  protected int usualFilter() {
    return BICUBIC;
  }

  /** The filter that the processor resizes with. */
  protected int filter() {
    return processor.integerOr("resample", usualFilter());
  }

  /** Activations that need no telling. */
  protected abstract Set<String> usualActivations();

  /**
   * What files of llama.cpp's converter cannot say, since published checkpoints of a family have
   * the same. Keys of our own say it (docs/gguf.md).
   */
  protected final void unusual(GgufWriter out) {
    for (String step : new String[] {"do_resize", "do_rescale"}) {
      if (!processor.flag(step, true)) {
        throw processor.invalid(step, "true, as no file can say otherwise", "false");
      }
    }
    double rescale = processor.findReal("rescale_factor").orElse(RESCALE);
    if (Math.abs(rescale - RESCALE) > 1e-9) {
      throw processor.invalid(
          "rescale_factor", "1/255, as no file can say otherwise", "" + rescale);
    }
    int filter = filter();
    if (filter < 1 || filter > 5) {
      throw processor.invalid("resample", "a filter of Pillow from 1 to 5", "" + filter);
    }
    if (filter != usualFilter()) {
      out.u32("clip.vision.image_resample", filter);
    }
    String act = config.findString("hidden_act").orElse("");
    if (!act.isEmpty() && !usualActivations().contains(act)) {
      requireKnown(config, act);
      out.string("clip.vision.hidden_act", act);
    }
  }

  public static void requireKnown(HfConfig config, String activation) {
    if (!ACTIVATIONS.contains(activation)) {
      throw config.invalid("hidden_act", "one of " + ACTIVATIONS, "'" + activation + "'");
    }
  }

  /** Mean and deviation of the colours, by which images are normalized, if they are. */
  protected final void colours(GgufWriter out) {
    if (!processor.flag("do_normalize", true)) {
      out.floats("clip.vision.image_mean", 0, 0, 0);
      out.floats("clip.vision.image_std", 1, 1, 1);
      return;
    }
    for (String key : new String[] {"image_mean", "image_std"}) {
      float[] values =
          processor
              .findFloats(key)
              .orElseThrow(
                  () -> processor.missing(key, "three numbers in preprocessor_config.json"));
      if (values.length != 3) {
        throw processor.invalid(key, "three numbers", "" + values.length);
      }
      out.floats("clip.vision." + key, values);
    }
  }

  /** The activation, as far as llama.cpp's two keys can say it. */
  protected final void activation(GgufWriter out) {
    String name = config.findString("hidden_act").orElse("");
    if (name.equals("silu")) {
      out.bool("clip.use_silu", true);
    } else if (name.startsWith("gelu")) {
      out.bool("clip.use_gelu", true);
    }
  }

  /**
   * How many blocks there are up to the hidden state that is projected; those behind it are left
   * out, so that it is the last one.
   *
   * @param layer its number, where 0 is what goes into the first block; from the end if negative
   */
  protected final int blocksUpTo(String key, int layer) {
    int n = config.integer("num_hidden_layers");
    int blocks = layer >= 0 ? layer : n + layer + 1;
    if (blocks < 1 || blocks > n) {
      throw global.invalid(key, "a layer of the %d of the tower".formatted(n), "" + layer);
    }
    return blocks;
  }

  /** Whether a tensor belongs to one of the blocks that are kept, or to none. */
  protected final boolean isInKeptBlock(String name, String blocks) {
    if (!name.startsWith(blocks)) {
      return true;
    }
    int start = blocks.length();
    String number = name.substring(start, Math.max(start, name.indexOf('.', start)));
    try {
      return Integer.parseInt(number) < nBlock();
    } catch (NumberFormatException e) {
      return true; // the table of names refuses it
    }
  }

  @Override
  public List<TargetTensor> tensors() {
    List<TargetTensor> out = new ArrayList<>();
    for (Map.Entry<String, LazyTensor> e : context.folder().tensors().entrySet()) {
      own(e.getKey()).ifPresent(name -> out.addAll(map(name, e.getValue())));
    }
    check(out);
    return out;
  }

  /** The name of the kernel that makes embeddings of patches, which every encoder has. */
  protected String patches() {
    return "v.patch_embd.weight";
  }

  /** Refuses tensors that cannot be all of one encoder. */
  protected void check(List<TargetTensor> tensors) {
    Set<String> names = new HashSet<>();
    Set<String> inBlocks = new TreeSet<>();
    for (TargetTensor t : tensors) {
      if (!names.add(t.name())) {
        throw context.sameTensor(t.name(), t.data().name());
      }
      if (t.name().startsWith("v.blk.")) {
        inBlocks.add(t.name().substring(t.name().indexOf('.', 6) + 1));
      }
    }
    List<String> missing = new ArrayList<>();
    if (!names.contains(patches())) {
      missing.add(patches());
    }
    if (inBlocks.isEmpty() && nBlock() > 0) {
      missing.add("v.blk.0");
    }
    for (int i = 0; i < nBlock() && missing.size() < 10; i++) {
      for (String name : inBlocks) {
        if (!names.contains("v.blk." + i + "." + name)) {
          missing.add("v.blk." + i + "." + name);
        }
      }
    }
    if (!missing.isEmpty()) {
      throw context.missingTensors(" of the image encoder", missing);
    }
  }

  protected final List<TargetTensor> named(NameTable names, String name, LazyTensor tensor) {
    return List.of(new TargetTensor(gguf(names, name, tensor), tensor));
  }

  protected final String gguf(NameTable names, String name, LazyTensor tensor) {
    return names
        .find(name)
        .orElseThrow(() ->
            context.unknownTensor(tensor.name(), "an image encoder of type '" + projector() + "'"));
  }

  /** Three matrices, or biases, that stand in one. */
  public final List<TargetTensor> thirds(LazyTensor tensor, String q, String k, String v) {
    if (tensor.size(0) % 3 != 0) {
      throw new ConversionException(
          "Tensor %s: expected rows for queries, keys and values. The checkpoint is damaged."
              .formatted(tensor));
    }
    return List.of(
        new TargetTensor(q, tensor.part(0, 3)),
        new TargetTensor(k, tensor.part(1, 3)),
        new TargetTensor(v, tensor.part(2, 3)));
  }

  /** The kernel of a convolution over two frames becomes two over one. */
  protected final List<TargetTensor> frames(LazyTensor tensor) {
    if (tensor.rank() != 5 || tensor.size(2) != 2) {
      throw new ConversionException(
          "Tensor %s: expected a kernel over two frames [out, in, 2, h, w].".formatted(tensor));
    }
    return List.of(
        new TargetTensor("v.patch_embd.weight", tensor.frame(0)),
        new TargetTensor("v.patch_embd.weight.1", tensor.frame(1)));
  }

  /** The name without a beginning, or nothing where it begins otherwise. */
  protected static Optional<String> after(String name, String... beginnings) {
    for (String b : beginnings) {
      if (name.startsWith(b)) {
        return Optional.of(name.substring(b.length()));
      }
    }
    return Optional.empty();
  }

  /** The name in a tower as transformers' wrappers hold it, whatever their version. */
  protected static Optional<String> inTower(String name) {
    return after(
        name,
        "model.vision_tower.vision_model.",
        "vision_tower.vision_model.",
        "model.vision_tower.",
        "vision_tower.");
  }

  /** The name in the projector that they put behind it. */
  protected static Optional<String> inProjector(String name) {
    return after(name, "model.multi_modal_projector.", "multi_modal_projector.");
  }

  @Override
  public TensorType typeOf(TargetTensor tensor, OutputType type) {
    if (tensor.name().contains(".patch_embd.weight")
        || tensor.name().contains(".patch_merger.weight")) {
      return type == OutputType.F16 ? TensorType.F16 : TensorType.F32; // what convolutions take
    }
    return TensorTypes.of(tensor, type);
  }

  @Override
  public void tokenizer(GgufWriter out) throws IOException {}
}
