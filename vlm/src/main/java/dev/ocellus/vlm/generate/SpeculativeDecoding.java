package dev.ocellus.vlm.generate;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.vlm.chat.DraftUse;
import dev.ocellus.vlm.decode.Drafter;
import dev.ocellus.vlm.decode.KvSequence;
import dev.ocellus.vlm.decode.PromptCache;
import java.util.Arrays;
import java.util.function.IntUnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Gives the logits after each token of an answer. With a drafter, draft tokens are decoded together
 * with a token, and where the next ones turn out to be those, their logits are there already
 * (speculative decoding, arXiv:2211.17192).
 */
final class SpeculativeDecoding {
  private static final int[] NOTHING = {};

  private final KvSequence sequence;
  private final PromptCache cache;
  private final @Nullable Drafter drafter;
  private final int maxLength;
  private final IntUnaryOperator seenAs;
  private final CancellationFlag cancellation;

  /** Prompt and answer, for drafting what follows; not kept without a drafter. */
  private int[] text;

  private int textLength;
  private int[] drafts = NOTHING;

  /** How many of the draft tokens have been accepted, which is where the logits are. */
  private int accepted;

  private int draftLength;
  private int nDrafted;
  private int nAccepted;

  /**
   * @param maxLength max. number of draft tokens at a time
   * @param seenAs what the text model is given of a token
   * @param prompt tokens of the prompt, which has been decoded
   */
  SpeculativeDecoding(
      PromptCache cache,
      KvSequence sequence,
      @Nullable Drafter drafter,
      int maxLength,
      IntUnaryOperator seenAs,
      int[] prompt,
      CancellationFlag cancellation) {
    this.cache = cache;
    this.sequence = sequence;
    this.drafter = drafter;
    this.maxLength = maxLength;
    this.seenAs = seenAs;
    this.draftLength = maxLength;
    this.text = drafter == null ? NOTHING : prompt;
    this.textLength = text.length;
    this.cancellation = cancellation;
  }

  /** Logits of what comes next, which may be changed. */
  float[] logits() {
    return sequence.logits(accepted);
  }

  /** Tokens that still fit the context, the next one included. */
  int room() {
    int used = cache.used() - (drafts.length - accepted); // without those not accepted yet
    return sequence.nCtx() - used + 1;
  }

  /** What was drafted and accepted so far. */
  DraftUse use() {
    return new DraftUse(nDrafted, nAccepted);
  }

  /**
   * Adds a token, and brings the logits after it.
   *
   * @param maxMore tokens that may follow it
   * @return false if the context is full
   * @throws dev.ocellus.llama.ContextOverflowException if the context is full, too
   * @throws dev.ocellus.compute.ComputationCancelledException if the flag was set
   */
  boolean advance(int token, int maxMore) {
    note(token);
    if (accepted < drafts.length && drafts[accepted] == token) {
      accepted++;
      nAccepted++;
      return true;
    }
    dropRejected();
    if (cache.used() >= sequence.nCtx()) {
      return false;
    }
    int[] next = draft(maxMore);
    int[] seen = Arrays.stream(next).map(seenAs).toArray();
    cache.append(seenAs.applyAsInt(token), seen, cancellation);
    drafts = next;
    nDrafted += next.length;
    return true;
  }

  private void note(int token) {
    if (drafter == null) {
      return;
    }
    if (textLength == text.length) {
      text = Arrays.copyOf(text, 2 * textLength + 1);
    }
    text[textLength++] = token;
  }

  private int[] draft(int maxMore) {
    int max = Math.min(draftLength, Math.min(maxMore, sequence.nCtx() - cache.used() - 1));
    return drafter == null || max < 1
        ? NOTHING
        : drafter.draft(text, textLength, max, cancellation);
  }

  /** Takes back the draft tokens that were rejected; called at the end as well. */
  void dropRejected() {
    int rejected = drafts.length - accepted;
    if (drafts.length > 0) {
      // a rejected token is computed for nothing, so the length follows what was accepted
      draftLength =
          rejected == 0 ? Math.min(maxLength, 2 * draftLength) : Math.max(1, accepted + 1);
    }
    drafts = NOTHING;
    accepted = 0;
    if (!sequence.isClosed()) {
      cache.dropTokens(rejected);
    }
  }
}
