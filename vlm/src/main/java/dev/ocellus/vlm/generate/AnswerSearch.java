package dev.ocellus.vlm.generate;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.compute.ComputationCancelledException;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.vlm.cache.ImageCache;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.DraftUse;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.chat.StopReason;
import dev.ocellus.vlm.chat.Timings;
import dev.ocellus.vlm.chat.Usage;
import dev.ocellus.vlm.decode.BeamDecoder;
import dev.ocellus.vlm.prompt.Prompt;
import dev.ocellus.vlm.sampling.BeamOptions;
import dev.ocellus.vlm.sampling.SearchContext;
import dev.ocellus.vlm.sampling.TokenSearch;
import java.util.Arrays;
import java.util.List;

/**
 * Answers by beam search, in a context of its own that lives as long as the search does. What the
 * session has in its context stays there, and is not used.
 */
final class AnswerSearch {
  private static final float[] NO_LOGITS = {};

  private final Pipeline pipeline;
  private final ImageCache images;
  private final BeamOptions beams;
  private final GenerationOptions options;
  private final CancellationFlag cancellation;

  AnswerSearch(
      Pipeline pipeline,
      ImageCache images,
      BeamOptions beams,
      GenerationOptions options,
      CancellationFlag cancellation) {
    this.pipeline = pipeline;
    this.images = images;
    this.beams = beams;
    this.options = options;
    this.cancellation = cancellation;
  }

  /**
   * What was found.
   *
   * @param decoded the prompt
   * @param score of the answer, as {@link TokenSearch.Found}
   * @param cancelled whether the search was stopped
   */
  record Result(PromptDecoder.Decoded decoded, int[] tokens, float score, boolean cancelled) {}

  /**
   * Answers; the listener gets the whole answer at once.
   *
   * @param output makes text of the tokens
   */
  Answer answer(
      List<Message> messages, Prompt prompt, AnswerOutput output, AnswerListener listener) {
    try (BeamDecoder decoder = newDecoder()) {
      var prompts = new PromptDecoder(pipeline, decoder.prompt(), images);
      PromptDecoder.Decoded decoded;
      try {
        decoded = prompts.decode(messages, prompt, listener, cancellation);
      } catch (ComputationCancelledException e) {
        return AnswerGenerator.cancelledBeforeStart(prompt, prompts);
      }
      listener.onPrompt(decoded.usage());
      long start = System.nanoTime();
      Result result = search(decoder, prompts, decoded);
      double millis = (System.nanoTime() - start) / 1e6;
      return finish(result, prompt, prompts, output, millis);
    }
  }

  private BeamDecoder newDecoder() {
    ContextOptions each = pipeline.options().contextOptions();
    int nCtx = each.nCtx() == 0 ? pipeline.decoder().nCtxTrain() : each.nCtx();
    int most = options.maxTokens() < 0 ? mostOfLength(nCtx) : options.maxTokens();
    return pipeline.decoder().newBeams(each, beams.numBeams(), Math.clamp(most, 1, nCtx));
  }

  private int mostOfLength(int nCtx) {
    return beams.maxLength() > 0 ? Math.min(nCtx, beams.maxLength()) : nCtx;
  }

  private Result search(BeamDecoder decoder, PromptDecoder prompts, PromptDecoder.Decoded decoded) {
    int[] history = pipeline.decoder().answerHistory(decoded.tokens());
    int[] ends = options.ignoreEos() ? new int[0] : pipeline.ends();
    int room = decoder.prompt().nCtx() - decoded.tokens().length;
    int most = options.maxTokens();
    if (most < 0) {
      most = beams.maxLength() > 0 ? beams.maxLength() - history.length : room;
    }
    if (most == 0 && options.maxTokens() == 0) {
      return new Result(decoded, new int[0], 0, false);
    }
    int limit = Math.clamp(most, 1, room);
    var context = new SearchContext(history, ends, limit, options.sampling().logitBias());
    TokenSearch search = TokenSearch.of(beams, context);
    boolean cancelled = false;
    try {
      decoder.follow(search, prompts.cache().position(), cancellation);
    } catch (ComputationCancelledException e) {
      cancelled = true;
    }
    TokenSearch.Found best = search.best();
    return new Result(decoded, best.tokens(), best.score(), cancelled);
  }

  private Answer finish(
      Result result, Prompt prompt, PromptDecoder prompts, AnswerOutput output, double millis) {
    int[] tokens = result.tokens;
    StopReason reason = result.cancelled ? StopReason.CANCELLED : StopReason.LENGTH;
    int last = tokens.length - 1;
    if (last >= 0 && !options.ignoreEos() && pipeline.endsAnswer(tokens[last])) {
      tokens = Arrays.copyOf(tokens, last);
      reason = StopReason.END;
    }
    boolean stopped = false;
    for (int i = 0; i < tokens.length && !stopped; i++) {
      stopped = output.accept(tokens[i], NO_LOGITS);
      tokens = stopped ? Arrays.copyOf(tokens, i + 1) : tokens;
    }
    if (stopped || output.end()) {
      reason = StopReason.STOP_STRING;
    }
    PromptDecoder.Decoded decoded = result.decoded;
    int nPrompt = decoded.tokens().length;
    return new Answer(
        output.rawText(),
        tokens,
        reason,
        prompt.text(),
        decoded.tokens(),
        new Usage(
            nPrompt,
            decoded.nImageTokens(),
            decoded.nCached(),
            tokens.length,
            output.nReasoning(),
            prompts.imageUse(),
            DraftUse.NONE,
            0),
        new Timings(
            prompts.preprocessTiming(),
            prompts.encodeTiming(),
            new Timings.Stage(decoded.prefillMillis(), nPrompt - decoded.nCached()),
            new Timings.Stage(millis, tokens.length)),
        output.parts());
  }
}
