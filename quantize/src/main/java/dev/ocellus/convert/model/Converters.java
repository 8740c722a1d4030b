package dev.ocellus.convert.model;

import dev.ocellus.UnsupportedArchitectureException;
import dev.ocellus.convert.hf.HfConfig;
import dev.ocellus.convert.hf.HfFolder;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.ModelConverter;
import dev.ocellus.convert.model.base.TextConfigs;
import dev.ocellus.convert.model.caption.BartText;
import dev.ocellus.convert.model.caption.Blip2Vision;
import dev.ocellus.convert.model.caption.BlipModel;
import dev.ocellus.convert.model.caption.Florence2Vision;
import dev.ocellus.convert.model.caption.InstructBlipVision;
import dev.ocellus.convert.model.caption.OptText;
import dev.ocellus.convert.model.caption.T5Text;
import dev.ocellus.convert.model.dual.ChineseClipModel;
import dev.ocellus.convert.model.dual.ClipModel;
import dev.ocellus.convert.model.dual.InternVlDualModel;
import dev.ocellus.convert.model.dual.MetaClip2Model;
import dev.ocellus.convert.model.dual.OpenClipModel;
import dev.ocellus.convert.model.dual.Siglip2Model;
import dev.ocellus.convert.model.dual.SiglipModel;
import dev.ocellus.convert.model.dual.VisionTextDualModel;
import dev.ocellus.convert.model.gemma.Gemma2Text;
import dev.ocellus.convert.model.gemma.Gemma3Text;
import dev.ocellus.convert.model.gemma.Gemma3Vision;
import dev.ocellus.convert.model.gemma.Gemma4Text;
import dev.ocellus.convert.model.gemma.Gemma4UnifiedVision;
import dev.ocellus.convert.model.gemma.Gemma4Vision;
import dev.ocellus.convert.model.gemma.GemmaText;
import dev.ocellus.convert.model.gemma.PaliGemmaVision;
import dev.ocellus.convert.model.llama.Granite4VisionEncoder;
import dev.ocellus.convert.model.llama.GraniteText;
import dev.ocellus.convert.model.llama.Idefics3Vision;
import dev.ocellus.convert.model.llama.LightOnOcrVision;
import dev.ocellus.convert.model.llama.Llama4Text;
import dev.ocellus.convert.model.llama.Llama4Vision;
import dev.ocellus.convert.model.llama.LlamaText;
import dev.ocellus.convert.model.llama.LlavaNextVision;
import dev.ocellus.convert.model.llama.LlavaOnevisionVision;
import dev.ocellus.convert.model.llama.LlavaVision;
import dev.ocellus.convert.model.llama.Mistral3Text;
import dev.ocellus.convert.model.llama.MllamaText;
import dev.ocellus.convert.model.llama.MllamaVision;
import dev.ocellus.convert.model.llama.PixtralVision;
import dev.ocellus.convert.model.llama.SmolLm3Text;
import dev.ocellus.convert.model.maker.JanusVision;
import dev.ocellus.convert.model.qwen.Qwen2Text;
import dev.ocellus.convert.model.qwen.Qwen2VlText;
import dev.ocellus.convert.model.qwen.Qwen2VlVision;
import dev.ocellus.convert.model.qwen.Qwen35MoeText;
import dev.ocellus.convert.model.qwen.Qwen35Text;
import dev.ocellus.convert.model.qwen.Qwen3MoeText;
import dev.ocellus.convert.model.qwen.Qwen3Text;
import dev.ocellus.convert.model.qwen.Qwen3VlMoeText;
import dev.ocellus.convert.model.qwen.Qwen3VlText;
import dev.ocellus.convert.model.qwen.Qwen3VlVision;
import dev.ocellus.convert.model.qwen.QwenText;
import dev.ocellus.convert.model.qwen.QwenVlVision;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The architectures that are converted, by the names of their classes in transformers. This is the
 * only list.
 */
public final class Converters {
  /** Makes a converter. */
  private interface Factory {
    ModelConverter create(Context context) throws IOException;
  }

