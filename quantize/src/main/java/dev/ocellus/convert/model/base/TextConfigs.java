package dev.ocellus.convert.model.base;

import dev.ocellus.convert.hf.HfConfig;
import java.util.List;
import java.util.Map;

/** Finds the language model's part of a configuration. */
public final class TextConfigs {
  private static final List<String> SECTIONS =
      List.of("text_config", "llm_config", "language_config");

  /** Classes of text sections that do not say their own. */
  private static final Map<String, String> SECTION_CLASS =
      Map.ofEntries(
          Map.entry("qwen3_5", "qwen3_5_text"),
          Map.entry("qwen3_5_moe", "qwen3_5_moe_text"),
          Map.entry("qwen3_vl_moe", "qwen3_vl_moe_text"),
          Map.entry("qwen2_vl", "qwen2_vl_text"),
          Map.entry("qwen2_5_vl", "qwen2_5_vl_text"),
          Map.entry("qwen3_vl", "qwen3_vl_text"),
          Map.entry("gemma3", "gemma3_text"),
          Map.entry("glm4v", "glm4v_text"),
          Map.entry("glm46v", "glm4v_text"),
          Map.entry("glm4v_moe", "glm4v_moe_text"),
          Map.entry("lighton_ocr", "qwen3"),
          Map.entry("glm_ocr", "glm_ocr_text"),
          Map.entry("deepseek_ocr2", "deepseek_ocr2_text"),
          Map.entry("hunyuan_vl", "hunyuan_vl_text"),
          Map.entry("paddleocr_vl", "paddleocr_vl_text"),
          Map.entry("gemma4", "gemma4_text"),
          Map.entry("gemma4_unified", "gemma4_unified_text"),
          Map.entry("mistral3", "mistral"),
          Map.entry("lfm2_vl", "lfm2"),
          Map.entry("kimi_k25", "deepseek_v3"),
          Map.entry("kimi_vl", "deepseek_v3"),
          Map.entry("minicpmv4_6", "qwen3_5_text"),
          Map.entry("minicpmv4_7", "qwen3_5_text"),
          Map.entry("granite4_vision", "granite4_vision_text"),
          Map.entry("paligemma", "gemma"),
          Map.entry("llava_onevision", "qwen2"),
          Map.entry("internvl", "qwen2"),
          Map.entry("blip-2", "opt"),
          Map.entry("florence2", "bart"),
          Map.entry("mllama", "mllama_text_model"),
          Map.entry("llama4", "llama4_text"),
          Map.entry("instructblip", "opt"));

  private TextConfigs() {}

  /** The section with the root's keys under it, or the root where there is no section. */
  public static HfConfig of(HfConfig root) {
    String type = SECTION_CLASS.getOrDefault(root.modelType(), root.modelType());
    for (String name : SECTIONS) {
      var section = root.findSection(name, type.isEmpty() ? "llama" : llamaUnlessKnown(root, type));
      if (section.isPresent()) {
        return section.get().over(root);
      }
    }
    if (type.equals("minicpmv")) { // the class depends on the version
      return root.as(MiniCpmVersion.of(root).type());
    }
    return type.equals(root.modelType()) ? root : root.as(type);
  }

  /** Wrappers whose text section is a Llama unless it says otherwise. */
  private static String llamaUnlessKnown(HfConfig root, String type) {
    return type.equals(root.modelType()) ? "llama" : type;
  }

  /** The {@code model_type} of the language model. */
  public static String modelType(HfConfig root) {
    for (String name : SECTIONS) {
      var section = root.findSection(name, "llama");
      if (section.isPresent()) {
        String own = section.get().modelType();
        return own.isEmpty() ? SECTION_CLASS.getOrDefault(root.modelType(), "llama") : own;
      }
    }
    return root.modelType();
  }

  /** The architecture that the language model's section names, if it does. */
  public static java.util.Optional<String> architecture(HfConfig root) {
    for (String name : SECTIONS) {
      var section = root.findSection(name, "llama");
      if (section.isPresent()) {
        return section.get().architecture();
      }
    }
    return root.architecture();
  }
}
