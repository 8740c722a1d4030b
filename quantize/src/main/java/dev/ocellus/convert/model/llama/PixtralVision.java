package dev.ocellus.convert.model.llama;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.NameTable;
import dev.ocellus.convert.model.base.RopeConfig;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.convert.model.base.TextConfigs;
import dev.ocellus.convert.model.base.TextModel;
import dev.ocellus.convert.model.base.VisionModel;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Pixtral (arXiv:2410.07073) and the encoder of Mistral Small 3.1: any size, turned positions, and
 * a row of the text model's embedding at the end of each line of patches.
 */
public class PixtralVision extends VisionModel {
  private static final String BREAK = "[IMG_BREAK]";

  private static final NameTable NAMES =
      NameTable.of(
          "patch_conv v.patch_embd",
          "ln_pre v.pre_ln",
          "transformer.layers.#.attention.q_proj v.blk.#.attn_q",
          "transformer.layers.#.attention.k_proj v.blk.#.attn_k",
          "transformer.layers.#.attention.v_proj v.blk.#.attn_v",
          "transformer.layers.#.attention.o_proj v.blk.#.attn_out",
          "transformer.layers.#.attention_norm v.blk.#.ln1",
          "transformer.layers.#.ffn_norm v.blk.#.ln2",
          "transformer.layers.#.feed_forward.gate_proj v.blk.#.ffn_gate",
          "transformer.layers.#.feed_forward.up_proj v.blk.#.ffn_up",
          "transformer.layers.#.feed_forward.down_proj v.blk.#.ffn_down",
          "linear_1 mm.1",
          "linear_2 mm.2",
          "norm mm.input_norm",
          "patch_merger.merging_layer mm.patch_merger");

  /** Base of the turned positions that llama.cpp takes. */
  private static final double THETA = 10000;

  /** Of the merger's norm: the text model's, which is this in the published models. */
  private static final double MERGER_EPS = 1e-5;

  private static final String EMBEDDING = "embed_tokens.weight";

  public PixtralVision(Context context) throws IOException {
    super(context, "pixtral");
  }

  /** Of the merger's norm where it needs no telling. */
  double usualMergerEps() {
    return MERGER_EPS;
  }

  /** The token's id, as one of the tokenizer's files says it. */
  private int breakId() {
    try {
      return findBreakId();
    } catch (IOException e) {
      throw new ConversionException(
          "%s: the tokenizer cannot be read: %s".formatted(context.folder().directory(), e), e);
    }
  }

  private int findBreakId() throws IOException {
    for (Map.Entry<String, JsonNode> e :
        context.folder().json("tokenizer_config.json").path("added_tokens_decoder").properties()) {
      if (e.getValue().path("content").asText().equals(BREAK) && e.getKey().matches("\\d{1,9}")) {
        return Integer.parseInt(e.getKey());
      }
    }
    for (JsonNode token : context.folder().json("tokenizer.json").path("added_tokens")) {
      if (token.path("content").asText().equals(BREAK)) {
        return token.path("id").asInt(-1);
      }
    }
    throw new ConversionException(
        "%s: no token %s in tokenizer_config.json or tokenizer.json, which ends each line of an image. Download the tokenizer again."
            .formatted(context.folder().directory(), BREAK));
  }

  @Override
  protected String projector() {
    return "pixtral";
  }

  @Override
  protected void more(GgufWriter out) {
    out.string("clip.projector_type", projector());
    out.f32("clip.vision.attention.layer_norm_epsilon", eps(1e-5)); // fixed in its class
    activation(out);
    global
        .findInteger("spatial_merge_size")
        .ifPresent(n -> out.u32("clip.vision.spatial_merge_size", n));
    double theta = RopeConfig.of(config).theta();
    if (theta != THETA) {
      out.f32("clip.rope.freq_base", (float) theta);
    }
    double textEps = TextConfigs.of(global).findReal("rms_norm_eps").orElse(usualMergerEps());
    if (global.findInteger("spatial_merge_size").isPresent() && textEps != usualMergerEps()) {
      out.f32("clip.vision.projector.layer_norm_epsilon", (float) textEps);
    }
    JsonNode size = processor.find("size");
    int longest = size == null ? 0 : size.path("longest_edge").asInt(0);
    if (longest > 0 && longest != imageSize()) {
      out.u32("clip.vision.preproc_image_size", longest);
    }
  }

  @Override
  protected Optional<String> own(String name) {
    if (name.endsWith(EMBEDDING)) {
      return Optional.of(EMBEDDING);
    }
    return after(
            name,
            "model.vision_tower.",
            "vision_tower.",
            "model.multi_modal_projector.",
            "multi_modal_projector.")
        .filter(n -> isInKeptBlock(n, "transformer.layers."));
  }

  @Override
  protected int nBlock() {
    int[] layers = global.integers("vision_feature_layer");
    if (layers.length > 1) {
      throw global.invalid("vision_feature_layer", "one layer", layers.length + " layers");
    }
    return blocksUpTo("vision_feature_layer", layers.length == 0 ? -1 : layers[0]);
  }

  @Override
  protected Set<String> usualActivations() {
    return Set.of("silu", "gelu");
  }

  @Override
  protected List<TargetTensor> map(String name, LazyTensor tensor) {
    if (name.equals(EMBEDDING)) {
      int breakId = breakId();
      if (breakId < 0 || tensor.rank() != 2 || breakId >= tensor.size(0)) {
        throw new ConversionException(
            "Tensor %s: expected a row for token %s, which is number %d."
                .formatted(tensor, BREAK, breakId));
      }
      return List.of(
          new TargetTensor(
              "v.token_embd.img_break",
              tensor.slice(breakId, breakId + 1L).reshape(tensor.size(1))));
    }
    LazyTensor turned =
        name.contains(".q_proj.") || name.contains(".k_proj.")
            ? TextModel.interleaved(tensor, nHead())
            : tensor;
    return named(NAMES, name, turned);
  }
}
