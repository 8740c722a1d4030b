package dev.ocellus;

/**
 * What a caller can set, by its name in the API. Exceptions name the settings that they are about,
 * so that a command line can add its options and a server the fields of its requests.
 */
public enum Setting {
  MODEL("LoadOptions.model"),
  MMPROJ("LoadOptions.mmproj"),
  CHAT_TEMPLATE("LoadOptions.chatTemplate"),
  UNCHECKED_ARCHITECTURE("ModelOptions.allowUnchecked"),
  GPU_LAYERS("ModelOptions.nGpuLayers"),
  CONTEXT_SIZE("ContextOptions.nCtx"),
  BATCH("ContextOptions.nBatch"),
  MICRO_BATCH("ContextOptions.nUbatch"),
  THREADS("ContextOptions.nThreads"),
  THREADS_BATCH("ContextOptions.nThreadsBatch"),
  CACHE_TYPE_K("ContextOptions.typeK"),
  CACHE_TYPE_V("ContextOptions.typeV"),
  FLASH_ATTENTION("ContextOptions.flashAttention"),
  DRAFT_MODEL("Speculation.draftModel"),
  DRAFT_MAX("Speculation.draftMax"),
  DRAFT_MIN_PROBABILITY("Speculation.draftMinProbability"),
  PARALLEL("SessionOptions.parallel"),
  PAN_AND_SCAN("ImageOptions.panAndScan"),
  IMAGE_MIN_TOKENS("ImageOptions.minTokens"),
  IMAGE_MAX_TOKENS("ImageOptions.maxTokens"),
  MODEL_TYPE("EmbeddingOptions.modelType"),
  DIMENSION("VisionLanguageEmbedder.dimension"),
  MAX_TOKENS("GenerationOptions.maxTokens"),
  BEAMS("GenerationOptions.beams"),
  LOG_PROBS("GenerationOptions.logProbs"),
  IGNORE_EOS("GenerationOptions.ignoreEos"),
  TOOL_CHOICE("PromptOptions.toolChoice"),
  TOOLS("PromptOptions.tools"),
  CHUNK_SIZE("TextChunks.chunkSize"),
  IMPORTANCE_MATRIX("QuantizeOptions.importance"),
  TENSOR_TYPE("QuantizeOptions.overrides"),
  ALLOW_REQUANTIZE("QuantizeOptions.allowRequantize"),
  PRE_TOKENIZER("ConvertOptions.preTokenizer"),
  BASE_MODEL("ConvertOptions.base"),
  OUTPUT_TYPE("ConvertOptions.type"),
  INDEX_PLACE("IndexLocation.index"),
  REBUILD_INDEX("UpdateOptions.rebuild"),
  DPI("DocumentOptions.dpi"),
  PAGES("PageRange.text"),
  OCR_PROMPT("OcrOptions.prompt"),
  PASSWORD("DocumentOptions.password"),
  MAX_MEMORY("ComputeOptions.maxBytes"),
  TLS_CERTIFICATES("TlsFiles.certificates"),
  TLS_KEY("TlsFiles.key");

  private final String apiName;

  Setting(String apiName) {
    this.apiName = apiName;
  }

  /** Class and property, such as {@code ContextOptions.nCtx}. */
  public String apiName() {
    return apiName;
  }
}
