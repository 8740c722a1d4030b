package dev.ocellus.vlm.generate;

import dev.ocellus.ggml.CancellationFlag;
import dev.ocellus.ggml.ComputationCancelledException;
import dev.ocellus.llama.ContextOverflowException;
import dev.ocellus.llama.Vocab;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.DraftUse;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.chat.PromptOptions;
import dev.ocellus.vlm.chat.StopReason;
import dev.ocellus.vlm.chat.Timings;
import dev.ocellus.vlm.chat.Usage;
import dev.ocellus.vlm.decode.Drafter;
import dev.ocellus.vlm.decode.KvSequence;
import dev.ocellus.vlm.decode.PromptCache;
import dev.ocellus.vlm.prompt.Prompt;
import dev.ocellus.vlm.text.StopStrings;
import dev.ocellus.vlm.text.Utf8Stream;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Turns a conversation into an answer: prompt, prefill, and one token after the other. */
public final class AnswerGenerator implements AutoCloseable {
  private static final int[] NOTHING = {};

  private final Pipeline pipeline;
  private final KvSequence sequence;
  private final Vocab vocab;
  private final PromptDecoder decoder;
  private final PromptCache cache;
  private final @Nullable Drafter drafter;
  private final int draftMax;

  AnswerGenerator(Pipeline pipeline, KvSequence sequence, @Nullable Drafter drafter) {
    this.pipeline = pipeline;
    this.sequence = sequence;
    this.vocab = pipeline.textModel().vocab();
    this.decoder = new PromptDecoder(pipeline, sequence, pipeline.imageCache());
    this.cache = decoder.cache();
    this.drafter = drafter;
    this.draftMax = drafter == null ? 0 : pipeline.options().sessions().speculation().most();
  }

  /** The sequence that it works in. */
  public KvSequence sequence() {
    return sequence;
  }

  /** What stands in the sequence. */
  public PromptCache cache() {
    return cache;
  }

  /** Tokens of a conversation up to where its answer begins. */
  public int countTokens(List<Message> messages, PromptOptions options) {
    return decoder.countTokens(messages, options);
  }

  public Answer generate(
      List<Message> messages,
      GenerationOptions options,
      AnswerListener listener,
      CancellationFlag cancellation) {
    Prompt prompt = pipeline.prompts().prompt(messages, options.prompt());
    Message begun = options.prompt().continued(messages);
    var answer =
        new AnswerOutput(
            pipeline.prompts().answerFormat(),
            vocab,
            prompt,
            begun == null ? "" : begun.text(),
            options,
            listener);
    var sampler = new AnswerSampler(options, pipeline, prompt);
    PromptDecoder.Decoded decoded;
    try {
      decoded = decoder.decode(messages, prompt, listener, cancellation);
    } catch (ComputationCancelledException e) {
      return cancelledBeforeStart(prompt);
    }
    int nPrompt = decoded.tokens().length;
    var run = new Run(options, answer, sampler, cancellation, decoded.tokens());
    long decodeStart = System.nanoTime();
    run.decode();
    double decodeMillis = (System.nanoTime() - decodeStart) / 1e6;
    return new Answer(
        run.text.toString(),
        run.tokens(),
        run.reason,
        prompt.text(),
        decoded.tokens(),
        new Usage(
            nPrompt,
            decoded.nImageTokens(),
            decoded.nCached(),
            run.nTokens,
            decoder.imageUse(),
            new DraftUse(run.nDrafted, run.nAccepted),
            0),
        new Timings(
            decoder.preprocessTiming(),
            decoder.encodeTiming(),
            new Timings.Stage(decoded.prefillMillis(), nPrompt - decoded.nCached()),
            new Timings.Stage(decodeMillis, run.nTokens)),
        answer.finish());
  }

  private Answer cancelledBeforeStart(Prompt prompt) {
    var nothing = new Timings.Stage(0, 0);
    return new Answer(
        "",
        new int[0],
        StopReason.CANCELLED,
        prompt.text(),
        new int[0],
        new Usage(0, 0, 0, 0),
        new Timings(decoder.preprocessTiming(), decoder.encodeTiming(), nothing, nothing));
  }

  @Override
  public void close() {
    sequence.close();
    if (drafter != null) {
      drafter.close();
    }
  }

  /** The answer on its way. */
  private final class Run {
    private final GenerationOptions options;
    private final AnswerOutput answer;
    private final CancellationFlag cancellation;
    private final AnswerSampler sampler;
    private final Utf8Stream utf8 = new Utf8Stream();
    private final StopStrings stops;
    private final StringBuilder text = new StringBuilder();
    private int[] tokens = new int[256];
    private int nTokens;
    private StopReason reason = StopReason.LENGTH;

    /** Prompt and answer, for drafting what follows; not kept without a drafter. */
    private int[] whole;

