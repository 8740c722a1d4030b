package dev.ocellus.convert.model;

import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.NameTable;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.convert.model.base.TextModel;
import dev.ocellus.convert.tokenizer.TokenizerConverter;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * GLM-4 (arXiv:2406.12793) and the language models of GLM-4.1V and GLM-OCR: norms before and behind
 * each block, gate and up in one matrix, and half of each head turned. With images, positions have
 * axes, and libllama then turns halves where the checkpoint turns neighbours, so that the rows of
 * queries and keys are reordered.
 */
final class Glm4Text extends TextModel {
  private static final NameTable GLM_NAMES =
      NAMES.with(
          "model.layers.#.post_self_attn_layernorm blk.#.post_attention_norm",
          "model.layers.#.post_mlp_layernorm blk.#.post_ffw_norm",
          "model.layers.#.mlp.gate_up_proj blk.#.ffn_up");

  private static final Pattern BLOCK = Pattern.compile("model\\.layers\\.(\\d{1,9})\\..*");

  /** By what they are for. */
  static final Map<String, String> SPECIAL_TOKENS =
      Map.of(
          "bos", "<|endoftext|>",
          "eos", "<|endoftext|>",
          "eot", "<|user|>",
          "unk", "<|endoftext|>");

  /** Of classes with images, where the configuration does not say. */
  private static final int[] USUAL_SECTIONS = {8, 12, 12, 0};

  private final boolean axes;

  Glm4Text(Context context) {
    super(context);
    axes = !config.modelType().equals("glm4");
  }

  @Override
  public String architecture() {
    return "glm4";
  }

  @Override
  protected NameTable names() {
    return GLM_NAMES;
  }

  /** GLM-4V's class derives it, whatever the configuration says. */
  @Override
  protected int headDim() {
    return config.modelType().equals("glm4v_text") ? nEmbd / nHead : super.headDim();
  }

  private int rotated() {
    double part =
        rope.find("partial_rotary_factor")
            .orElseGet(() -> config.findReal("partial_rotary_factor").orElse(1));
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
    out.u32("glm4.rope.dimension_count", rotated());
    if (axes && !rope.hasSections()) {
      out.ints("glm4.rope.dimension_sections", USUAL_SECTIONS);
    }
  }

  @Override
  protected List<TargetTensor> map(String name, LazyTensor tensor) {
    Matcher block = BLOCK.matcher(name);
    if (block.matches() && Long.parseLong(block.group(1)) >= nBlock) {
      return List.of(); // predicts further tokens, which neither libllama nor the reference does
    }
    String target = gguf(name);
    boolean turned = name.contains(".q_proj.") || name.contains(".k_proj.");
    return List.of(new TargetTensor(target, axes && turned ? halves(tensor) : tensor));
  }

  /** Rows of which neighbours are turned together, brought into two halves in every head. */
  private LazyTensor halves(LazyTensor t) {
    long head = headDim();
    long rows = t.size(0);
    if (rows % head != 0) {
      throw new ConversionException(
          "Tensor %s: expected rows for heads of %d. Configuration and tensors are not of one checkpoint."
              .formatted(t, head));
    }
    long turned = rotated();
    long half = turned / 2;
    return t.rearrange(
        t.count() / rows,
        i -> {
          long at = i % head;
          long from = at < half ? 2 * at : at < turned ? 2 * (at - half) + 1 : at;
          return i / head * head + from;
        },
        t.shape());
  }

  @Override
  public void tokenizer(GgufWriter out) throws IOException {
    new TokenizerConverter(context.folder(), nVocab(), context.preTokenizer())
        .write(out, SPECIAL_TOKENS);
  }
}
