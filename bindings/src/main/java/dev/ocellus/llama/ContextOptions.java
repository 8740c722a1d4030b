package dev.ocellus.llama;

import dev.ocellus.gguf.TensorType;
import dev.ocellus.nativelib.NativeVersion;
import java.nio.ByteOrder;
import java.util.function.Consumer;

/**
 * How a context is made.
 *
 * @param nCtx tokens that it holds; 0 for what the model was trained with
 * @param nBatch most tokens of one {@link LlamaContext#decode}
 * @param nUbatch most tokens that are computed at once; 0 for 512, or more where a model has to
 *     compute an image at once
 * @param nSeqMax most sequences that are computed
 * @param nSeqSpare further sequences, which hold cells of others ({@link LlamaContext#share}) and
 *     are not computed
 * @param nOutputsMax most tokens of one decode whose logits are wanted
 * @param nThreads threads for one token at a time
 * @param nThreadsBatch threads for batches
 * @param typeK element type of the key cache
 * @param typeV element type of the value cache
 * @param flashAttention whether attention is computed in one kernel
 * @param embeddingAttention what the embeddings of a batch attend to
 */
public record ContextOptions(
    int nCtx,
    int nBatch,
    int nUbatch,
    int nSeqMax,
    int nSeqSpare,
    int nOutputsMax,
    int nThreads,
    int nThreadsBatch,
    TensorType typeK,
    TensorType typeV,
    FlashAttention flashAttention,
    EmbeddingAttention embeddingAttention) {

  private static final int DEFAULT_UBATCH = 512;

  /** Most tokens of a context. */
  public static final int MAX_CONTEXT = 1 << 28;

  /** Most tokens of a batch and of a micro-batch. */
  public static final int MAX_BATCH = 1 << 20;

  /** Most sequences of both kinds, as libllama is built. */
  public static final int MAX_SEQUENCES = 256;

  /** When to use flash attention. */
  public enum FlashAttention {
    /** Where the device supports it. */
    AUTO(-1),
    OFF(0),
    ON(1);

    private final int value;

    FlashAttention(int value) {
      this.value = value;
    }

    int value() {
      return value;
    }
  }

  /** What the embeddings of a batch attend to. */
  public enum EmbeddingAttention {
    /** As libllama has it: by their positions, and by its rule for the architecture. */
    BY_POSITION,
    /**
     * Those of a non-causal batch to each other in every layer and over any distance, where
     * libllama leaves layers causal or keeps to their window.
     */
    EVERYWHERE,
    /** Each to those before it in the batch, whatever their positions are. */
    IN_ORDER
  }

  /** {@link #nUbatch}, or what it is where that is 0 and no image needs more. */
  public int microBatch() {
    return nUbatch == 0 ? DEFAULT_UBATCH : nUbatch;
  }

  /** Sequences of both kinds. */
  int nSeqAll() {
    return nSeqMax + nSeqSpare;
  }

  /** 4096 tokens, one sequence, an F16 cache, and a thread for every physical core. */
  public static ContextOptions defaults() {
    int threads = Threads.physicalCores();
    return new ContextOptions(
        4096,
        2048,
        0,
        1,
        0,
        1,
        threads,
        threads,
        TensorType.F16,
        TensorType.F16,
        FlashAttention.AUTO,
        EmbeddingAttention.BY_POSITION);
  }

  public ContextOptions withContext(int nCtx) {
    return with(c -> c.nCtx = nCtx);
  }

  public ContextOptions withBatch(int nBatch, int nUbatch) {
    return with(c -> {
      c.nBatch = nBatch;
      c.nUbatch = nUbatch;
    });
  }

  public ContextOptions withThreads(int nThreads, int nThreadsBatch) {
    return with(c -> {
      c.nThreads = nThreads;
      c.nThreadsBatch = nThreadsBatch;
    });
  }

  public ContextOptions withOutputs(int nOutputsMax) {
    return with(c -> c.nOutputsMax = nOutputsMax);
  }

  public ContextOptions withSequences(int nSeqMax) {
    return with(c -> c.nSeqMax = nSeqMax);
  }

  public ContextOptions withSpareSequences(int nSeqSpare) {
    return with(c -> c.nSeqSpare = nSeqSpare);
  }

  public ContextOptions withCache(TensorType typeK, TensorType typeV) {
    return with(c -> {
      c.typeK = typeK;
      c.typeV = typeV;
    });
  }

  public ContextOptions withFlashAttention(FlashAttention flashAttention) {
    return with(c -> c.flashAttention = flashAttention);
  }

  public ContextOptions withEmbeddingAttention(EmbeddingAttention embeddingAttention) {
    return with(c -> c.embeddingAttention = embeddingAttention);
  }

  /** What the form of a saved sequence depends on besides the model. */
  String stateKind() {
    return "llama.cpp %s, keys %s, values %s, flash attention %s, %s%s"
        .formatted(
            NativeVersion.TAG,
            typeK.ggmlName(),
            typeV.ggmlName(),
            flashAttention,
            ByteOrder.nativeOrder(),
            switch (embeddingAttention) {
              case BY_POSITION -> "";
              case EVERYWHERE -> ", embeddings attend everywhere";
              case IN_ORDER -> ", embeddings attend in their order";
            });
  }

  private ContextOptions with(Consumer<Copy> change) {
    Copy copy = new Copy(this);
    change.accept(copy);
    return copy.options();
  }

  /** The values of options that are about to differ in some. */
  private static final class Copy {
    private int nCtx;
    private int nBatch;
    private int nUbatch;
    private int nSeqMax;
    private int nSeqSpare;
    private int nOutputsMax;
    private int nThreads;
    private int nThreadsBatch;
    private TensorType typeK;
    private TensorType typeV;
    private FlashAttention flashAttention;
    private EmbeddingAttention embeddingAttention;

    Copy(ContextOptions options) {
      nCtx = options.nCtx;
      nBatch = options.nBatch;
      nUbatch = options.nUbatch;
      nSeqMax = options.nSeqMax;
      nSeqSpare = options.nSeqSpare;
      nOutputsMax = options.nOutputsMax;
      nThreads = options.nThreads;
      nThreadsBatch = options.nThreadsBatch;
      typeK = options.typeK;
      typeV = options.typeV;
      flashAttention = options.flashAttention;
      embeddingAttention = options.embeddingAttention;
    }

    ContextOptions options() {
      return new ContextOptions(
          nCtx,
          nBatch,
          nUbatch,
          nSeqMax,
          nSeqSpare,
          nOutputsMax,
          nThreads,
          nThreadsBatch,
          typeK,
          typeV,
          flashAttention,
          embeddingAttention);
    }
  }
}
