package dev.ocellus.convert.model.dual;

import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.convert.hf.HfConfig;
import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.LlavaFit;
import dev.ocellus.convert.model.base.NameTable;
import dev.ocellus.convert.model.base.VisionModel;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.util.Optional;
import java.util.Set;

/**
 * A dual encoder: an image tower as those of chats, and a text tower beside it, in one file.
 *
 * <p>Names and keys are those of clip.cpp's converter, but for the feed-forward layers, whose two
 * names it exchanges, and for keys of our own that docs/gguf.md lists.
 */
abstract class DualModel extends VisionModel {
  /** Names of both towers as transformers' CLIP and SigLIP classes hold them. */
  static final NameTable BOTH =
      TOWER.with(
          "text.embeddings.token_embedding t.token_embd",
          "text.embeddings.position_embedding t.position_embd",
          "text.final_layer_norm t.post_ln",
          "text.encoder.layers.#.layer_norm1 t.blk.#.ln1",
          "text.encoder.layers.#.layer_norm2 t.blk.#.ln2",
          "text.encoder.layers.#.self_attn.q_proj t.blk.#.attn_q",
          "text.encoder.layers.#.self_attn.k_proj t.blk.#.attn_k",
          "text.encoder.layers.#.self_attn.v_proj t.blk.#.attn_v",
          "text.encoder.layers.#.self_attn.out_proj t.blk.#.attn_out",
          "text.encoder.layers.#.mlp.fc1 t.blk.#.ffn_up",
          "text.encoder.layers.#.mlp.fc2 t.blk.#.ffn_down");

  final HfConfig text;

  DualModel(Context context, String visionType, String textType) throws IOException {
    super(context, visionType);
    text = global.section("text_config", textType);
  }

  /** For layouts whose configuration is said otherwise. */
  DualModel(Context context, HfConfig vision, HfConfig text, HfConfig processor) {
    super(context, vision, processor);
    this.text = text;
  }

  /** The family, by {@code model_type} of transformers. */
  @Override
  protected abstract String projector();

  /** Width of the vectors. */
  abstract int dimension();

  /** Adds the tokenizer's keys. */
  @Override
  public abstract void tokenizer(GgufWriter out) throws IOException;

  @Override
  public String generalType() {
    return "model";
  }

  @Override
  public void parameters(GgufWriter out, OutputType type) {
    out.u32("general.file_type", type.fileType());
    out.bool("clip.has_text_encoder", true);
    out.bool("clip.has_vision_encoder", true);
    out.string("clip.model_type", projector());
    textParameters(out);
    visionParameters(out);
    out.u32("clip.vision.projection_dim", dimension());
    colours(out);
    fit(out);
    unusual(out);
    number("logit_scale").ifPresent(value -> out.f32("clip.logit_scale", value));
    number("logit_bias").ifPresent(value -> out.f32("clip.logit_bias", value));
    more(out);
  }

  /** How an image is brought to the size that the encoder takes. */
  void fit(GgufWriter out) {
    new LlavaFit(processor, imageSize()).write(out);
  }

  /** Sizes of the image encoder. */
  void visionParameters(GgufWriter out) {
    out.u32("clip.vision.image_size", imageSize());
    out.u32("clip.vision.patch_size", patchSize());
    out.u32("clip.vision.embedding_length", nEmbd());
    out.u32("clip.vision.feed_forward_length", nFf());
    out.u32("clip.vision.attention.head_count", nHead());
    out.f32("clip.vision.attention.layer_norm_epsilon", eps(1e-5));
    out.u32("clip.vision.block_count", nBlock());
  }

  /** Sizes of the text encoder. */
  void textParameters(GgufWriter out) {
    out.u32("clip.text.context_length", contextLength());
    out.u32("clip.text.embedding_length", text.integer("hidden_size"));
    out.u32("clip.text.feed_forward_length", text.integer("intermediate_size"));
    out.u32("clip.text.projection_dim", dimension());
    out.u32("clip.text.attention.head_count", text.integer("num_attention_heads"));
    out.f32("clip.text.attention.layer_norm_epsilon", (float) text.real("layer_norm_eps"));
    out.u32("clip.text.block_count", text.integer("num_hidden_layers"));
    text.findString("hidden_act")
        .ifPresent(act -> {
          requireKnown(text, act);
          out.string("clip.text.hidden_act", act);
        });
  }

  /** Most tokens of a text. */
  int contextLength() {
    return text.integer("max_position_embeddings");
  }

  /** Both towers say what theirs is, as one key of clip.cpp's stands for both. */
  @Override
  protected Set<String> usualActivations() {
    return Set.of();
  }

  /** A tensor of one number, if there is one. */
  private Optional<Float> number(String name) {
    LazyTensor tensor = context.folder().tensors().get(name);
    if (tensor == null) {
      return Optional.empty();
    }
    float[] values = tensor.count() == 1 ? tensor.values() : new float[0];
    if (values.length != 1 || !Float.isFinite(values[0])) {
      throw new ConversionException(
          "Tensor %s: expected one finite number. The checkpoint is damaged.".formatted(tensor));
    }
    return Optional.of(values[0]);
  }

  @Override
  protected Optional<String> own(String name) {
    if (name.equals("logit_scale") || name.equals("logit_bias") || name.endsWith("position_ids")) {
      return Optional.empty();
    }
    return after(name, "vision_model.")
        .or(() -> after(name, "text_model.").map(rest -> "text." + rest))
        .or(() -> Optional.of(name));
  }

  @Override
  protected void more(GgufWriter out) {}
}
