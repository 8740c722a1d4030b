package dev.ocellus.convert.model.dual;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.UnsupportedArchitectureException;
import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.hf.HfConfig;
import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.NameTable;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.gguf.GgufWriter;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * SigLIP and SigLIP 2 of one size as open_clip holds them: timm's vision transformer, which pools
 * by attention, and open_clip's text encoder. timm's configuration is in its program; what the
 * shapes of the tensors do not tell follows from the model's name.
 *
 * <p>The reference is {@code VisionTransformer} of timm: <a
 * href="https://github.com/huggingface/pytorch-image-models/blob/v1.0.29/timm/models/vision_transformer.py">vision_transformer.py</a>.
 */
final class OpenClipSiglip extends OpenClipModel {
  /** Widths have a number of heads each, whatever the patches. */
  private static final Map<String, Integer> HEADS =
      Map.of("base", 12, "large", 16, "so400m", 16, "giantopt", 16);

  private static final Pattern NAME =
      Pattern.compile("vit_(base|large|so400m|giantopt)_patch(\\d+)_siglip_(\\d+)(\\..*)?");

  /** Those of timm's with the exact GELU, as they came first. */
  private static final Pattern EXACT_GELU =
      Pattern.compile(
          "vit_(base_patch16_siglip_\\d+|large_patch16_siglip_(256|384)|so400m_patch14_siglip_\\d+)(\\..*)?");

  private static final NameTable NAMES =
      NameTable.of(
          "visual.trunk.patch_embed.proj v.patch_embd",
          "visual.trunk.pos_embed v.position_embd.weight",
          "visual.trunk.norm v.post_ln",
          "visual.trunk.blocks.#.norm1 v.blk.#.ln1",
          "visual.trunk.blocks.#.norm2 v.blk.#.ln2",
          "visual.trunk.blocks.#.attn.qkv v.blk.#",
          "visual.trunk.blocks.#.attn.proj v.blk.#.attn_out",
          "visual.trunk.blocks.#.mlp.fc1 v.blk.#.ffn_up",
          "visual.trunk.blocks.#.mlp.fc2 v.blk.#.ffn_down",
          "visual.trunk.attn_pool.latent v.head.probe",
          "visual.trunk.attn_pool.q v.head.attn_q",
          "visual.trunk.attn_pool.proj v.head.attn_out",
          "visual.trunk.attn_pool.norm v.head.ln",
          "visual.trunk.attn_pool.mlp.fc1 v.head.ffn_up",
          "visual.trunk.attn_pool.mlp.fc2 v.head.ffn_down");

  private static final String TRUNK = "visual.trunk.";
  private static final String QKV = ".attn.qkv.";
  private static final String KV = "visual.trunk.attn_pool.kv.";

  private OpenClipSiglip(Context context, OpenClipConfig openClip, HfConfig vision) {
    super(context, openClip, vision);
  }

  static OpenClipSiglip of(Context context, OpenClipConfig openClip) {
    String name = openClip.timmModel();
    Matcher matcher = NAME.matcher(name);
    HfConfig vision = openClip.vision();
    boolean pools =
        vision.findString("timm_pool").orElse("avg").equals("map")
            && vision.findString("timm_proj").orElse("linear").equals("none");
    if (!matcher.matches() || !pools) {
      throw new UnsupportedArchitectureException(
          "%s: the image encoder '%s' of timm is not known; known are those of SigLIP and SigLIP 2 (vit_*_siglip_*) with timm_pool 'map' and timm_proj 'none'."
              .formatted(context.folder().config().file(), name));
    }
    return new OpenClipSiglip(context, openClip, words(context, openClip, matcher.group(1)));
  }

  private static HfConfig words(Context context, OpenClipConfig openClip, String size) {
    Map<String, LazyTensor> all = context.folder().tensors();
    LazyTensor patches = require(context, "visual.trunk.patch_embed.proj.weight", 4);
    LazyTensor up = require(context, "visual.trunk.blocks.0.mlp.fc1.weight", 2);
    int layers = 0;
    while (all.containsKey("visual.trunk.blocks.%d.mlp.fc1.weight".formatted(layers))) {
      layers++;
    }
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("hidden_size", patches.size(0));
    node.put("patch_size", patches.size(3));
    node.put("image_size", openClip.imageSize());
    node.put("intermediate_size", up.size(0));
    node.put("num_hidden_layers", layers);
    node.put("num_attention_heads", HEADS.get(size));
    node.put("layer_norm_eps", 1e-6);
    boolean exact = EXACT_GELU.matcher(openClip.timmModel()).matches();
    node.put("hidden_act", exact ? "gelu" : "gelu_pytorch_tanh");
    return openClip.vision().reworded(node);
  }

  private static LazyTensor require(Context context, String name, int rank) {
    LazyTensor tensor = context.folder().tensors().get(name);
    if (tensor == null || tensor.rank() != rank) {
      throw new ConversionException(
          "%s: expected a tensor '%s' of %d dimensions, found %s. Is a file of the checkpoint missing?"
              .formatted(context.folder().directory(), name, rank, tensor));
    }
    return tensor;
  }

  @Override
  protected String projector() {
    return "siglip";
  }

  @Override
  protected void more(GgufWriter out) {
    HfConfig words = openClip.text();
    if (!words.flag("no_causal_mask", false)
        || !words.findString("pool_type").orElse("argmax").equals("last")) {
      throw words.invalid("pool_type, no_causal_mask", "last and true, as SigLIP's", "others");
    }
    textPooling(out);
  }

  @Override
  protected List<TargetTensor> map(String name, LazyTensor tensor) {
    if (name.startsWith("text.text_projection")) {
      boolean linear = name.startsWith("text.text_projection.");
      return List.of(
          linear
              ? new TargetTensor(name.replace("text.text_projection", "t.head"), tensor)
              : new TargetTensor("t.head.weight", tensor.transposed()));
    }
    if (!name.startsWith(TRUNK)) {
      return super.map(name, tensor);
    }
    if (name.contains(QKV)) {
      int at = name.indexOf(QKV);
      String block = gguf(NAMES, name.substring(0, at) + ".attn.qkv", tensor);
      String ending = "." + name.substring(at + QKV.length());
      return thirds(
          tensor,
          block + ".attn_q" + ending,
          block + ".attn_k" + ending,
          block + ".attn_v" + ending);
    }
    if (name.startsWith(KV)) {
      String ending = "." + name.substring(KV.length());
      return List.of(
          new TargetTensor("v.head.attn_k" + ending, tensor.part(0, 2)),
          new TargetTensor("v.head.attn_v" + ending, tensor.part(1, 2)));
    }
    if (name.endsWith(".latent")) {
      return named(NAMES, name, tensor.reshape(tensor.count()));
    }
    if (name.endsWith(".pos_embed")) {
      long width = tensor.size(tensor.rank() - 1);
      return named(NAMES, name, tensor.reshape(tensor.count() / width, width));
    }
    return named(NAMES, name, tensor);
  }
}
