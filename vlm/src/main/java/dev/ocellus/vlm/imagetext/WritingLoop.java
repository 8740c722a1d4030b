package dev.ocellus.vlm.imagetext;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.compute.ComputationCancelledException;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.StopReason;
import dev.ocellus.vlm.decode.KvSequence;
import dev.ocellus.vlm.fusion.TextFormat;
import dev.ocellus.vlm.sampling.SamplerChain;
import dev.ocellus.vlm.sampling.TopLogProbs;
import dev.ocellus.vlm.text.StopStrings;
import dev.ocellus.vlm.text.Utf8Stream;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Chooses the tokens of one text until something ends it. */
final class WritingLoop {
  private final KvSequence sequence;
  private final TextFormat texts;
  private final GenerationOptions options;
  private final AnswerListener listener;
  private final CancellationFlag flag;
  private final SamplerChain chain;
  private final StopStrings stops;
  private final Utf8Stream characters = new Utf8Stream();
  private final IntStream.Builder tokens = IntStream.builder();
  private final StringBuilder text = new StringBuilder();
  private final List<TopLogProbs> logProbs = new ArrayList<>();
  private StopReason reason = StopReason.END;
  private boolean begun;
  private int nTokens;

  WritingLoop(
      KvSequence sequence,
      TextFormat texts,
      GenerationOptions options,
      AnswerListener listener,
      CancellationFlag flag) {
    this.sequence = sequence;
    this.texts = texts;
    this.options = options;
    this.listener = listener;
    this.flag = flag;
    chain = options.sampling().toChain(new FormatVocabulary(texts));
    stops = new StopStrings(options.stop());
  }

  /**
   * Writes.
   *
   * @param beginning what it goes on from, whose logits are there
   */
  void run(int[] beginning) {
    begun = !texts.shown(beginning).isEmpty();
    StopReason found = null;
    for (int at = beginning.length; found == null; at++) {
      found = next(at);
    }
    reason = found;
    if (found != StopReason.STOP_STRING) {
      StopStrings.Result rest = stops.accept(characters.finish());
      pass(rest.text());
      pass(rest.stopped() ? "" : stops.finish());
    }
  }

  /** Chooses a token and brings the logits after it; gives why the text ends, or null. */
  private @Nullable StopReason next(int position) {
    if (nTokens == options.maxTokens()) {
      return StopReason.LENGTH;
    }
    if (flag.isCancelled()) {
      return StopReason.CANCELLED;
    }
    float[] logits = sequence.logits(0);
    float[] raw = options.logProbs() < 0 ? logits : logits.clone();
    int token = chain.sample(logits);
    if (token == texts.end() && !options.ignoreEos()) {
      return StopReason.END;
    }
    if (add(token, raw)) {
      return StopReason.STOP_STRING;
    }
    return nTokens == options.maxTokens() ? StopReason.LENGTH : advance(token, position);
  }

  private @Nullable StopReason advance(int token, int position) {
    if (position == sequence.nCtx()) {
      return StopReason.CONTEXT;
    }
    try {
      sequence.decodeTokens(new int[] {token}, 0, 1, position, 1, flag);
      return null;
    } catch (ComputationCancelledException e) {
      return StopReason.CANCELLED;
    }
  }

  /** Whether a stop string has ended the text. */
  private boolean add(int token, float[] logits) {
    tokens.add(token);
    nTokens++;
    if (options.logProbs() >= 0) {
      logProbs.add(TopLogProbs.of(logits, options.logProbs(), token));
    }
    byte[] piece = texts.bytes(token, !begun);
    begun |= piece.length > 0;
    StopStrings.Result result = stops.accept(characters.accept(piece));
    pass(result.text());
    return result.stopped();
  }

  private void pass(String piece) {
    if (!piece.isEmpty()) {
      text.append(piece);
      listener.onText(piece);
    }
  }

  WrittenText result(double prefillMillis, double decodeMillis) {
    return new WrittenText(
        text.toString(),
        tokens.build().toArray(),
        reason,
        List.copyOf(logProbs),
        prefillMillis,
        decodeMillis);
  }
}
