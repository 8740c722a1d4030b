package dev.ocellus.vlm.vision;

/**
 * Chat templates that text models were trained with, for files that bring none. A vision family
 * names the one of its text models; {@code dev.ocellus.vlm.prompt} has their texts.
 */
public enum ChatTemplateName {
  /**
   * The plain prompt of BLIP-2 and InstructBLIP: images, the beginning of the sequence, the text.
   */
  BLIP2,
  /** {@code <|im_start|>role}, the message, {@code <|im_end|>} (OpenAI's ChatML). */
  CHATML,
  /** ChatML as Qwen2 has it: a system message stands first, if need be one of its own. */
  CHATML_QWEN2,
  /** ChatML as Qwen-VL has it: images and videos stand between marks of their own. */
  CHATML_QWEN_VL,
  /** ChatML as LLaVA-OneVision has it: images stand in front of the text. */
  CHATML_LLAVA_ONEVISION,
  /** Florence-2's prompt: the image, and the sentence that a task stands for. */
  FLORENCE2,
  /** DeepSeek-OCR's plain prompt: a line for each image, then the text. */
  DEEPSEEK_OCR,
  /** Gemma's turns with images. */
  GEMMA3,
  /** Granite 4's roles, with images on a line of their own. */
  GRANITE4,
  /** GLM-4V's turns behind {@code [gMASK]<sop>}, with images and videos between marks. */
  GLM4V,
  /** HunyuanOCR's turns, which end with the marks of who speaks. */
  HUNYUAN_VL,
  /** Gemma 4's turns with images, without tools and reasoning. */
  GEMMA4,
  /** Idefics3's and SmolVLM's turns, with images and videos. */
  IDEFICS3,
  /** Janus' turns, {@code <|User|>:} and {@code <|Assistant|>:}. */
  JANUS,
  /** Llama 3's headers. */
  LLAMA3,
  /** Llama 4's headers, with images. */
  LLAMA4,
  /** Mistral's {@code [INST]} with images. */
  MISTRAL,
  /** PaddleOCR-VL's turns, {@code User: } and {@code Assistant: }, images in front of the text. */
  PADDLEOCR,
  /** PaliGemma's prompt: images, the beginning of the sequence, the text. */
  PALIGEMMA,
  /** ChatML as Qwen-VL-Chat of 2023 has it: numbered images, each on a line of its own. */
  QWEN_VL_CHAT,
  /** Vicuna's {@code USER:} and {@code ASSISTANT:}. */
  VICUNA
}
