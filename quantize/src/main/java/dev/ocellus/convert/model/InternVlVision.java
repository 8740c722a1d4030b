package dev.ocellus.convert.model;

import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.NameTable;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.convert.model.base.VideoKeys;
import dev.ocellus.convert.model.base.VisionModel;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * InternVL 2 to 3.5 (arXiv:2404.16821), in transformers' layout and in that of the original
 * repositories (InternVLChatModel): InternViT with layer scales, pixel shuffle, two linear maps.
 */
final class InternVlVision extends VisionModel {
  private static final NameTable NAMES =
      TOWER.with(
          // InternVLChatModel
          "encoder.layers.#.norm1 v.blk.#.ln1",
          "encoder.layers.#.norm2 v.blk.#.ln2",
          "encoder.layers.#.ls1 v.blk.#.ls1.weight",
          "encoder.layers.#.ls2 v.blk.#.ls2.weight",
          "encoder.layers.#.attn.proj v.blk.#.attn_out",
          "encoder.layers.#.attn.qkv v.blk.#.attn_qkv",
          "encoder.layers.#.attn.q_norm v.blk.#.attn_q_norm",
          "encoder.layers.#.attn.k_norm v.blk.#.attn_k_norm",
          // transformers
          "layernorm v.post_ln",
          "embeddings.cls_token v.class_embd",
          "embeddings.patch_embeddings.projection v.patch_embd",
          "embeddings.position_embeddings v.position_embd.weight",
          "encoder.layer.#.layernorm_before v.blk.#.ln1",
          "encoder.layer.#.layernorm_after v.blk.#.ln2",
          "encoder.layer.#.lambda_1 v.blk.#.ls1.weight",
          "encoder.layer.#.lambda_2 v.blk.#.ls2.weight",
          "encoder.layer.#.attention.q_proj v.blk.#.attn_q",
          "encoder.layer.#.attention.k_proj v.blk.#.attn_k",
          "encoder.layer.#.attention.v_proj v.blk.#.attn_v",
          "encoder.layer.#.attention.q_norm v.blk.#.attn_q_norm",
          "encoder.layer.#.attention.k_norm v.blk.#.attn_k_norm",
          "encoder.layer.#.attention.projection_layer v.blk.#.attn_out",
          "encoder.layer.#.mlp.fc1 v.blk.#.ffn_up",
          "encoder.layer.#.mlp.fc2 v.blk.#.ffn_down",
          "layer_norm mm.model.mlp.0",
          "linear_1 mm.model.mlp.1",
          "linear_2 mm.model.mlp.3");

  private final VideoKeys videos;

  InternVlVision(Context context) throws IOException {
    super(context, "internvl_vision");
    videos = VideoKeys.of(context.folder());
  }

  @Override
  protected String projector() {
    return "internvl";
  }

  @Override
  protected void more(GgufWriter out) {
    out.string("clip.projector_type", projector());
    out.f32("clip.vision.attention.layer_norm_epsilon", eps(1e-6));
    activation(out);
    double ratio = global.real("downsample_ratio");
    if (ratio <= 0 || ratio > 1) {
      throw global.invalid("downsample_ratio", "a number above 0, at most 1", "" + ratio);
    }
    out.u32("clip.vision.projector.scale_factor", (long) (1 / ratio));
    tiles(out, "clip.vision.preproc_min_tiles", "min_dynamic_patch", "min_patches");
    tiles(out, "clip.vision.preproc_max_tiles", "max_dynamic_patch", "max_patches");
    videos.pixels(out, filter(), usualFilter(), processor, VideoKeys.CLIP_MEAN, VideoKeys.CLIP_STD);
    if (videos.samplingOnRequest(out, context)) {
      videos.shift(out, "initial_shift");
    }
  }

  /** The original layout says it in its configuration, transformers in the processor's. */
  private void tiles(GgufWriter out, String key, String original, String processors) {
    int n = global.integerOr(original, 0);
    int tiles = n > 0 ? n : processor.integerOr(processors, 0);
    if (tiles > 0) {
      out.u32(key, tiles);
    }
  }

  /** The hidden state that is projected, as one layout or the other says it. */
  private int layer() {
    int[] layers = global.integers("vision_feature_layer");
    layers = layers.length > 0 ? layers : global.integers("select_layer");
    if (layers.length > 1) {
      throw global.invalid("vision_feature_layer", "one layer", layers.length + " layers");
    }
    return layers.length == 0 ? -1 : layers[0];
  }

  @Override
  protected int nBlock() {
    return blocksUpTo("vision_feature_layer", layer());
  }

  @Override
  protected Set<String> usualActivations() {
    return Set.of("gelu", "silu");
  }

  /** The norm, where there is one, is behind the last block only. */
  private boolean isUsed(String name) {
    return isInKeptBlock(name, "encoder.layer.")
        && isInKeptBlock(name, "encoder.layers.")
        && (layer() == -1 || !name.startsWith("layernorm."));
  }

  @Override
  protected Optional<String> own(String name) {
    return after(
            name,
            "vision_model.",
            "model.vision_tower.",
            "vision_tower.",
            "model.multi_modal_projector.",
            "multi_modal_projector.")
        .filter(this::isUsed)
        .or(() -> after(name, "mlp1.").map(rest -> "mlp1." + rest));
  }

  @Override
  protected List<TargetTensor> map(String name, LazyTensor tensor) {
    if (name.startsWith("mlp1.")) {
      return List.of(new TargetTensor("mm.model.mlp." + name.substring(5), tensor));
    }
    if (name.equals("embeddings.position_embedding")) {
      return List.of(new TargetTensor("v.position_embd.weight", tensor));
    }
    String target = gguf(NAMES, name, tensor);
    return target.contains("attn_qkv")
        ? thirds(
            tensor,
            target.replace("attn_qkv", "attn_q"),
            target.replace("attn_qkv", "attn_k"),
            target.replace("attn_qkv", "attn_v"))
        : List.of(new TargetTensor(target, tensor));
  }
}
