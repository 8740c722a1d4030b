package dev.ocellus.convert.model;

import dev.ocellus.convert.common.OutputType;
import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.NameTable;
import dev.ocellus.convert.model.base.PixelLimits;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.convert.model.base.VisionModel;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.gguf.TensorType;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** HunyuanOCR (arXiv:2511.19575). */
final class HunyuanVlVision extends VisionModel {
  private static final NameTable NAMES =
      NameTable.of(
          "embeddings.patch_embedding v.patch_embd",
          "embeddings.position_embedding v.position_embd",
          "layers.#.input_layernorm v.blk.#.ln1",
          "layers.#.post_attention_layernorm v.blk.#.ln2",
          "layers.#.self_attn.q_proj v.blk.#.attn_q",
          "layers.#.self_attn.k_proj v.blk.#.attn_k",
          "layers.#.self_attn.v_proj v.blk.#.attn_v",
          "layers.#.self_attn.o_proj v.blk.#.attn_out",
          "layers.#.mlp.dense_h_to_4h v.blk.#.ffn_up",
          "layers.#.mlp.dense_4h_to_h v.blk.#.ffn_down",
          "perceive.before_rms mm.pre_norm",
          "perceive.after_rms mm.post_norm",
          "perceive.proj.0 mm.0",
          "perceive.proj.2 mm.2",
          "perceive.mlp mm.model.fc",
          "perceive.image_begin mm.image_begin",
          "perceive.image_end mm.image_end",
          "perceive.image_newline v.image_newline",
          "perceive.image_sep v.view_seperator"); // llama.cpp's spelling

  private static final Set<String> CONVOLUTIONS = Set.of("mm.0.weight", "mm.2.weight");

  /** Of the processor's class. */
  private static final PixelLimits LIMITS = new PixelLimits(512 * 512, 2048 * 2048);

  HunyuanVlVision(Context context) throws IOException {
    super(context, "hunyuan_vl_vision");
    String mode = config.findString("interpolate_mode").orElse("bilinear");
    if (!mode.equals("bilinear")) {
      throw config.invalid("interpolate_mode", "'bilinear'", "'" + mode + "'");
    }
  }

  @Override
  protected String projector() {
    return "hunyuanvl";
  }

  @Override
  protected int imageSize() {
    return config.integer("max_image_size");
  }

  /** The processor resizes with this one whatever its configuration says. */
  @Override
  protected int filter() {
    return usualFilter();
  }

  @Override
  protected Set<String> usualActivations() {
    return Set.of("gelu");
  }

  @Override
  protected Optional<String> own(String name) {
    return after(name, "vit.", "model.vit.");
  }

  @Override
  protected void more(GgufWriter out) {
    out.string("clip.projector_type", projector());
    out.bool("clip.use_gelu", true);
    out.f32(
        "clip.vision.attention.layer_norm_epsilon",
        (float) config.real("rms_norm_eps", "layer_norm_eps"));
    out.u32("clip.vision.spatial_merge_size", config.integer("spatial_merge_size"));
    PixelLimits.of(processor, LIMITS).write(out);
  }

  /** The first position is that of a CLS token, which the tower has none of. */
  @Override
  protected List<TargetTensor> map(String name, LazyTensor tensor) {
    String target = gguf(NAMES, name, tensor);
    return List.of(
        new TargetTensor(
            target,
            target.startsWith("v.position_embd") ? tensor.slice(1, tensor.size(0)) : tensor));
  }

  @Override
  public TensorType typeOf(TargetTensor tensor, OutputType type) {
    if (CONVOLUTIONS.contains(tensor.name())) {
      return type == OutputType.F16 ? TensorType.F16 : TensorType.F32;
    }
    return super.typeOf(tensor, type);
  }
}