    private int nWhole;
    private int[] drafts = NOTHING;
    private int output;
    private int draftLength = draftMax;
    private int nDrafted;
    private int nAccepted;

    Run(
        GenerationOptions options,
        AnswerOutput answer,
        AnswerSampler sampler,
        CancellationFlag cancellation,
        int[] promptTokens) {
      this.whole = drafter == null ? NOTHING : promptTokens;
      this.nWhole = whole.length;
      this.options = options;
      this.answer = answer;
      this.cancellation = cancellation;
      this.sampler = sampler;
      this.stops = new StopStrings(options.stop());
    }

    int[] tokens() {
      return Arrays.copyOf(tokens, nTokens);
    }

    void decode() {
      try {
        boolean stopped = false;
        while (!stopped) {
          stopped = next();
        }
      } finally {
        dropDrafts();
      }
      if (reason != StopReason.STOP_STRING) {
        finish();
      }
    }

    /** Chooses a token and computes the logits after it; true when the answer ends. */
    private boolean next() {
      if (sampler.mustEnd()) {
        reason = StopReason.END;
        return true;
      }
      if (nTokens == options.maxTokens()) {
        reason = StopReason.LENGTH;
        return true;
      }
      if (cancellation.isCancelled()) {
        reason = StopReason.CANCELLED;
        return true;
      }
      float[] logits = sequence.logits(output);
      float[] raw = options.logProbs() < 0 ? logits : logits.clone();
      int token = sampler.sample(logits, tokensLeft());
      if (!options.ignoreEos() && vocab.isEndOfGeneration(token)) {
        reason = StopReason.END;
        return true;
      }
      add(token);
      answer.addLogProbs(raw, token);
      if (emit(utf8.accept(answer.bytes(token)))) {
        reason = StopReason.STOP_STRING;
        return true;
      }
      return nTokens != options.maxTokens() && !sampler.mustEnd() && !advance(token);
    }

    /** How many tokens may still come, by the options and by the context. */
    private int tokensLeft() {
      int used =
          cache.used() - (drafts.length - output); // without draft tokens that are not accepted yet
      int room = sequence.nCtx() - used + 1;
      return options.maxTokens() < 0 ? room : Math.min(room, options.maxTokens() - nTokens);
    }

    private void add(int token) {
      if (nTokens == tokens.length) {
        tokens = Arrays.copyOf(tokens, 2 * nTokens);
      }
      tokens[nTokens++] = token;
      if (drafter != null) {
        if (nWhole == whole.length) {
          whole = Arrays.copyOf(whole, 2 * nWhole + 1);
        }
        whole[nWhole++] = token;
      }
    }

    /** Brings the logits after a token; false when the answer has to end here. */
    private boolean advance(int token) {
      if (output < drafts.length && drafts[output] == token) {
        output++; // it was drafted, and what follows it is computed already
        nAccepted++;
        return true;
      }
      try {
        dropDrafts();
        if (cache.used() >= sequence.nCtx()) {
          reason = StopReason.CONTEXT;
          return false;
        }
        int[] next = draft();
        cache.append(token, next, cancellation);
        drafts = next;
        nDrafted += next.length;
        return true;
      } catch (ContextOverflowException e) {
        reason = StopReason.CONTEXT;
      } catch (ComputationCancelledException e) {
        reason = StopReason.CANCELLED;
      }
      return false;
    }

    /** Takes back the draft tokens that were rejected. */
    private void dropDrafts() {
      int rejected = drafts.length - output;
      if (drafts.length > 0) {
        // a rejected token is computed for nothing, so the length follows what was accepted
        draftLength = rejected == 0 ? Math.min(draftMax, 2 * draftLength) : Math.max(1, output + 1);
      }
      drafts = NOTHING;
      output = 0;
      if (!sequence.isClosed()) {
        cache.dropTokens(rejected);
      }
    }

    private int[] draft() {
      if (drafter == null) {
        return NOTHING;
      }
      int max = Math.min(draftLength, sequence.nCtx() - cache.used() - 1);
      if (options.maxTokens() >= 0) {
        max = Math.min(max, options.maxTokens() - nTokens - 1);
      }
      return max < 1 ? NOTHING : drafter.guess(whole, nWhole, max, cancellation);
    }

    /** Passes text on; true when a stop string was in it. */
    private boolean emit(String piece) {
      StopStrings.Result result = stops.accept(piece);
      pass(result.text());
      return result.stopped();
    }

    /** What was held back because more might have followed. */
    private void finish() {
      if (emit(utf8.finish())) {
        reason = StopReason.STOP_STRING;
        return;
      }
      pass(stops.finish());
    }

    private void pass(String piece) {
      if (!piece.isEmpty()) {
        text.append(piece);
        answer.accept(piece);
      }
    }
  }
}
