package dev.ocellus.convert.model.dual;

import dev.ocellus.UnsupportedArchitectureException;
import dev.ocellus.convert.hf.HfConfig;
import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.NameTable;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;

/**
 * LiT (arXiv:2111.07991) as {@code VisionTextDualEncoderModel} of transformers holds it: a ViT,
 * CLIP's or SigLIP's image encoder, and a BERT or RoBERTa.
 */
public final class VisionTextDualModel extends ClipModel {
  private static final String VIT = "vit";
  private static final String CLIP = "clip_vision_model";
  private static final String SIGLIP = "siglip_vision_model";
  private static final String BERT = "bert";
  private static final int BILINEAR = 2;

  /** A ViT's as transformers 5 writes them, and as earlier releases did. */
  private static final NameTable NAMES =
      ChineseClipModel.NAMES
          .with(
              "text.pooler.dense t.pooler",
              "embeddings.patch_embeddings.projection v.patch_embd",
              "layernorm v.post_ln",
              "pooler.dense v.pooler",
              "layers.#.layernorm_before v.blk.#.ln1",
              "layers.#.layernorm_after v.blk.#.ln2",
              "layers.#.attention.q_proj v.blk.#.attn_q",
              "layers.#.attention.k_proj v.blk.#.attn_k",
              "layers.#.attention.v_proj v.blk.#.attn_v",
              "layers.#.attention.o_proj v.blk.#.attn_out",
              "layers.#.mlp.fc1 v.blk.#.ffn_up",
              "layers.#.mlp.fc2 v.blk.#.ffn_down",
              "encoder.layer.#.layernorm_before v.blk.#.ln1",
              "encoder.layer.#.layernorm_after v.blk.#.ln2",
              "encoder.layer.#.attention.attention.query v.blk.#.attn_q",
              "encoder.layer.#.attention.attention.key v.blk.#.attn_k",
              "encoder.layer.#.attention.attention.value v.blk.#.attn_v",
              "encoder.layer.#.attention.output.dense v.blk.#.attn_out",
              "encoder.layer.#.intermediate.dense v.blk.#.ffn_up",
              "encoder.layer.#.output.dense v.blk.#.ffn_down")
          .with(SiglipHead.NAMES);

  private final boolean isVit;
  private final boolean isSiglip;
  private final BertVariant variant;

  private VisionTextDualModel(Context context, String visionType) throws IOException {
    super(context, visionType, BERT);
    isVit = visionType.equals(VIT);
    isSiglip = visionType.equals(SIGLIP);
    if (isSiglip && !config.flag("vision_use_head", true)) {
      throw config.invalid("vision_use_head", "true, as its output is projected", "false");
    }
    variant = new BertVariant(text);
  }

  public static VisionTextDualModel of(Context context) throws IOException {
    HfConfig root = context.folder().config();
    type(root, "text_config", BertVariant.KNOWN);
    String vision = type(root, "vision_config", List.of(VIT, SIGLIP, CLIP, "clip"));
    return new VisionTextDualModel(context, vision.equals("clip") ? CLIP : vision);
  }

  /** Any two encoders may be combined; these are known. */
  private static String type(HfConfig root, String section, List<String> known) {
    String type = root.section(section, "").findString("model_type").orElse("");
    if (!known.contains(type)) {
      throw new UnsupportedArchitectureException(
          "%s: %s.model_type '%s' is not known; known are %s"
              .formatted(root.file(), section, type, String.join(", ", new TreeSet<>(known))));
    }
    return type;
  }

  @Override
  protected String projector() {
    return "vision_text_dual";
  }

  @Override
  int contextLength() {
    return variant.contextLength();
  }

  /** Processors of ViT and SigLIP make every image a square. */
  @Override
  void fit(GgufWriter out) {
    if (!stretches()) {
      super.fit(out);
      return;
    }
    int side = processor.findSection("size", "").map(s -> s.integer("height")).orElse(imageSize());
    if (side != imageSize()) {
      throw processor.invalid("size", "%d, as the tower takes".formatted(imageSize()), "" + side);
    }
    out.string("clip.vision.image_aspect_ratio", "stretch");
  }

  private boolean stretches() {
    String type =
        processor
            .findString("image_processor_type")
            .or(() -> processor.findString("feature_extractor_type"))
            .orElse("");
    return type.isEmpty() ? isVit || isSiglip : type.startsWith("ViT") || type.startsWith("Siglip");
  }

  @Override
  protected int filter() {
    boolean bilinear = stretches() && !isSiglip; // ViT's own default
    return processor.integerOr("resample", bilinear ? BILINEAR : usualFilter());
  }

  @Override
  protected void more(GgufWriter out) {
    if (!stretches()) {
      requireSquareCrop();
    }
    if (!isVit) {
      return;
    }
    String activation = config.findString("pooler_act").orElse("tanh");
    if (!activation.equals("tanh")) {
      throw config.invalid("pooler_act", "tanh", activation);
    }
    int width = config.integerOr("pooler_output_size", nEmbd());
    if (width != nEmbd()) {
      throw config.invalid(
          "pooler_output_size", "%d, as hidden_size".formatted(nEmbd()), "" + width);
    }
    out.bool("clip.vision.pre_norm", false);
  }

  /** CLIP's image encoder stands in a model of its own in checkpoints of earlier releases. */
  @Override
  protected Optional<String> own(String name) {
    return super.own(name)
        .filter(n -> !n.endsWith("token_type_ids"))
        .map(n -> after(n, "vision_model.").orElse(n));
  }

  @Override
  protected List<TargetTensor> map(String name, LazyTensor tensor) {
    List<TargetTensor> head = SiglipHead.map(this, name, tensor);
    return head.isEmpty() ? plain(name, tensor) : head;
  }

  private List<TargetTensor> plain(String name, LazyTensor tensor) {
    return switch (name) {
      case ChineseClipModel.TYPES -> List.of(ChineseClipModel.firstType(tensor));
      case "embeddings.cls_token" ->
          List.of(new TargetTensor("v.class_embd", tensor.reshape(tensor.count())));
      case "embeddings.position_embeddings" ->
          List.of(
              new TargetTensor(
                  "v.position_embd.weight", tensor.reshape(tensor.count() / nEmbd(), nEmbd())));
      default -> List.of(variant.target(name, gguf(NAMES, name, tensor), tensor, contextLength()));
    };
  }

  @Override
  public void tokenizer(GgufWriter out) throws IOException {
    variant.tokenizer(out, context.folder());
  }
}
