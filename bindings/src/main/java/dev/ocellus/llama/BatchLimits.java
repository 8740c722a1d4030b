package dev.ocellus.llama;

import dev.ocellus.ffi.ggml_h;
import dev.ocellus.llama.ContextOverflowException.Kind;
import java.lang.foreign.MemorySegment;

/**
 * What a context takes in one batch. libllama ends the process on some of what does not fit.
 *
 * @param nBatch most entries
 * @param nUbatch most entries that are computed at once
 * @param outputsMax most entries whose logits are wanted
 * @param nSeqMax number of sequences
 * @param nVocab number of tokens
 * @param nEmbd floats of an embedding; 0 if the model takes tokens only
 * @param nPositions position numbers of an embedding
 */
record BatchLimits(
    int nBatch, int nUbatch, int outputsMax, int nSeqMax, int nVocab, int nEmbd, int nPositions) {

  /**
   * Those of a context of libllama.
   *
   * @param options that it was made with
   */
  static BatchLimits of(MemorySegment context, LlamaModel model, ContextOptions options) {
    return new BatchLimits(
        ggml_h.llama_n_batch(context),
        ggml_h.llama_n_ubatch(context),
        Math.max(options.nOutputsMax(), options.nSeqMax()),
        options.nSeqMax(),
        model.vocab().nTokens(),
        model.sizes().takesEmbeddings() ? model.nEmbdInput() : 0,
        model.nPositions());
  }

  /**
   * Checks a batch that is to be decoded.
   *
   * @throws ContextOverflowException if it has too many entries
   * @throws IllegalArgumentException for anything else that does not fit the context
   */
  void check(Batch batch, boolean causal) {
    if (batch.size() == 0) {
      throw new IllegalArgumentException("An empty batch cannot be decoded");
    }
    if (batch.size() > nBatch) {
      throw new ContextOverflowException(
          Kind.BATCH,
          batch.size(),
          nBatch,
          "A batch of %d is more than the %d that this context takes (nBatch)"
              .formatted(batch.size(), nBatch));
    }
    if (!causal && batch.size() > nUbatch) {
      throw new ContextOverflowException(
          Kind.MICRO_BATCH,
          batch.size(),
          nUbatch,
          "%d entries with non-causal attention must fit one micro-batch, which takes %d (nUbatch)"
              .formatted(batch.size(), nUbatch));
    }
    if (batch.outputs() > outputsMax) {
      throw new IllegalArgumentException(
          "Logits of %d tokens are wanted, and this context was made for %d"
              .formatted(batch.outputs(), outputsMax));
    }
    if (batch.width() != 0 && nEmbd == 0) {
      throw new IllegalArgumentException(
          "The text model takes tokens only: its metadata has no rope.dimension_sections, which"
              + " images need. Convert it again with a newer converter.");
    }
    if (batch.width() != 0 && batch.width() != nEmbd) {
      throw new IllegalArgumentException(
          "Embeddings of %d floats do not fit a model whose tokens have %d"
              .formatted(batch.width(), nEmbd));
    }
    if (batch.width() != 0 && batch.nPositions() != nPositions) {
      throw new IllegalArgumentException(
          "Embeddings of %d positions do not fit a model that wants %d of each"
              .formatted(batch.nPositions(), nPositions));
    }
    for (int i = 0; i < batch.size(); i++) {
      int sequence = batch.sequence(i);
      if (sequence < 0 || sequence >= nSeqMax || batch.position(i) < 0) {
        throw new IllegalArgumentException(
            "Entry %d: sequence %d or position %d is out of range"
                .formatted(i, sequence, batch.position(i)));
      }
      if (batch.width() == 0 && (batch.token(i) < 0 || batch.token(i) >= nVocab)) {
        throw new IllegalArgumentException(
            "Entry %d: token %d is not one of the %d".formatted(i, batch.token(i), nVocab));
      }
    }
  }
}
