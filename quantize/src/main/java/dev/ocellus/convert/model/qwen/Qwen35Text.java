package dev.ocellus.convert.model.qwen;

import dev.ocellus.convert.common.OutputType;
import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.NameTable;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.convert.model.base.TextModel;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.gguf.TensorType;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The language model of Qwen3.5, 3.6 and 3.8: linear layers (gated delta nets, arXiv:2412.06464)
 * and one that attends after every few of them. Checkpoints hold the weights of norms less one, but
 * for the gated norm of the linear layers; queries come with a gate of equal width; a part of each
 * head is turned, by positions in time, height and width. The layers that predict further tokens
 * ({@code mtp}) are left out.
 *
 * <p>Source: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/qwen3_5/modeling_qwen3_5.py">modeling_qwen3_5.py</a>;
 * what libllama expects is in {@code src/models/qwen35.cpp} of llama.cpp v0.4.0.
 */
public class Qwen35Text extends TextModel {
  private static final NameTable QWEN35_NAMES =
      NAMES.with(
          "model.layers.#.post_attention_layernorm blk.#.post_attention_norm",
          "model.layers.#.linear_attn.in_proj_qkv blk.#.attn_qkv",
          "model.layers.#.linear_attn.in_proj_z blk.#.attn_gate",
          "model.layers.#.linear_attn.in_proj_a blk.#.ssm_alpha",
          "model.layers.#.linear_attn.in_proj_b blk.#.ssm_beta",
          "model.layers.#.linear_attn.conv1d blk.#.ssm_conv1d",
          "model.layers.#.linear_attn.dt_bias blk.#.ssm_dt.bias",
          "model.layers.#.linear_attn.A_log blk.#.ssm_a",
          "model.layers.#.linear_attn.norm blk.#.ssm_norm",
          "model.layers.#.linear_attn.out_proj blk.#.ssm_out");

  private static final Set<String> LINEAR_ONLY =
      Set.of(
          "attn_qkv.weight",
          "attn_gate.weight",
          "ssm_alpha.weight",
          "ssm_beta.weight",
          "ssm_conv1d.weight",
          "ssm_dt.bias",
          "ssm_a",
          "ssm_norm.weight",
          "ssm_out.weight");

  private static final Set<String> ATTENDING_ONLY =
      Set.of(
          "attn_q.weight",
          "attn_k.weight",
          "attn_v.weight",
          "attn_output.weight",
          "attn_q_norm.weight",
          "attn_k_norm.weight");

  /** Where a configuration names none: those of the published models. */
  private static final float[] USUAL_SECTIONS = {11, 11, 10};

  private static final double USUAL_ROTATED_PART = 0.25;

  private final LinearHeads heads;
  private final LayerKinds layers;

  public Qwen35Text(Context context) {
    super(context);
    heads = LinearHeads.of(config);
    layers = LayerKinds.of(config, nBlock);
    requireUsual();
  }

  /** What libllama's graph takes for granted. */
  private void requireUsual() {
    if (config.flag("attention_bias", false)) {
      throw config.invalid("attention_bias", "false, as llama.cpp adds none", "true");
    }
    if (!config.flag("attn_output_gate", true)) {
      throw config.invalid("attn_output_gate", "true, as llama.cpp takes a gate", "false");
    }
    requireSections();
  }

  /** Each turned pair of a head must be of one of three axes; libllama has a fourth, unused. */
  private void requireSections() {
    float[] sections = rope.findFloats("mrope_section").orElse(USUAL_SECTIONS);
    int pairs = nRotated() / 2;
    boolean covered = sections.length == 3;
    for (int i = 0; i < pairs && covered; i++) {
      covered = i < 3 * sections[i % 3];
    }
    if (!covered) {
      throw config.invalid(
          "rope_parameters.mrope_section",
          "three sections that share out the %d turned pairs of a head".formatted(pairs),
          java.util.Arrays.toString(sections));
    }
  }

  private int nRotated() {
    double part =
        rope.find("partial_rotary_factor")
            .orElse(config.findReal("partial_rotary_factor").orElse(USUAL_ROTATED_PART));
    return (int) (headDim() * part);
  }

  @Override
  public String architecture() {
    return "qwen35";
  }

  @Override
  protected NameTable names() {
    return QWEN35_NAMES;
  }

  @Override
  public void parameters(GgufWriter out, OutputType type) {
    super.parameters(out, type);
    String a = architecture();
    if (rope.findFloats("mrope_section").isEmpty()) {
      out.ints(a + ".rope.dimension_sections", 11, 11, 10, 0);
    }
    out.u32(a + ".rope.dimension_count", nRotated());
    heads.write(out, a);
    layers.write(out, a);
  }

  @Override
  protected Map<String, long[]> ownShapes() {
    Map<String, long[]> shapes = new HashMap<>(heads.shapes(nEmbd));
    shapes.put("attn_q.weight", new long[] {2L * nHead * headDim(), nEmbd});
    shapes.put("post_attention_norm.weight", new long[] {nEmbd});
    return shapes;
  }

  @Override
  protected boolean lacks(int block, String tensor) {
    boolean linear = layers.isLinear(block);
    return tensor.equals("ffn_norm.weight")
        || (linear ? ATTENDING_ONLY : LINEAR_ONLY).contains(tensor);
  }

  @Override
  protected List<TargetTensor> map(String name, LazyTensor tensor) {
    LazyTensor same =
        name.contains(".linear_attn.")
            ? heads.arrange(name, tensor)
            : name.endsWith("norm.weight") ? tensor.plus(1) : tensor;
    return List.of(new TargetTensor(gguf(name), same));
  }

  /** libllama convolves in single precision only. */
  @Override
  public TensorType typeOf(TargetTensor tensor, OutputType type) {
    return tensor.name().endsWith(".ssm_conv1d.weight")
        ? TensorType.F32
        : super.typeOf(tensor, type);
  }
}
