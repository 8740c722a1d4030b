package dev.ocellus.vlm.imagetext;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.compute.ComputationCancelledException;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.StopReason;
import dev.ocellus.vlm.decode.BeamDecoder;
import dev.ocellus.vlm.fusion.TextFormat;
import dev.ocellus.vlm.sampling.BeamOptions;
import dev.ocellus.vlm.sampling.SearchContext;
import dev.ocellus.vlm.sampling.TokenSearch;
import dev.ocellus.vlm.text.StopStrings;
import dev.ocellus.vlm.text.Utf8Stream;
import java.util.Arrays;
import java.util.List;

/** Searches for the likeliest text, and tells it when it is found. */
final class WritingSearch {
  private final BeamOptions beams;
  private final TextFormat texts;
  private final GenerationOptions options;
  private final AnswerListener listener;

  WritingSearch(
      BeamOptions beams, TextFormat texts, GenerationOptions options, AnswerListener listener) {
    this.beams = beams;
    this.texts = texts;
    this.options = options;
    this.listener = listener;
  }

  /** Most tokens behind a beginning of so many: of the last one no logits are wanted. */
  int maxTokens(int nBeginning) {
    int room = texts.contextLength() - nBeginning + 1;
    int wanted = options.maxTokens();
    if (wanted < 0) {
      wanted = beams.maxLength() > 0 ? beams.maxLength() - nBeginning : room;
    }
    return Math.clamp(wanted, 1, room);
  }

  /**
   * Searches.
   *
   * @param decoder that has decoded the beginning
   */
  WrittenText run(
      BeamDecoder decoder, int[] beginning, double prefillMillis, CancellationFlag flag) {
    if (options.maxTokens() == 0) {
      return new WrittenText("", new int[0], StopReason.LENGTH, List.of(), prefillMillis, 0);
    }
    long start = System.nanoTime();
    int[] ends = options.ignoreEos() ? new int[0] : new int[] {texts.end()};
    var context =
        new SearchContext(
            beginning, ends, maxTokens(beginning.length), options.sampling().logitBias());
    TokenSearch search = TokenSearch.of(beams, context);
    StopReason reason = StopReason.LENGTH;
    try {
      decoder.follow(search, beginning.length, flag);
    } catch (ComputationCancelledException e) {
      reason = StopReason.CANCELLED;
    }
    int[] tokens = search.best().tokens();
    int last = tokens.length - 1;
    if (last >= 0 && ends.length > 0 && tokens[last] == texts.end()) {
      tokens = Arrays.copyOf(tokens, last);
      reason = StopReason.END;
    }
    boolean begun = !texts.shown(beginning).isEmpty();
    return written(tokens, begun, reason, prefillMillis, OpenedModel.millisSince(start));
  }

  /** The text of tokens, up to a stop string. */
  private WrittenText written(
      int[] tokens, boolean begun, StopReason reason, double prefillMillis, double millis) {
    var stops = new StopStrings(options.stop());
    StringBuilder text = new StringBuilder();
    var characters = new Utf8Stream();
    boolean follows = begun;
    for (int i = 0; i < tokens.length; i++) {
      byte[] piece = texts.bytes(tokens[i], !follows);
      follows |= piece.length > 0;
      StopStrings.Result result = stops.accept(characters.accept(piece));
      text.append(result.text());
      if (result.stopped()) {
        return told(
            text, Arrays.copyOf(tokens, i + 1), StopReason.STOP_STRING, prefillMillis, millis);
      }
    }
    StopStrings.Result rest = stops.accept(characters.finish());
    text.append(rest.text()).append(rest.stopped() ? "" : stops.finish());
    return told(text, tokens, reason, prefillMillis, millis);
  }

  private WrittenText told(
      StringBuilder text, int[] tokens, StopReason reason, double prefillMillis, double millis) {
    if (!text.isEmpty()) {
      listener.onText(text.toString());
    }
    return new WrittenText(text.toString(), tokens, reason, List.of(), prefillMillis, millis);
  }
}