  private static final Map<String, Factory> TEXT = new LinkedHashMap<>();
  private static final Map<String, Factory> VISION = new LinkedHashMap<>();
  private static final Map<String, Factory> DUAL =
      Map.of(
          "CLIPModel",
          ClipModel::new,
          "ChineseCLIPModel",
          ChineseClipModel::new,
          "MetaClip2Model",
          MetaClip2Model::new,
          "SiglipModel",
          SiglipModel::new,
          "Siglip2Model",
          Siglip2Model::new,
          "VisionTextDualEncoderModel",
          VisionTextDualModel::of,
          HfFolder.OPEN_CLIP,
          OpenClipModel::of);

  private static final String MATCHER = "BlipForImageTextRetrieval";

  private static final Map<String, Factory> FUSION =
      Map.of(
          "BlipForConditionalGeneration",
          context -> new BlipModel(context, BlipModel.Trade.CAPTION),
          "BlipForQuestionAnswering",
          context -> new BlipModel(context, BlipModel.Trade.QUESTIONS),
          MATCHER,
          context -> new BlipModel(context, BlipModel.Trade.MATCH));

  /** Language models whose configuration names no architecture, by {@code model_type}. */
  private static final Map<String, String> BY_TYPE =
      Map.ofEntries(
          Map.entry("llama", "LlamaForCausalLM"),
          Map.entry("llama4_text", "Llama4ForCausalLM"),
          Map.entry("mistral", "MistralForCausalLM"),
          Map.entry("ministral3", "Ministral3ForCausalLM"),
          Map.entry("qwen", "QWenLMHeadModel"),
          Map.entry("qwen2", "Qwen2ForCausalLM"),
          Map.entry("qwen2_vl", "Qwen2VLForConditionalGeneration"),
          Map.entry("qwen2_vl_text", "Qwen2VLForConditionalGeneration"),
          Map.entry("qwen2_5_vl", "Qwen2VLForConditionalGeneration"),
          Map.entry("qwen2_5_vl_text", "Qwen2VLForConditionalGeneration"),
          Map.entry("qwen3", "Qwen3ForCausalLM"),
          Map.entry("qwen3_moe", "Qwen3MoeForCausalLM"),
          Map.entry("qwen3_vl_moe_text", "Qwen3VLMoeForConditionalGeneration"),
          Map.entry("qwen3_vl_text", "Qwen3VLForConditionalGeneration"),
          Map.entry("qwen3_5_text", "Qwen3_5ForCausalLM"),
          Map.entry("qwen3_5_moe_text", "Qwen3_5MoeForCausalLM"),
          Map.entry("gemma", "GemmaForCausalLM"),
          Map.entry("gemma2", "Gemma2ForCausalLM"),
          Map.entry("gemma3_text", "Gemma3ForCausalLM"),
          Map.entry("glm4", "Glm4ForCausalLM"),
          Map.entry("glm4v_text", "Glm4ForCausalLM"),
          Map.entry("glm4_moe", "Glm4MoeForCausalLM"),
          Map.entry("glm4v_moe_text", "Glm4MoeForCausalLM"),
          Map.entry("glm_ocr_text", "Glm4ForCausalLM"),
          Map.entry("gemma4_text", "Gemma4ForCausalLM"),
          Map.entry("gemma4_unified_text", "Gemma4ForCausalLM"),
          Map.entry("smollm3", "SmolLM3ForCausalLM"),
          Map.entry("phi3", "Phi3ForCausalLM"),
          Map.entry("internlm2", "InternLM2ForCausalLM"),
          Map.entry("deepseek_v3", "DeepseekV3ForCausalLM"),
          Map.entry("kimi_k2", "DeepseekV3ForCausalLM"),
          Map.entry("granite", "GraniteForCausalLM"),
          Map.entry("granite4_vision_text", "GraniteForCausalLM"),
          Map.entry("lfm2", "Lfm2ForCausalLM"),
          Map.entry("opt", "OPTForCausalLM"),
          Map.entry("mllama_text_model", "MllamaForConditionalGeneration"),
          Map.entry("bart", "BartForConditionalGeneration"),
          Map.entry("florence2_language", "BartForConditionalGeneration"),
          Map.entry("t5", "T5ForConditionalGeneration"));

