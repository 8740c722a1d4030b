package dev.ocellus.convert.model;

import dev.ocellus.convert.common.OutputType;
import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.Experts;
import dev.ocellus.convert.model.base.LateExperts;
import dev.ocellus.convert.model.base.NameTable;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.convert.model.base.TextModel;
import dev.ocellus.convert.tokenizer.TokenizerConverter;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.gguf.TensorType;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * GLM-4.5 and 4.6 (arXiv:2508.06471) and the language models of GLM-4.5V and 4.6V: experts behind
 * the first blocks, half of each head turned, in halves, so that no rows are reordered.
 *
 * <p>Source: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/glm4v_moe/modeling_glm4v_moe.py">modeling_glm4v_moe.py</a>;
 * what libllama expects is in {@code src/models/glm4-moe.cpp} of llama.cpp v0.4.0.
 */
final class Glm4MoeText extends TextModel {
  private static final NameTable GLM_NAMES =
      NAMES
          .with("model.layers.#.post_attention_layernorm blk.#.post_attention_norm")
          .with(LateExperts.NAMES);

  private static final Pattern BLOCK = Pattern.compile("model\\.layers\\.(\\d{1,9})\\..*");

  /** Of the class with images, where the configuration does not say. */
  private static final int[] USUAL_SECTIONS = {8, 12, 12, 0};

  private final LateExperts experts;

  Glm4MoeText(Context context) {
    super(context);
    experts = new LateExperts(context, config, nEmbd);
    for (String key : new String[] {"n_group", "topk_group"}) {
      if (config.integerOr(key, 1) != 1) {
        throw config.invalid(
            key, "1, as llama.cpp has no groups of experts here", "" + config.integer(key));
      }
    }
  }

  @Override
  public String architecture() {
    return "glm4moe";
  }

  @Override
  protected NameTable names() {
    return GLM_NAMES;
  }

  @Override
  protected Optional<Experts> experts() {
    return Optional.of(experts.experts());
  }

  private int rotated() {
    double part =
        rope.find("partial_rotary_factor")
            .orElseGet(() -> config.findReal("partial_rotary_factor").orElse(0.5));
    int n = (int) (headDim() * part);
    if (n < 2 || n > headDim() || n % 2 != 0) {
      throw config.invalid(
          "partial_rotary_factor", "one that leaves an even number of " + headDim(), "" + part);
    }
    return n;
  }

  @Override
  public void parameters(GgufWriter out, OutputType type) {
    super.parameters(out, type);
    out.u32("glm4moe.rope.dimension_count", rotated());
    if (config.modelType().equals("glm4v_moe_text") && !rope.hasSections()) {
      out.ints("glm4moe.rope.dimension_sections", USUAL_SECTIONS);
    }
    experts.write(out, architecture());
    out.bool("glm4moe.expert_weights_norm", config.flag("norm_topk_prob", true));
  }

  @Override
  protected Map<String, long[]> ownShapes() {
    Map<String, long[]> shapes =
        new HashMap<>(experts.sharedShapes(config.integer("moe_intermediate_size")));
    shapes.put("post_attention_norm.weight", new long[] {nEmbd});
    return shapes;
  }

  @Override
  protected boolean lacks(int block, String tensor) {
    return tensor.equals("ffn_norm.weight") || experts.lacks(block, tensor);
  }

  /** Without the blocks that predict further tokens, which the reference leaves out, too. */
  @Override
  protected List<TargetTensor> map(String name, LazyTensor tensor) {
    Matcher block = BLOCK.matcher(name);
    if (block.matches() && Long.parseLong(block.group(1)) >= nBlock) {
      return List.of();
    }
    return Experts.holds(name) ? experts.experts().map(name, tensor) : super.map(name, tensor);
  }

  /** The router is small, and decides much. */
  @Override
  public TensorType typeOf(TargetTensor tensor, OutputType type) {
    return tensor.name().endsWith(".ffn_gate_inp.weight")
        ? TensorType.F32
        : super.typeOf(tensor, type);
  }

  @Override
  public void tokenizer(GgufWriter out) throws IOException {
    new TokenizerConverter(context.folder(), nVocab(), context.preTokenizer())
        .write(out, Glm4Text.SPECIAL_TOKENS);
  }
}
