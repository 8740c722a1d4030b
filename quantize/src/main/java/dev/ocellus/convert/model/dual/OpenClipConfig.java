package dev.ocellus.convert.model.dual;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.UnsupportedArchitectureException;
import dev.ocellus.convert.hf.HfConfig;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * open_clip's configuration, said in the words of transformers' classes.
 *
 * <p>The reference are {@code CLIPVisionCfg}, {@code CLIPTextCfg} and {@code PreprocessCfg}: <a
 * href="https://github.com/mlfoundations/open_clip/blob/v3.3.0/src/open_clip/model.py">model.py</a>,
 * <a
 * href="https://github.com/mlfoundations/open_clip/blob/v3.3.0/src/open_clip/transform.py">transform.py</a>.
 */
final class OpenClipConfig {
  /** What no published model asks for, and this program does not compute. */
  private static final List<String> UNKNOWN_FEATURES =
      List.of(
          "qk_norm",
          "scaled_cosine_attn",
          "scale_heads",
          "scale_attn_inner",
          "scale_attn",
          "scale_fc");

  private static final Set<String> MODEL_KEYS =
      Set.of(
          "embed_dim",
          "vision_cfg",
          "text_cfg",
          "multimodal_cfg", // the half of CoCa that writes captions, which is left out
          "quick_gelu",
          "init_logit_scale",
          "init_logit_bias",
          "nonscalar_logit_scale",
          "cast_dtype",
          "output_dict",
          "custom_text");

  private static final double EPS = 1e-5;

  private final HfConfig root;
  private final HfConfig model;
  private final HfConfig vision;
  private final HfConfig text;

  private OpenClipConfig(HfConfig root, HfConfig model) {
    this.root = root;
    this.model = model;
    vision = model.section("vision_cfg", "open_clip_vision");
    text = model.section("text_cfg", "open_clip_text");
  }

  /**
   * Reads a configuration.
   *
   * @throws UnsupportedArchitectureException if it asks for what this program does not compute
   */
  static OpenClipConfig of(HfConfig root) {
    HfConfig model = root.section("model_cfg", "");
    Set<String> others = new TreeSet<>(model.keys());
    others.removeAll(MODEL_KEYS);
    if (!others.isEmpty()) {
      throw unsupported(root, others.iterator().next(), "a setting that is not known");
    }
    OpenClipConfig config = new OpenClipConfig(root, model);
    config.requireKnown(config.vision);
    config.requireKnown(config.text);
    JsonNode pool = config.vision.find("attentional_pool");
    if (pool != null && !pool.isBoolean()) {
      throw unsupported(root, "attentional_pool", "a variant that is not computed (" + pool + ")");
    }
    if (!config.isPlain() && (config.isResNet() || !config.timmModel().isEmpty())) {
      throw unsupported(
          root,
          config.textModel().isEmpty() ? "text_cfg.embed_cls" : "text_cfg.hf_model_name",
          "a text encoder that is read only beside a vision transformer of open_clip's own");
    }
    return config;
  }

  /** Whether the text encoder is the one of CLIP and SigLIP. */
  private boolean isPlain() {
    return textModel().isEmpty() && !hasClsToken();
  }

  /**
   * The name of transformers' model that is the text encoder; empty where it is open_clip's own.
   */
  String textModel() {
    return text.findString("hf_model_name").orElse("");
  }

  /** Whether a text has a token behind all others that speaks for it, as CoCa's have. */
  boolean hasClsToken() {
    return text.flag("embed_cls", false);
  }

  /** Whether queries attend to the image, as CoCa's do. */
  boolean poolsByAttention() {
    return vision.flag("attentional_pool", false);
  }

  /** An error: the configuration asks for what this program does not compute. */
  UnsupportedArchitectureException unsupported(String key, String what) {
    return unsupported(root, key, what);
  }

  private void requireKnown(HfConfig section) {
    for (String key : UNKNOWN_FEATURES) {
      JsonNode value = section.find(key);
      if (value != null && !(value.isBoolean() && !value.asBoolean())) {
        throw unsupported(root, key, "a variant that is not computed (" + value + ")");
      }
    }
  }

  private static UnsupportedArchitectureException unsupported(
      HfConfig root, String key, String what) {
    return new UnsupportedArchitectureException(
        "%s: '%s' asks for %s.".formatted(root.file(), key, what));
  }

  /** Whether the image encoder is a residual network, whose layers are a list. */
  boolean isResNet() {
    JsonNode layers = vision.find("layers");
    return layers != null && layers.isArray();
  }

  /** The name of timm's model that is the image encoder; empty where it is open_clip's own. */
  String timmModel() {
    return vision.findString("timm_model_name").orElse("");
  }

  /** {@code vision_cfg}. */
  HfConfig vision() {
    return vision;
  }

  /** {@code text_cfg}. */
  HfConfig text() {
    return text;
  }

