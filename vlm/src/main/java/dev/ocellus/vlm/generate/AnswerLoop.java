package dev.ocellus.vlm.generate;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.compute.ComputationCancelledException;
import dev.ocellus.llama.ContextOverflowException;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.StopReason;
import java.util.Arrays;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/** Generates the tokens of one answer until something ends it. */
final class AnswerLoop {
  private final GenerationOptions options;
  private final IntPredicate ends;
  private final AnswerSampler sampler;
  private final SpeculativeDecoding decoding;
  private final AnswerOutput output;
  private final CancellationFlag cancellation;
  private int[] tokens = new int[256];
  private int nTokens;

  AnswerLoop(
      GenerationOptions options,
      IntPredicate ends,
      AnswerSampler sampler,
      SpeculativeDecoding decoding,
      AnswerOutput output,
      CancellationFlag cancellation) {
    this.options = options;
    this.ends = ends;
    this.sampler = sampler;
    this.decoding = decoding;
    this.output = output;
    this.cancellation = cancellation;
  }

  int[] tokens() {
    return Arrays.copyOf(tokens, nTokens);
  }

  int nTokens() {
    return nTokens;
  }

  /** Generates all tokens; gives why the answer ended. */
  StopReason run() {
    StopReason reason = null;
    try {
      while (reason == null) {
        reason = next();
      }
    } finally {
      decoding.dropRejected();
    }
    if (reason != StopReason.STOP_STRING && output.end()) {
      return StopReason.STOP_STRING;
    }
    return reason;
  }

  /** Chooses a token and brings the logits after it; gives why the answer ends, or null. */
  private @Nullable StopReason next() {
    StopReason before = reasonToStop();
    if (before != null) {
      return before;
    }
    float[] logits = decoding.logits();
    float[] raw = options.logProbs() < 0 ? logits : logits.clone();
    int token = sampler.sample(logits, tokensLeft());
    if (!options.ignoreEos() && ends.test(token)) {
      return StopReason.END;
    }
    add(token);
    if (output.accept(token, raw)) {
      return StopReason.STOP_STRING;
    }
    boolean last = nTokens == options.maxTokens() || sampler.mustEnd();
    return last ? reasonToStop() : advance(token);
  }

  private @Nullable StopReason reasonToStop() {
    if (sampler.mustEnd()) {
      return StopReason.END;
    }
    if (nTokens == options.maxTokens()) {
      return StopReason.LENGTH;
    }
    return cancellation.isCancelled() ? StopReason.CANCELLED : null;
  }

  /** How many tokens may still come, by the options and by the context. */
  private int tokensLeft() {
    return Math.min(decoding.room(), tokensAllowed());
  }

  private int tokensAllowed() {
    return options.maxTokens() < 0 ? Integer.MAX_VALUE : options.maxTokens() - nTokens;
  }

  private void add(int token) {
    if (nTokens == tokens.length) {
      tokens = Arrays.copyOf(tokens, 2 * nTokens);
    }
    tokens[nTokens++] = token;
  }

  private @Nullable StopReason advance(int token) {
    try {
      return decoding.advance(token, tokensAllowed() - 1) ? null : StopReason.CONTEXT;
    } catch (ContextOverflowException e) {
      return StopReason.CONTEXT;
    } catch (ComputationCancelledException e) {
      return StopReason.CANCELLED;
    }
  }
}
