package dev.ocellus.llama;

import dev.ocellus.InvalidSettingException;
import dev.ocellus.Setting;
import dev.ocellus.ffi.ggml_h;
import dev.ocellus.ggml.Device;
import dev.ocellus.gguf.TensorType;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;

/** Refuses what libllama would end the process on, or the kernel, when a context is made. */
final class ContextGuard {
  /** Numbers of 4 bytes in a cache line. */
  private static final int OUTPUTS_IN_LINE = 16;

  private static final Set<TensorType> CACHE_TYPES =
      EnumSet.of(
          TensorType.F32,
          TensorType.F16,
          TensorType.BF16,
          TensorType.Q8_0,
          TensorType.Q4_0,
          TensorType.Q4_1,
          TensorType.IQ4_NL,
          TensorType.Q5_0,
          TensorType.Q5_1);

  /** Hidden states of a micro-batch that ggml keeps at the same time, by experience. */
  private static final int HIDDEN_STATES = 8;

  private ContextGuard() {}

  /**
   * Checks the options of a context that is to be made now.
   *
   * @throws IllegalArgumentException for an option out of range, or that does not fit the model
   * @throws ContextMemoryException if there is too little free memory
   */
  static void check(LlamaModel model, ContextOptions options) {
    checkRanges(options);
    checkCacheTypes(options, model.sizes().headSize());
    if (model.nGpuLayers() == 0 || Device.gpus().isEmpty()) {
      checkMemory(model.sizes(), model.vocab().nTokens(), nCtx(model, options), options, free());
    }
  }

  /** Tokens that the context is to hold. */
  static int nCtx(LlamaModel model, ContextOptions options) {
    return options.nCtx() == 0 ? model.nCtxTrain() : options.nCtx();
  }

  static void checkRanges(ContextOptions o) {
    range(Setting.CONTEXT_SIZE, "context (nCtx)", o.nCtx(), 0, ContextOptions.MAX_CONTEXT);
    range(Setting.BATCH, "batch (nBatch)", o.nBatch(), 1, ContextOptions.MAX_BATCH);
    range(Setting.MICRO_BATCH, "micro-batch (nUbatch)", o.nUbatch(), 0, ContextOptions.MAX_BATCH);
    range(Setting.PARALLEL, "sequences (nSeqMax)", o.nSeqMax(), 1, ContextOptions.MAX_SEQUENCES);
    range(
        "spare sequences (nSeqSpare)",
        o.nSeqSpare(),
        0,
        ContextOptions.MAX_SEQUENCES - o.nSeqMax());
    range(Setting.DRAFT_MAX, "outputs (nOutputsMax)", o.nOutputsMax(), 1, 1 << 20);
    range(Setting.THREADS, "threads (nThreads)", o.nThreads(), 1, ggml_h.GGML_MAX_N_THREADS());
    range(
        Setting.THREADS_BATCH,
        "batch threads (nThreadsBatch)",
        o.nThreadsBatch(),
        1,
        ggml_h.GGML_MAX_N_THREADS());
  }

  static void checkCacheTypes(ContextOptions o, int headSize) {
    if (!CACHE_TYPES.contains(o.typeK()) || !CACHE_TYPES.contains(o.typeV())) {
      throw new InvalidSettingException(
          "cache types (typeK, typeV): expected some of %s, found %s and %s"
              .formatted(CACHE_TYPES, o.typeK(), o.typeV()),
          Setting.CACHE_TYPE_K,
          Setting.CACHE_TYPE_V);
    }
    if (o.typeV().isQuantized() && o.flashAttention() == ContextOptions.FlashAttention.OFF) {
      throw new InvalidSettingException(
          "A quantized value cache (typeV %s) needs flash attention (flashAttention)"
              .formatted(o.typeV().ggmlName()),
          Setting.FLASH_ATTENTION,
          Setting.CACHE_TYPE_V);
    }
    for (TensorType type : new TensorType[] {o.typeK(), o.typeV()}) {
      if (headSize % type.blockSize() != 0) {
        throw new InvalidSettingException(
            "cache types (typeK, typeV): %s stores blocks of %d elements, and the heads of this model have %d; use f16"
                .formatted(type.ggmlName(), type.blockSize(), headSize),
            Setting.CACHE_TYPE_K,
            Setting.CACHE_TYPE_V);
      }
    }
  }

  private static Optional<FreeMemory> free() {
    return FreeMemory.now()
        .or(() ->
            Optional.of(Device.cpu().totalMemory())
                .filter(bytes -> bytes > 0)
                .map(bytes -> new FreeMemory(bytes, "of this machine")));
  }

  /** libllama fills the cache with zeros at once, so all of it must be there. */
  static void checkMemory(
      Hyperparameters sizes,
      int nVocab,
      int nCtx,
      ContextOptions options,
      Optional<FreeMemory> free) {
    long needed = bytes(sizes, nVocab, nCtx, options);
    if (free.isPresent() && needed > free.get().bytes()) {
      throw new ContextMemoryException(
          nCtx, options.nSeqMax(), needed, free.get().bytes(), free.get().source());
    }
  }

  /** Bytes of keys and values for all positions in every layer, and of what is computed with. */
  private static long bytes(Hyperparameters sizes, int nVocab, int nCtx, ContextOptions o) {
    Hyperparameters.Cache cache = sizes.cache();
    double perToken =
        cache.keys() * o.typeK().bitsPerElement() + cache.values() * o.typeV().bitsPerElement();
    double states = (double) Float.BYTES * cache.state() * o.nSeqAll();
    double hidden = 4.0 * HIDDEN_STATES * sizes.nEmbd() * Math.min(o.microBatch(), nCtx);
    double logits = 4.0 * nVocab * nOutputs(o);
    return (long) (nCtx * perToken / 8 + states + hidden + logits);
  }

  /**
   * Entries whose logits there is room for. libllama's list of them lies in front of what it
   * computes with, and ggml only keeps to multiples of 32 bytes: were the list no multiple of a
   * cache line, all that follows would straddle two, and prompts took a quarter longer.
   */
  static int nOutputs(ContextOptions options) {
    int wanted = Math.max(options.nOutputsMax(), options.nSeqAll());
    return Math.ceilDiv(wanted, OUTPUTS_IN_LINE) * OUTPUTS_IN_LINE;
  }

  static void range(String name, int value, int min, int max) {
    if (value < min || value > max) {
      throw new IllegalArgumentException(outOfRange(name, value, min, max));
    }
  }

  private static String outOfRange(String name, int value, int min, int max) {
    return "%s: expected %d to %d, found %d".formatted(name, min, max, value);
  }

  private static void range(Setting setting, String name, int value, int min, int max) {
    if (value < min || value > max) {
      throw new InvalidSettingException(outOfRange(name, value, min, max), setting);
    }
  }
}