  /**
   * What is done to a text in front of a tokenizer of transformers.
   *
   * @throws UnsupportedArchitectureException if the tokenizer is changed in a way that is not known
   */
  String cleaning() {
    HfConfig kwargs = text.findSection("tokenizer_kwargs", "").orElse(null);
    if (kwargs == null) {
      return "whitespace";
    }
    Set<String> others = new TreeSet<>(kwargs.keys());
    others.remove("clean");
    if (!others.isEmpty()) {
      throw unsupported(
          root, "text_cfg.tokenizer_kwargs." + others.iterator().next(), "what is not known");
    }
    String clean = kwargs.findString("clean").orElse("whitespace");
    if (!Set.of("whitespace", "lower", "canonicalize").contains(clean)) {
      throw kwargs.invalid("clean", "whitespace, lower or canonicalize", "'" + clean + "'");
    }
    return clean;
  }

  /** Width of the vectors. */
  int dimension() {
    return model.integer("embed_dim");
  }

  /** Pixels of a side. */
  int imageSize() {
    int[] sizes = vision.integers("image_size");
    boolean square = sizes.length == 1 || (sizes.length == 2 && sizes[0] == sizes[1]);
    if (!square) {
      throw vision.invalid("image_size", "a number, or two that are equal", "" + sizes.length);
    }
    return sizes[0];
  }

  /** The image encoder as {@code CLIPVisionConfig} would say it. */
  HfConfig visionWords() {
    int width = vision.integer("width");
    ObjectNode node = layers(vision, width, width / vision.integer("head_width"));
    node.put("image_size", imageSize());
    int[] patch = vision.integers("patch_size");
    if (patch.length != 1 && (patch.length != 2 || patch[0] != patch[1])) {
      throw vision.invalid("patch_size", "a number, or two that are equal", "" + patch.length);
    }
    node.put("patch_size", patch[0]);
    return vision.reworded(node);
  }

  /** The text encoder as {@code CLIPTextConfig} would say it. */
  HfConfig textWords() {
    ObjectNode node = layers(text, text.integer("width"), text.integer("heads"));
    node.put("vocab_size", text.integer("vocab_size"));
    int cls = hasClsToken() ? 1 : 0;
    node.put("max_position_embeddings", text.integer("context_length") + cls);
    return text.reworded(node);
  }

  private ObjectNode layers(HfConfig section, int width, int nHead) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("hidden_size", width);
    node.put("intermediate_size", (int) (width * section.real("mlp_ratio")));
    node.put("num_attention_heads", nHead);
    node.put("num_hidden_layers", section.integer("layers"));
    HfConfig norm = section.findSection("norm_kwargs", "").orElse(null);
    node.put("layer_norm_eps", norm == null ? EPS : norm.findReal("eps").orElse(EPS));
    node.put("hidden_act", activation(section));
    return node;
  }

  private String activation(HfConfig section) {
    if (model.flag("quick_gelu", false)) {
      return "quick_gelu";
    }
    HfConfig kwargs = section.findSection("act_kwargs", "").orElse(null);
    String form = kwargs == null ? "none" : kwargs.findString("approximate").orElse("none");
    return switch (form) {
      case "none" -> "gelu";
      case "tanh" -> "gelu_pytorch_tanh";
      default -> throw section.invalid("act_kwargs.approximate", "none or tanh", form);
    };
  }

  /**
   * Preprocessing as {@code CLIPImageProcessor} would say it, and how images are brought to size.
   */
  HfConfig processorWords() {
    HfConfig preprocess =
        root.findSection("preprocess_cfg", "open_clip_preprocess")
            .orElseGet(() -> root.reworded(JsonNodeFactory.instance.objectNode()))
            .as("open_clip_preprocess");
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.set("image_mean", perChannel(preprocess, "mean"));
    node.set("image_std", perChannel(preprocess, "std"));
    String filter = preprocess.findString("interpolation").orElse("bicubic");
    node.put(
        "resample",
        switch (filter) {
          case "bicubic", "random" -> 3;
          case "bilinear" -> 2;
          default -> throw preprocess.invalid("interpolation", "bicubic or bilinear", filter);
        });
    String mode = preprocess.findString("resize_mode").orElse("shortest");
    int side = imageSize();
    switch (mode) {
      case "shortest" -> node.putObject("size").put("shortest_edge", side);
      case "squash" -> node.putObject("size").put("height", side).put("width", side);
      case "longest" -> {
        node.putObject("size").put("longest_edge", side);
        node.put("fill_color", preprocess.integerOr("fill_color", 0));
      }
      default ->
          throw preprocess.invalid("resize_mode", "shortest, longest or squash", "'" + mode + "'");
    }
    return preprocess.reworded(node);
  }

  /** Three numbers, or one for all. */
  private static ArrayNode perChannel(HfConfig preprocess, String key) {
    JsonNode value = preprocess.find(key);
    ArrayNode out = JsonNodeFactory.instance.arrayNode();
    for (int i = 0; i < 3; i++) {
      JsonNode one = value != null && value.isArray() ? value.get(i) : value;
      if (one == null || !one.isNumber()) {
        throw preprocess.invalid(key, "three numbers, or one", "" + value);
      }
      out.add(one);
    }
    return out;
  }
}
