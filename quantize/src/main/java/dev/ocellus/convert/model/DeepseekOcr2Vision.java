package dev.ocellus.convert.model;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.convert.hf.HfConfig;
import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.NameTable;
import dev.ocellus.convert.model.base.RopeConfig;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.convert.model.base.VisionModel;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.gguf.TensorType;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * DeepSeek-OCR-2 (arXiv:2601.20552) in the layout of transformers: Segment Anything's encoder, then
 * one with learned queries.
 */
final class DeepseekOcr2Vision extends VisionModel {
  private static final NameTable NAMES =
      NameTable.of(
          "sam_model.pos_embed v.sam.pos_embd.weight",
          "sam_model.patch_embed.proj v.sam.patch_embd",
          "sam_model.blocks.#.norm1 v.sam.blk.#.pre_ln",
          "sam_model.blocks.#.norm2 v.sam.blk.#.post_ln",
          "sam_model.blocks.#.attn.rel_pos_h v.sam.blk.#.attn.pos_h.weight",
          "sam_model.blocks.#.attn.rel_pos_w v.sam.blk.#.attn.pos_w.weight",
          "sam_model.blocks.#.attn.qkv v.sam.blk.#.attn.qkv",
          "sam_model.blocks.#.attn.proj v.sam.blk.#.attn.out",
          "sam_model.blocks.#.mlp.lin1 v.sam.blk.#.mlp.lin1",
          "sam_model.blocks.#.mlp.lin2 v.sam.blk.#.mlp.lin2",
          "sam_model.neck.# v.sam.neck.#",
          "sam_model.net_2 v.sam.net_2",
          "sam_model.net_3 v.sam.net_3",
          "qwen2_model.model.model.layers.#.input_layernorm v.blk.#.ln1",
          "qwen2_model.model.model.layers.#.post_attention_layernorm v.blk.#.ln2",
          "qwen2_model.model.model.layers.#.self_attn.q_proj v.blk.#.attn_q",
          "qwen2_model.model.model.layers.#.self_attn.k_proj v.blk.#.attn_k",
          "qwen2_model.model.model.layers.#.self_attn.v_proj v.blk.#.attn_v",
          "qwen2_model.model.model.layers.#.self_attn.o_proj v.blk.#.attn_out",
          "qwen2_model.model.model.layers.#.mlp.gate_proj v.blk.#.ffn_gate",
          "qwen2_model.model.model.layers.#.mlp.up_proj v.blk.#.ffn_up",
          "qwen2_model.model.model.layers.#.mlp.down_proj v.blk.#.ffn_down",
          "qwen2_model.model.model.norm v.post_ln",
          "qwen2_model.query_768 v.resample_query_768",
          "qwen2_model.query_1024 v.resample_query_1024",
          "projector.layers mm.model.fc",
          "view_seperator v.view_seperator"); // llama.cpp's spelling

  /** What convolutions and tables of positions are made of. */
  private static final List<String> F32 =
      List.of(".pos_embd.", ".pos_h.", ".pos_w.", ".neck.", ".net_", ".patch_embd.", "_query_");

  private static final int[] USUAL_WHOLE = {2, 5, 8, 11};
  private static final int USUAL_GREY = 127;
  private static final int USUAL_TILE = 768;
  private static final double USUAL_THETA = 1_000_000;

  private final HfConfig sam;

  DeepseekOcr2Vision(Context context) throws IOException {
    super(context, section(context, "encoder_config"), processor(context.folder()));
    sam = section(context, "sam_config");
    requireUsual();
  }

  private static HfConfig section(Context context, String name) {
    return context
        .folder()
        .config()
        .section("vision_config", "deepseek_ocr2_vision")
        .section(name, "deepseek_ocr2_" + name.replace("_config", ""));
  }

  private void requireUsual() {
    String act = sam.findString("hidden_act").orElse("gelu");
    if (!act.equals("gelu")) {
      throw sam.invalid("hidden_act", "'gelu'", "'" + act + "'");
    }
    String own = config.findString("hidden_act").orElse("silu");
    if (!own.equals("silu")) {
      throw config.invalid("hidden_act", "'silu'", "'" + own + "'");
    }
    for (String key : new String[] {"use_abs_pos", "use_rel_pos"}) {
      if (!sam.flag(key, true)) {
        throw sam.invalid(key, "true, as no file can say otherwise", "false");
      }
    }
    if (config.flag("use_sliding_window", false)) {
      throw config.invalid("use_sliding_window", "false", "true");
    }
  }

