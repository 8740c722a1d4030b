package dev.ocellus.convert.model.qwen;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.convert.hf.HfConfig;
import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.NameTable;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.convert.model.base.VisionModel;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.gguf.TensorType;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Qwen-VL (arXiv:2308.12966): a ViT-bigG without CLS token and a resampler of learned queries. Its
 * configuration is the section {@code visual}; what images are normalized with stands in its code
 * alone. llama.cpp has no converter for it; docs/gguf.md tells what is written.
 *
 * <p>Source: <a href="https://huggingface.co/Qwen/Qwen-VL-Chat/blob/main/visual.py">visual.py</a>.
 */
public final class QwenVlVision extends VisionModel {
  private static final NameTable NAMES =
      NameTable.of(
          "conv1 v.patch_embd",
          "ln_pre v.pre_ln",
          "transformer.resblocks.#.ln_1 v.blk.#.ln1",
          "transformer.resblocks.#.ln_2 v.blk.#.ln2",
          "transformer.resblocks.#.attn.out_proj v.blk.#.attn_out",
          "transformer.resblocks.#.mlp.c_fc v.blk.#.ffn_up",
          "transformer.resblocks.#.mlp.c_proj v.blk.#.ffn_down",
          "attn_pool.kv_proj resampler.kv",
          "attn_pool.ln_q resampler.ln_q",
          "attn_pool.ln_kv resampler.ln_kv",
          "attn_pool.attn.out_proj resampler.attn.out",
          "ln_post resampler.ln_post");

  private static final String IN_BLOCK = ".attn.in_proj.";
  private static final String IN_POOL = "attn_pool.attn.in_proj_";

  private static final float[] MEAN = {0.48145466f, 0.4578275f, 0.40821073f};
  private static final float[] DEVIATION = {0.26862954f, 0.26130258f, 0.27577711f};

  public QwenVlVision(Context context) {
    super(context, context.folder().config().section("visual", ""), colours(context));
  }

  private static HfConfig colours(Context context) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    for (float v : MEAN) {
      node.withArray("image_mean").add(v);
    }
    for (float v : DEVIATION) {
      node.withArray("image_std").add(v);
    }
    return HfConfig.of(context.folder().config().file(), node);
  }

  @Override
  protected String projector() {
    return "qwen_vl";
  }

  @Override
  protected int nBlock() {
    return config.integer("layers");
  }

  @Override
  protected int nEmbd() {
    return config.integer("width");
  }

  @Override
  protected int nFf() {
    return (int) (nEmbd() * config.real("mlp_ratio"));
  }

  @Override
  protected int nHead() {
    int heads = config.integer("heads");
    if (nEmbd() % heads != 0) {
      throw config.invalid("heads", "a divisor of " + nEmbd(), "" + heads);
    }
    return heads;
  }

  private long nPatches() {
    long side = imageSize() / patchSize();
    return side * side;
  }

  @Override
  protected void more(GgufWriter out) {
    out.string("clip.projector_type", projector());
    out.f32("clip.vision.attention.layer_norm_epsilon", 1e-6f);
    out.bool("clip.use_gelu", true);
  }

  @Override
  protected Set<String> usualActivations() {
    return Set.of("gelu");
  }

  @Override
  protected Optional<String> own(String name) {
    return after(name, "transformer.visual.");
  }

  @Override
  protected List<TargetTensor> map(String name, LazyTensor tensor) {
    if (name.contains(IN_BLOCK)) {
      return interleavedThirds(name, tensor);
    }
    if (name.startsWith(IN_POOL)) {
      String ending = "." + name.substring(IN_POOL.length());
      return thirds(
          tensor,
          "resampler.attn.q" + ending,
          "resampler.attn.k" + ending,
          "resampler.attn.v" + ending);
    }
    return switch (name) {
      case "positional_embedding" -> List.of(table("v.position_embd.weight", tensor));
      case "attn_pool.query" -> List.of(new TargetTensor("resampler.query", tensor));
      case "attn_pool.pos_embed" ->
          List.of(new TargetTensor("resampler.pos_q", tensor), table("resampler.pos_k", tensor));
      case "proj" ->
          List.of(new TargetTensor("resampler.proj.weight", matrix(tensor).transposed()));
      default -> named(NAMES, name, tensor);
    };
  }

  /** The table as its code makes it for the patches of the one size that images have. */
  private TargetTensor table(String target, LazyTensor tensor) {
    return new TargetTensor(target, BicubicTable.resized(matrix(tensor), nPatches()));
  }

  /** Head by head, and in each the rows of queries, keys and values. */
  private List<TargetTensor> interleavedThirds(String name, LazyTensor tensor) {
    String block = name.substring(0, name.indexOf(IN_BLOCK));
    String ending = name.substring(name.indexOf(IN_BLOCK) + IN_BLOCK.length() - 1);
    String number = block.substring(block.lastIndexOf('.') + 1);
    long head = nEmbd() / nHead();
    if (tensor.size(0) != 3L * nEmbd()) {
      throw mismatch(tensor, "%d rows for queries, keys and values".formatted(3 * nEmbd()));
    }
    long length = head * (tensor.count() / tensor.size(0));
    long[] shape = tensor.shape();
    shape[0] = nEmbd();
    String target = "v.blk." + number + ".attn_";
    return List.of(
        new TargetTensor(target + "q" + ending, tensor.rearrange(length, h -> 3 * h, shape)),
        new TargetTensor(target + "k" + ending, tensor.rearrange(length, h -> 3 * h + 1, shape)),
        new TargetTensor(target + "v" + ending, tensor.rearrange(length, h -> 3 * h + 2, shape)));
  }

  @Override
  public TensorType typeOf(TargetTensor tensor, OutputType type) {
    boolean table = tensor.name().startsWith("resampler.pos_");
    return table || tensor.name().equals("resampler.query")
        ? TensorType.F32
        : super.typeOf(tensor, type);
  }

  private static LazyTensor matrix(LazyTensor tensor) {
    if (tensor.rank() != 2) {
      throw mismatch(tensor, "a matrix");
    }
    return tensor;
  }

  private static ConversionException mismatch(LazyTensor tensor, String expected) {
    return new ConversionException(
        "Tensor %s: expected %s. Configuration and tensors are not of one checkpoint."
            .formatted(tensor, expected));
  }
}
