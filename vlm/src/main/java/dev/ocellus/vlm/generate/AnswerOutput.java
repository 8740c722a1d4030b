package dev.ocellus.vlm.generate;

import dev.ocellus.llama.Vocab;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.ToolCall;
import dev.ocellus.vlm.prompt.Prompt;
import dev.ocellus.vlm.sampling.TopLogProbs;
import dev.ocellus.vlm.text.StopStrings;
import dev.ocellus.vlm.text.Utf8Stream;
import dev.ocellus.vlm.tool.AnswerFormat;
import dev.ocellus.vlm.tool.AnswerPart;
import dev.ocellus.vlm.tool.AnswerSplitter;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Makes text of the tokens of an answer as they arrive, ends it at a stop string, takes it apart,
 * collects the parts, and passes them on.
 */
final class AnswerOutput {
  private final AnswerListener listener;
  private final AnswerSplitter splitter;
  private final BitSet markers = new BitSet();
  private final Vocab vocab;
  private final int nLogProbs;
  private final String continued;
  private final Utf8Stream utf8 = new Utf8Stream();
  private final StopStrings stops;
  private final StringBuilder rawText = new StringBuilder();
  private final StringBuilder content = new StringBuilder();
  private final StringBuilder reasoning = new StringBuilder();
  private final List<ToolCall> calls = new ArrayList<>();
  private final List<TopLogProbs> logProbs = new ArrayList<>();
  private String stopString = "";
  private int nReasoning;

  AnswerOutput(
      AnswerFormat known,
      Vocab vocab,
      Prompt prompt,
      String continued,
      GenerationOptions options,
      AnswerListener listener) {
    AnswerFormat format = options.prompt().mayCall() ? known : known.withoutCalls();
    this.listener = listener;
    this.vocab = vocab;
    this.nLogProbs = options.logProbs();
    this.continued = continued;
    this.stops = new StopStrings(options.stop());
    this.splitter = new AnswerSplitter(format, prompt.end(), options.prompt().tools(), this::add);
    markers(format, vocab).keySet().forEach(markers::set);
  }

  /** The control tokens that mark parts of an answer. */
  static Map<Integer, String> markers(AnswerFormat format, Vocab vocab) {
    Map<Integer, String> markers = new LinkedHashMap<>();
    for (Vocab.SpecialToken token : vocab.specialTokens()) {
      if (format.isMarker(token.text())) {
        markers.put(token.id(), token.text());
      }
    }
    return markers;
  }

  /**
   * Adds a token.
   *
   * @param logits those that it was chosen from, as the model gave them
   * @return whether a stop string has ended the answer
   */
  boolean accept(int token, float[] logits) {
    if (nLogProbs >= 0) {
      TopLogProbs known = TopLogProbs.of(logits, nLogProbs, token);
      logProbs.add(known);
      listener.onLogProbs(known);
    }
    // control tokens are text only where they mark a part
    boolean reasoned = splitter.isReasoning();
    boolean stopped = emit(utf8.accept(vocab.piece(token, markers.get(token))));
    if (reasoned || splitter.isReasoning()) {
      nReasoning++;
    }
    return stopped;
  }

  /**
   * Adds what was held back because more might have followed.
   *
   * @return whether a stop string was in it
   */
  boolean end() {
    if (emit(utf8.finish())) {
      return true;
    }
    pass(stops.finish());
    return false;
  }

  private boolean emit(String piece) {
    StopStrings.Result result = stops.accept(piece);
    pass(result.text());
    String found = result.stop();
    if (found != null) {
      stopString = found;
    }
    return found != null;
  }

  private void pass(String piece) {
    if (!piece.isEmpty()) {
      rawText.append(piece);
      splitter.accept(piece);
    }
  }

  /** Tokens of reasoning so far, with the markers around it. */
  int nReasoning() {
    return nReasoning;
  }

  /** All text as the model wrote it, with reasoning and calls. */
  String rawText() {
    return rawText.toString();
  }

  /** The parts of the answer, to which nothing is added any more. */
  Answer.Parts parts() {
    splitter.finish();
    return new Answer.Parts(
        content.toString(), reasoning.toString(), calls, logProbs, continued, stopString);
  }

  private void add(AnswerPart part) {
    switch (part) {
      case AnswerPart.Text(String text) -> {
        content.append(text);
        listener.onText(text);
      }
      case AnswerPart.Reasoning(String text) -> {
        reasoning.append(text);
        listener.onReasoning(text);
      }
      case AnswerPart.Call(ToolCall call) -> {
        ToolCall named =
            call.id().isEmpty()
                ? call.withId(String.format(Locale.ROOT, "call%05d", calls.size()))
                : call;
        calls.add(named);
        listener.onToolCall(named);
      }
    }
  }
}
