package dev.ocellus.vlm;

import dev.ocellus.ggml.CancellationFlag;
import dev.ocellus.ggml.ComputationCancelledException;
import dev.ocellus.llama.ContextOverflowException;
import dev.ocellus.llama.Vocab;
import dev.ocellus.vlm.image.Visual;
import dev.ocellus.vlm.prompt.Prompt;
import dev.ocellus.vlm.text.StopStrings;
import dev.ocellus.vlm.text.Utf8Stream;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Turns a conversation into an answer: prompt, prefill, and one token after the other. */
final class Generator implements AutoCloseable {
  private static final int[] NOTHING = {};

  private final VisionLanguageModel model;
  private final Lane lane;
  private final Vocab vocab;
  private final ContextFiller filler;
  private final ImageEncoding images;
  private final @Nullable WholePrompt wholePrompt;
  private final @Nullable Drafter drafter;
  private final int draftMax;

  Generator(VisionLanguageModel model, Lane lane, @Nullable Drafter drafter) {
    this.model = model;
    this.lane = lane;
    this.vocab = model.textModel().vocab();
    this.filler =
        new ContextFiller(
            lane,
            model.textModel().nPositions(),
            model
                .encoder()
                .map(VisionEncoder::architecture)
                .map(a -> a.rowsSeeEachOther() || a.promptSeesItself())
                .orElse(false));
    this.wholePrompt = model.tokenEmbeddings().map(WholePrompt::new).orElse(null);
    this.images =
        new ImageEncoding(
            model.encoder().orElse(null),
            model.imageCache(),
            vocab,
            model.options().vision().images());
    this.drafter = drafter;
    this.draftMax = drafter == null ? 0 : model.options().sessions().speculation().most();
  }

  /** The sequence that it works in. */
  Lane lane() {
    return lane;
  }

  /** What stands in the sequence. */
  ContextFiller filler() {
    return filler;
  }

  private static List<Visual> pictures(List<Message> messages) {
    return messages.stream().flatMap(m -> m.visuals().stream()).toList();
  }

  /** Tokens of a conversation up to where its answer begins. */
  int countTokens(List<Message> messages, PromptOptions options) {
    images.start();
    return images.count(model.prompt(messages, options), pictures(messages), filler).total();
  }

  Answer generate(
      List<Message> messages,
      GenerationOptions options,
      AnswerListener listener,
      CancellationFlag cancellation) {
    Prompt prompt = model.prompt(messages, options.prompt());
    Message begun = options.prompt().continued(messages);
    var answer =
        new AnswerOutput(
            model.answerFormat(),
            vocab,
            prompt,
            begun == null ? "" : begun.text(),
            options,
            listener);
    var sampler = new AnswerSampler(options, model, prompt);
    List<Visual> pictures = pictures(messages);
    images.start();
    // pictures are measured before they are encoded: one that does not fit costs no time
    ImageEncoding.Count count = images.count(prompt, pictures, filler);
    int nPrompt = count.total();
    requireRoom(count);
    long prefillStart;
    int[] promptTokens;
    int cached;
    try {
      List<ContextEntry> entries = images.resolve(prompt, pictures, cancellation);
      promptTokens = ImageEncoding.promptTokens(entries);
      prefillStart = System.nanoTime();
      List<ContextEntry> wanted = wholePrompt == null ? entries : wholePrompt.join(entries);
      cached = filler.fill(wanted, cancellation, listener);
    } catch (ComputationCancelledException e) {
      return cancelledBeforeStart(prompt);
    }
    lane.synchronize();
    double prefillMillis = (System.nanoTime() - prefillStart) / 1e6;
    var run = new Run(options, answer, sampler, cancellation, promptTokens);
    long decodeStart = System.nanoTime();
    run.decode();
    double decodeMillis = (System.nanoTime() - decodeStart) / 1e6;
    return new Answer(
        run.text.toString(),
        run.tokens(),
        run.reason,
        prompt.text(),
        promptTokens,
        new Usage(
            nPrompt,
            count.images(),
            cached,
            run.nTokens,
            images.use(),
            new DraftUse(run.nDrafted, run.nAccepted),
            0),
        new Timings(
            images.preprocessTiming(),
            images.encodeTiming(),
            new Timings.Stage(prefillMillis, nPrompt - cached),
            new Timings.Stage(decodeMillis, run.nTokens)),
        answer.finish());
  }

  private void requireRoom(ImageEncoding.Count count) {
    if (count.total() >= lane.nCtx()) {
      throw new ContextOverflowException(
          "The conversation has %d tokens (%d of them pictures), and the context holds %d with room for an answer. Use a larger context (-c), fewer pictures or a shorter conversation."
              .formatted(count.total(), count.images(), lane.nCtx()));
    }
    if (count.total() == 0) {
      throw new IllegalArgumentException("An empty prompt cannot be answered");
    }
    // what sees each other is computed at once, or some would not see what comes later
    int nRows =
        wholePrompt != null ? count.total() : filler.rowsSeeEachOther() ? count.longestRows() : 0;
    if (nRows > lane.nUbatch()) {
      throw new ContextOverflowException(
          "%s %d rows that this model must see at once, and the context computes %d at once. Use a micro-batch (-ub) and a batch (-b) of at least %d."
              .formatted(
                  wholePrompt != null ? "The prompt has" : "A picture has",
                  nRows,
                  lane.nUbatch(),
                  nRows));
    }
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
        new Timings(images.preprocessTiming(), images.encodeTiming(), nothing, nothing));
  }

  @Override
  public void close() {
    lane.close();
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

    /** Prompt and answer, for guessing what follows; not kept where nothing is guessed. */
    private int[] whole;

    private int nWhole;
    private int[] guesses = NOTHING;
    private int output;
    private int boldness = draftMax;
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
        dropGuesses();
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
      float[] logits = lane.logits(output);
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
      int used = filler.used() - (guesses.length - output); // without guesses not yet true
      int room = lane.nCtx() - used + 1;
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
      if (output < guesses.length && guesses[output] == token) {
        output++; // it was guessed, and what follows it is computed already
        nAccepted++;
        return true;
      }
      try {
        dropGuesses();
        if (filler.used() >= lane.nCtx()) {
          reason = StopReason.CONTEXT;
          return false;
        }
        int[] next = guess();
        filler.append(token, next, cancellation);
        guesses = next;
        nDrafted += next.length;
        return true;
      } catch (ContextOverflowException e) {
        reason = StopReason.CONTEXT;
      } catch (ComputationCancelledException e) {
        reason = StopReason.CANCELLED;
      }
      return false;
    }

    /** Takes guesses back that did not come true. */
    private void dropGuesses() {
      int wrong = guesses.length - output;
      if (guesses.length > 0) {
        // a wrong guess is computed for nothing, so the number follows what came true
        boldness = wrong == 0 ? Math.min(draftMax, 2 * boldness) : Math.max(1, output + 1);
      }
      guesses = NOTHING;
      output = 0;
      if (!lane.isClosed()) {
        filler.dropTokens(wrong);
      }
    }

    private int[] guess() {
      if (drafter == null) {
        return NOTHING;
      }
      int most = Math.min(boldness, lane.nCtx() - filler.used() - 1);
      if (options.maxTokens() >= 0) {
        most = Math.min(most, options.maxTokens() - nTokens - 1);
      }
      return most < 1 ? NOTHING : drafter.guess(whole, nWhole, most, cancellation);
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