  @Override
  protected String projector() {
    return "deepseekocr2";
  }

  @Override
  protected int imageSize() {
    JsonNode height = processor.find("size") == null ? null : processor.find("size").get("height");
    return height != null && height.canConvertToInt() ? height.asInt() : 1024;
  }

  @Override
  protected int patchSize() {
    return sam.integer("patch_size");
  }

  @Override
  protected Set<String> usualActivations() {
    return Set.of("silu");
  }

  @Override
  protected Optional<String> own(String name) {
    String bare = name.startsWith("model.") ? name.substring("model.".length()) : name;
    boolean mine =
        List.of("sam_model.", "qwen2_model.", "projector.", "view_seperator").stream()
            .anyMatch(bare::startsWith);
    return mine ? Optional.of(bare) : Optional.empty();
  }

  @Override
  protected void more(GgufWriter out) {
    out.string("clip.projector_type", projector());
    out.f32("clip.vision.attention.layer_norm_epsilon", (float) config.real("rms_norm_eps"));
    out.bool("clip.use_gelu", true);
    out.u32("clip.vision.window_size", sam.integer("window_size"));
    out.u32("clip.vision.preproc_min_tiles", processor.integerOr("min_patches", 2));
    out.u32("clip.vision.preproc_max_tiles", processor.integerOr("max_patches", 6));
    out.u32("clip.vision.sam.block_count", sam.integer("num_hidden_layers"));
    out.u32("clip.vision.sam.embedding_length", sam.integer("hidden_size"));
    out.u32("clip.vision.sam.head_count", sam.integer("num_attention_heads"));
    out.u32(
        "clip.vision.attention.head_count_kv",
        config.findInteger("num_key_value_heads").orElse(nHead()));
    unusualSizes(out);
  }

  private void unusualSizes(GgufWriter out) {
    int tile = processor.integerOr("tile_size", USUAL_TILE);
    if (tile != USUAL_TILE) {
      out.u32("clip.vision.preproc_tile_size", tile);
    }
    if (!processor.flag("crop_to_patches", true)) {
      out.bool("clip.vision.do_image_splitting", false);
    }
    int[] whole = sam.integers("global_attn_indexes");
    if (!Arrays.equals(whole, USUAL_WHOLE)) {
      out.ints("clip.vision.wa_layer_indexes", whole);
    }
    double eps = sam.findReal("layer_norm_eps").orElse(1e-6);
    if (eps != 1e-6) {
      out.f32("clip.vision.sam.layer_norm_epsilon", (float) eps);
    }
    double theta = RopeConfig.of(config).theta();
    if (theta != USUAL_THETA) {
      out.f32("clip.rope.freq_base", (float) theta);
    }
    background(out);
  }

  /** Of a number alone the reference fills red planes with it, and the others with 0. */
  private void background(GgufWriter out) {
    JsonNode found = processor.find("background_color");
    int[] color = processor.integers("background_color");
    if (found == null) {
      return;
    }
    if (!found.isArray()) {
      color = new int[] {color[0], 0, 0};
    }
    if (color.length != 3 || Arrays.stream(color).anyMatch(c -> c < 0 || c > 255)) {
      throw processor.invalid(
          "background_color", "red, green and blue from 0 to 255", Arrays.toString(color));
    }
    int red = color[0];
    if (Arrays.stream(color).anyMatch(c -> c != red)) {
      out.ints("clip.vision.image_fill_color", color);
    } else if (red != USUAL_GREY) {
      out.u32("clip.vision.image_fill", red);
    }
  }

  /** The table of positions is stored for a batch of one. */
  @Override
  protected List<TargetTensor> map(String name, LazyTensor tensor) {
    String target = gguf(NAMES, name, tensor);
    boolean batch = target.equals("v.sam.pos_embd.weight") && tensor.rank() == 4;
    return List.of(
        new TargetTensor(
            target,
            batch ? tensor.reshape(tensor.size(1), tensor.size(2), tensor.size(3)) : tensor));
  }

  @Override
  protected String patches() {
    return "v.sam.patch_embd.weight";
  }

  @Override
  public TensorType typeOf(TargetTensor tensor, OutputType type) {
    return F32.stream().anyMatch(tensor.name()::contains)
        ? TensorType.F32
        : super.typeOf(tensor, type);
  }
}
