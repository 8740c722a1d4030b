package dev.ocellus.vlm.generation;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.gguf.TensorType;
import dev.ocellus.llama.Batch;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.llama.ContextOptions.FlashAttention;
import dev.ocellus.llama.HiddenStates;
import dev.ocellus.llama.LlamaContext;
import dev.ocellus.llama.LlamaModel;
import java.util.Arrays;

/**
 * Sequences of a text model side by side, that go on by embeddings and give hidden states. Keys and
 * values are F32, as the choice between two codes is often close.
 */
final class GuidedDecoder implements AutoCloseable {
  private final LlamaContext context;
  private final HiddenStates states;
  private final Batch embeddings;
  private final int n;

  /** A context that is closed cancels the flag that it had last, which must not be the caller's. */
  private final CancellationFlag own = new CancellationFlag();

  private int position;

  /**
   * @param n sequences
   * @param length most positions of each
   */
  GuidedDecoder(LlamaModel model, int n, int length, int nThreads) {
    this.n = n;
    int nCtx = Math.multiplyExact(n, length);
    context =
        model.newHeadlessContext(
            ContextOptions.defaults()
                .withContext(nCtx)
                .withBatch(Math.max(n, Math.min(nCtx, 512)), Math.max(n, 512))
                .withSequences(n)
                .withOutputs(n)
                .withThreads(nThreads, nThreads)
                .withCache(TensorType.F32, TensorType.F32)
                .withFlashAttention(FlashAttention.OFF));
    try {
      states = new HiddenStates(context);
      embeddings = Batch.ofEmbeddings(n, model.nEmbdInput(), model.nPositions());
    } catch (Throwable e) {
      context.close();
      throw e;
    }
  }

  /**
   * Computes prompts of one length.
   *
   * @return hidden states behind the last token of each, one after the other
   */
  float[] prompts(int[][] prompts, CancellationFlag flag) {
    int length = prompts[0].length;
    int most = context.nBatch();
    states.keep(false);
    try (Batch tokens = Batch.ofTokens(most)) {
      for (int s = 0; s < n; s++) {
        for (int at = 0; at < length - 1; at++) {
          tokens.add(prompts[s][at], at, s, false);
          if (tokens.size() == most) {
            decode(tokens, flag);
            tokens.clear();
          }
        }
      }
      if (tokens.size() > 0) {
        decode(tokens, flag);
        tokens.clear();
      }
      states.keep(true); // of these entries only, as every entry of a batch has one then
      for (int s = 0; s < n; s++) {
        tokens.add(prompts[s][length - 1], length - 1, s, true);
      }
      decode(tokens, flag);
    }
    position = length;
    return hidden();
  }

  /**
   * Goes on by one position.
   *
   * @param rows an embedding for each sequence
   * @return hidden states, one after the other
   */
  float[] step(float[] rows, CancellationFlag flag) {
    embeddings.clear();
    int[] at = new int[context.model().nPositions()];
    Arrays.fill(at, position);
    for (int s = 0; s < n; s++) {
      embeddings.add(rows, s, at, s, true);
    }
    decode(embeddings, flag);
    position++;
    return hidden();
  }

  private void decode(Batch batch, CancellationFlag flag) {
    flag.whileWatched(
        own::cancel,
        () -> {
          context.decode(batch, own);
          return true;
        });
  }

  private float[] hidden() {
    float[] all = new float[n * states.width()];
    for (int s = 0; s < n; s++) {
      states.row(s, all, s * states.width());
    }
    return all;
  }

  @Override
  public void close() {
    embeddings.close();
    context.close();
  }
}
