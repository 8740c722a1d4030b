package dev.ocellus.vlm.decode;

import dev.ocellus.compute.CancellationFlag;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Proposes the likeliest tokens of a draft model, as long as that is sure of them. It is given the
 * text only, not the images.
 */
public final class ModelDrafter implements Drafter {
  private static final int[] NOTHING = {};

  /** What is this far below the likeliest token does not change how sure the model is. */
  private static final float NEGLIGIBLE = -16;

  private final KvSequence sequence;
  private final float minProbability;
  private int[] have = new int[256];
  private int nHave;

  /** Before the last draft tokens, for draft models whose memory cannot forget them. */
  private @Nullable KvCheckpoint checkpoint;

  private int nCheckpoint;

  /**
   * @param sequence of the draft model, with a context for it alone; closed with this
   * @param minProbability of a draft token, 0 to 1
   */
  public ModelDrafter(KvSequence sequence, float minProbability) {
    this.sequence = sequence;
    this.minProbability = minProbability;
  }

  @Override
  public int[] draft(int[] text, int length, int max, CancellationFlag flag) {
    int[] wanted = Arrays.stream(text, 0, length).filter(id -> id >= 0).toArray();
    if (wanted.length == 0 || wanted.length + max > sequence.nCtx()) {
      return NOTHING; // the draft model's context is full
    }
    int common = Arrays.mismatch(have, 0, nHave, wanted, 0, wanted.length);
    common = Math.min(common < 0 ? nHave : common, wanted.length - 1);
    common = keep(common);
    for (int from = common; from < wanted.length; from += sequence.nBatch()) {
      int n = Math.min(sequence.nBatch(), wanted.length - from);
      decode(wanted, from, n, from + n == wanted.length ? 1 : 0, flag);
    }
    checkpoint = sequence.checkpoint(nHave, checkpoint).orElse(null);
    nCheckpoint = nHave;
    int[] drafts = new int[max];
    int n = 0;
    while (n < max) {
      int token = sureToken(sequence.logits(0));
      if (token < 0) {
        break;
      }
      drafts[n++] = token;
      if (n < max) {
        decode(drafts, n - 1, 1, 1, flag);
      }
    }
    return Arrays.copyOf(drafts, n);
  }

  /** Forgets all but the first tokens, and more where it must; gives how many stay. */
  private int keep(int n) {
    if (n == nHave || sequence.removeFrom(n)) {
      nHave = n;
    } else if (checkpoint != null && nCheckpoint <= n && checkpoint.restore()) {
      nHave = nCheckpoint;
    } else {
      nHave = 0;
      sequence.removeFrom(0);
    }
    return nHave;
  }

  private void decode(int[] ids, int from, int n, int outputs, CancellationFlag flag) {
    if (nHave + n > have.length) {
      have = Arrays.copyOf(have, Math.max(2 * have.length, nHave + n));
    }
    try {
      sequence.decodeTokens(ids, from, n, nHave, outputs, flag);
    } catch (Throwable e) {
      if (!sequence.isClosed() && !sequence.removeFrom(nHave)) {
        int unused = keep(Math.max(0, nHave - 1));
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
    if (checkpoint != null) {
      checkpoint.close();
    }
    sequence.close();
  }
}