  static {
    text(LlamaText::new, "LlamaForCausalLM", "LLaMAForCausalLM", "MistralForCausalLM");
    text(LlamaText::new, "VLlama3ForCausalLM", "InternLM3ForCausalLM");
    text(Llama4Text::new, "Llama4ForCausalLM", "Llama4ForConditionalGeneration");
    text(Mistral3Text::new, "Mistral3ForConditionalGeneration", "Ministral3ForCausalLM");
    text(SmolLm3Text::new, "SmolLM3ForCausalLM");
    text(QwenText::new, "QWenLMHeadModel");
    text(Qwen2Text::new, "Qwen2ForCausalLM");
    text(Qwen2VlText::new, "Qwen2VLForConditionalGeneration", "Qwen2_5_VLForConditionalGeneration");
    text(Qwen3Text::new, "Qwen3ForCausalLM");
    text(Qwen3MoeText::new, "Qwen3MoeForCausalLM");
    text(Qwen3VlMoeText::new, "Qwen3VLMoeForConditionalGeneration");
    text(Qwen3VlText::new, "Qwen3VLForConditionalGeneration");
    text(Qwen35Text::new, "Qwen3_5ForCausalLM", "Qwen3_5ForConditionalGeneration");
    text(Qwen35MoeText::new, "Qwen3_5MoeForCausalLM", "Qwen3_5MoeForConditionalGeneration");
    text(GemmaText::new, "GemmaForCausalLM");
    text(Gemma2Text::new, "Gemma2ForCausalLM");
    text(Gemma3Text::new, "Gemma3ForCausalLM", "Gemma3ForConditionalGeneration");
    text(Glm4Text::new, "Glm4ForCausalLM");
    text(Glm4MoeText::new, "Glm4MoeForCausalLM", "Glm4vMoeForConditionalGeneration");
    text(DeepseekOcr2Text::new, "DeepseekOcr2ForConditionalGeneration");
    text(HunyuanVlText::new, "HunYuanVLForConditionalGeneration");
    text(PaddleOcrText::new, "PaddleOCRVLForConditionalGeneration");
    text(Gemma4Text::new, "Gemma4ForCausalLM", "Gemma4ForConditionalGeneration");
    text(Gemma4Text::new, "Gemma4UnifiedForCausalLM", "Gemma4UnifiedForConditionalGeneration");
    text(Phi3Text::new, "Phi3ForCausalLM");
    text(InternLm2Text::new, "InternLM2ForCausalLM");
    text(DeepSeekText::new, "DeepseekV3ForCausalLM");
    text(GraniteText::new, "GraniteForCausalLM");
    text(Lfm2Text::new, "Lfm2ForCausalLM", "LFM2ForCausalLM");
    text(OptText::new, "OPTForCausalLM");
    text(MiniCpmVText::of, "MiniCPMV");
    text(MllamaText::new, "MllamaForConditionalGeneration", "MllamaForCausalLM");
    text(
        BartText::new, "BartForConditionalGeneration", "Florence2LanguageForConditionalGeneration");
    text(T5Text::new, "T5ForConditionalGeneration", "T5WithLMHeadModel");

    vision(Converters::llava, "LlavaForConditionalGeneration");
    vision(LlavaNextVision::new, "LlavaNextForConditionalGeneration");
    vision(LlavaOnevisionVision::new, "LlavaOnevisionForConditionalGeneration");
    vision(PixtralVision::new, "Mistral3ForConditionalGeneration");
    vision(
        LightOnOcrVision::new,
        "LightOnOcrForConditionalGeneration",
        "LightOnOCRForConditionalGeneration");
    vision(InternVlVision::new, "InternVLForConditionalGeneration", "InternVLChatModel");
    vision(QwenVlVision::new, "QWenLMHeadModel");
    vision(
        Qwen2VlVision::new,
        "Qwen2VLForConditionalGeneration",
        "Qwen2_5_VLForConditionalGeneration");
    vision(
        Qwen3VlVision::new,
        "Qwen3VLForConditionalGeneration",
        "Qwen3VLMoeForConditionalGeneration",
        "Qwen3_5ForConditionalGeneration",
        "Qwen3_5MoeForConditionalGeneration");
    vision(
        Idefics3Vision::new, "Idefics3ForConditionalGeneration", "SmolVLMForConditionalGeneration");
    vision(Llama4Vision::new, "Llama4ForConditionalGeneration");
    vision(Gemma3Vision::new, "Gemma3ForConditionalGeneration");
    vision(
        Glm4vVision::new,
        "Glm4vForConditionalGeneration",
        "Glm4vMoeForConditionalGeneration",
        "Glm46VForConditionalGeneration",
        "GlmOcrForConditionalGeneration");
    vision(DeepseekOcr2Vision::new, "DeepseekOcr2ForConditionalGeneration");
    vision(HunyuanVlVision::new, "HunYuanVLForConditionalGeneration");
    vision(PaddleOcrVision::new, "PaddleOCRVLForConditionalGeneration");
    vision(Gemma4Vision::new, "Gemma4ForConditionalGeneration");
    vision(Gemma4UnifiedVision::new, "Gemma4UnifiedForConditionalGeneration");
    vision(PaliGemmaVision::new, "PaliGemmaForConditionalGeneration");
    vision(JanusVision::new, "JanusForConditionalGeneration");
    vision(Granite4VisionEncoder::new, "Granite4VisionForConditionalGeneration");
    vision(MiniCpmV46Vision::new, "MiniCPMV4_6ForConditionalGeneration");
    vision(MiniCpmV46Vision::ofVersion47, "MiniCPMV4_7ForConditionalGeneration");
    vision(
        KimiK25Vision::new, "KimiK25ForConditionalGeneration", "Kimi_K25ForConditionalGeneration");
    vision(KimiVlVision::new, "KimiVLForConditionalGeneration");
    vision(MiniCpmVVision::new, "MiniCPMV");
    vision(Lfm2VlVision::new, "Lfm2VlForConditionalGeneration");
    vision(Blip2Vision::new, "Blip2ForConditionalGeneration");
    vision(InstructBlipVision::new, "InstructBlipForConditionalGeneration");
    vision(MllamaVision::new, "MllamaForConditionalGeneration");
    vision(Florence2Vision::new, "Florence2ForConditionalGeneration");
  }

