package dev.ocellus.vlm.decode;

import dev.ocellus.ggml.CancellationFlag;
import dev.ocellus.llama.LlamaContext;
import java.util.Arrays;

/**
 * Guesses the likeliest tokens of a small model, as long as that is sure of them. It sees the text
 * only, not the images.
 */
public final class ModelDrafter implements Drafter {
  private static final int[] NOTHING = {};

  /** What is this far below the likeliest token does not change how sure the model is. */
  private static final float NEGLIGIBLE = -16;

  private final ExclusiveSequence lane;
  private final float minProbability;
  private int[] have = new int[256];
  private int nHave;

  public ModelDrafter(LlamaContext context, float minProbability) {
    this.lane = new ExclusiveSequence(context);
    this.minProbability = minProbability;
  }

  @Override
  public int[] guess(int[] text, int length, int most, CancellationFlag flag) {
    int[] wanted = Arrays.stream(text, 0, length).filter(id -> id >= 0).toArray();
    if (wanted.length == 0 || wanted.length + most > lane.nCtx()) {
      return NOTHING; // the small model's context is full
    }
    int common = Arrays.mismatch(have, 0, nHave, wanted, 0, wanted.length);
    common = Math.min(common < 0 ? nHave : common, wanted.length - 1);
    if (!keep(common)) {
      common = 0;
    }
    for (int from = common; from < wanted.length; from += lane.nBatch()) {
      int n = Math.min(lane.nBatch(), wanted.length - from);
      decode(wanted, from, n, from + n == wanted.length ? 1 : 0, flag);
    }
    int[] guesses = new int[most];
    int n = 0;
    while (n < most) {
      int token = sureToken(lane.logits(0));
      if (token < 0) {
        break;
      }
      guesses[n++] = token;
      if (n < most) {
        decode(guesses, n - 1, 1, 1, flag);
      }
    }
    return Arrays.copyOf(guesses, n);
  }

  private boolean keep(int n) {
    boolean kept = n == nHave || lane.removeFrom(n);
    nHave = kept ? n : 0;
    if (!kept) {
      lane.removeFrom(0);
    }
    return kept;
  }

  private void decode(int[] ids, int from, int n, int outputs, CancellationFlag flag) {
    if (nHave + n > have.length) {
      have = Arrays.copyOf(have, Math.max(2 * have.length, nHave + n));
    }
    try {
      lane.tokens(ids, from, n, nHave, outputs, flag);
    } catch (Throwable e) {
      if (!lane.isClosed()) {
        lane.removeFrom(nHave);
      }
      throw e;
    }
    System.arraycopy(ids, from, have, nHave, n);
    nHave += n;
  }

  /** The likeliest token, or -1 if it is not likely enough. */
  private int sureToken(float[] logits) {
    int best = 0;
    for (int i = 1; i < logits.length; i++) {
      best = logits[i] > logits[best] ? i : best;
    }
    double sum = 0;
    for (float logit : logits) {
      float below = logit - logits[best];
      if (below > NEGLIGIBLE) {
        sum += Math.exp(below);
      }
    }
    return 1 / sum >= minProbability ? best : -1;
  }

  @Override
  public void close() {
    lane.close();
  }
}