  private Converters() {}

  private static void text(Factory factory, String... names) {
    for (String name : names) {
      TEXT.put(name, factory);
    }
  }

  private static void vision(Factory factory, String... names) {
    for (String name : names) {
      VISION.put(name, factory);
    }
  }

  /** Pixtral's checkpoints in transformers' layout call themselves LLaVA. */
  private static ModelConverter llava(Context context) throws IOException {
    boolean pixtral =
        context
            .folder()
            .config()
            .findSection("vision_config", "clip_vision_model")
            .filter(v -> v.modelType().equals("pixtral"))
            .isPresent();
    return pixtral ? new PixtralVision(context) : new LlavaVision(context);
  }

  /**
   * The converter of a checkpoint's language model.
   *
   * @throws UnsupportedArchitectureException if it is none of those known
   */
  public static ModelConverter text(Context context) throws IOException {
    HfConfig root = context.folder().config();
    String name = textArchitecture(root);
    Factory factory = name == null ? null : TEXT.get(name);
    if (factory == null) {
      throw unknown(context, "language model", root, TEXT);
    }
    return factory.create(context);
  }

  private static @Nullable String textArchitecture(HfConfig root) {
    Optional<String> own = TextConfigs.architecture(root);
    if (own.filter(TEXT::containsKey).isPresent()) {
      return own.get();
    }
    Optional<String> wrapper = root.architecture().filter(TEXT::containsKey);
    return wrapper.orElseGet(() -> BY_TYPE.get(TextConfigs.modelType(root)));
  }

  /**
   * The converter of a checkpoint's image encoder, or nothing for a model of text alone.
   *
   * @throws UnsupportedArchitectureException if it has one that is not known
   */
  public static Optional<ModelConverter> vision(Context context) throws IOException {
    HfConfig root = context.folder().config();
    if (root.findSection("vision_config", "").or(() -> root.findSection("visual", "")).isEmpty()) {
      return Optional.empty();
    }
    Factory factory = root.architecture().map(VISION::get).orElse(null);
    if (factory == null) {
      throw unknown(context, "image encoder", root, VISION);
    }
    return Optional.of(factory.create(context));
  }

  /** The converter of a checkpoint that is a dual encoder, or nothing for another kind. */
  public static Optional<ModelConverter> dual(Context context) throws IOException {
    if (InternVlDualModel.isOne(context)) {
      return Optional.of(new InternVlDualModel(context));
    }
    return find(DUAL, context);
  }

  /**
   * The converter of a checkpoint whose texts attend to images, which becomes one file, or nothing
   * for another kind.
   */
  public static Optional<ModelConverter> fusion(Context context) throws IOException {
    return find(FUSION, context);
  }

  /** Whether a checkpoint is of a class whose texts attend to images. */
  public static boolean isFusion(HfConfig root) {
    return isInternVl(root) || root.architecture().filter(FUSION::containsKey).isPresent();
  }

  private static Optional<ModelConverter> find(Map<String, Factory> known, Context context)
      throws IOException {
    Factory factory = context.folder().config().architecture().map(known::get).orElse(null);
    return factory == null ? Optional.empty() : Optional.of(factory.create(context));
  }

  /**
   * Refuses a checkpoint that is no dual encoder.
   *
   * @throws UnsupportedArchitectureException with what it is, as far as it is known
   */
  public static void requireDual(HfConfig root) {
    if (!isDual(root)) {
      throw anotherKind(root, "a dual encoder of images and texts", DUAL.keySet());
    }
  }

  private static boolean isDual(HfConfig root) {
    return root.architecture().filter(DUAL::containsKey).isPresent() || isInternVl(root);
  }

  /** InternVL 1.0 gives vectors, captions and matches; transformers has another of its class. */
  private static boolean isInternVl(HfConfig root) {
    return root.says("qllama_config");
  }

  /**
   * Refuses a checkpoint that does not compare images with texts which attend to them.
   *
   * @throws UnsupportedArchitectureException with what it is, as far as it is known
   */
  public static void requireMatcher(HfConfig root) {
    if (root.architecture().filter(MATCHER::equals).isEmpty() && !isInternVl(root)) {
      throw anotherKind(
          root, "a model that matches images and texts", Set.of(MATCHER, "InternVLModel"));
    }
  }

  private static UnsupportedArchitectureException anotherKind(
      HfConfig root, String expected, Set<String> known) {
    String name = root.architecture().orElse("");
    return new UnsupportedArchitectureException(
        "%s: the checkpoint is %s (model_type '%s'), not %s that is known; known are %s.%s"
            .formatted(
                root.file(),
                name.isEmpty() ? "of a class that config.json does not name" : "a '" + name + "'",
                root.modelType(),
                expected,
                String.join(", ", new TreeSet<>(known)),
                trade(root, name)));
  }

  /** What a checkpoint does instead. */
  private static String trade(HfConfig root, String name) {
    if (isDual(root)) {
      return " It is a dual encoder, which gives vectors of images and of texts.";
    }
    if (name.equals(MATCHER)) {
      return " It matches images and texts.";
    }
    if (FUSION.containsKey(name)) {
      return " It writes about images.";
    }
    boolean chats = TEXT.containsKey(name) || VISION.containsKey(name);
    return chats ? " It answers in a chat and gives no vectors." : "";
  }

  private static UnsupportedArchitectureException unknown(
      Context context, String what, HfConfig root, Map<String, Factory> known) {
    return new UnsupportedArchitectureException(
        "%s: no converter for the %s of architecture %s (model_type '%s'). Known are %s. docs/ADDING_A_MODEL.md tells how to add one."
            .formatted(
                context.folder().config().file(),
                what,
                root.architecture()
                    .or(() -> TextConfigs.architecture(root))
                    .map(a -> "'" + a + "'")
                    .orElse("that config.json does not name"),
                root.modelType(),
                String.join(", ", new TreeSet<>(known.keySet()))));
  }
}
