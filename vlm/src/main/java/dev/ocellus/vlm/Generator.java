package dev.ocellus.vlm;

import dev.ocellus.ggml.CancellationFlag;
import dev.ocellus.ggml.ComputationCancelledException;
import dev.ocellus.llama.ContextOverflowException;
import dev.ocellus.llama.LlamaContext;
import dev.ocellus.llama.Vocab;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.prompt.Prompt;
import dev.ocellus.vlm.text.StopStrings;
import dev.ocellus.vlm.text.Utf8Stream;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Turns a conversation into an answer: prompt, prefill, and one token after the other. */
final class Generator implements AutoCloseable {
  private final VisionLanguageModel model;
  private final LlamaContext context;
  private final Vocab vocab;
  private final ContextFiller filler;
  private final ImageEncoding images;
  private final float[] logits;
  private final @Nullable WholePrompt wholePrompt;

  Generator(VisionLanguageModel model, LlamaContext context) {
    this.model = model;
    this.context = context;
    this.vocab = model.textModel().vocab();
    this.filler =
        new ContextFiller(
            context,
            model
                .encoder()
                .map(VisionEncoder::architecture)
                .map(a -> a.rowsSeeEachOther() || a.promptSeesItself())
                .orElse(false));
    this.wholePrompt = model.tokenEmbeddings().map(WholePrompt::new).orElse(null);
    this.images =
        new ImageEncoding(model.encoder().orElse(null), vocab, model.options().imageTokens());
    this.logits = new float[vocab.nTokens()];
  }

  int contextUsed() {
    return filler.used();
  }

  Answer generate(
      List<Message> messages,
      GenerationOptions options,
      AnswerListener listener,
      CancellationFlag cancellation) {
    Prompt prompt = model.prompt(messages, options.prompt());
    Message begun = options.prompt().continued(messages);
    var output =
        new AnswerOutput(
            model.answerFormat(),
            vocab,
            prompt,
            begun == null ? "" : begun.text(),
            options,
            listener);
    var sampler = new AnswerSampler(options, model);
    List<RgbImage> pictures = messages.stream().flatMap(m -> m.images().stream()).toList();
    images.startTiming();
    List<ContextEntry> entries;
    int nPrompt;
    try {
      // pictures are measured before they are encoded: one that does not fit costs no time
      nPrompt = images.countTokens(prompt, pictures);
      if (nPrompt >= context.nCtx()) {
        throw new ContextOverflowException(
            "The conversation has %d tokens (%d of them pictures), and the context holds %d with room for an answer. Use a larger context (-c), fewer pictures or a shorter conversation."
                .formatted(nPrompt, images.imageTokens(), context.nCtx()));
      }
      if (nPrompt == 0) {
        throw new IllegalArgumentException("An empty prompt cannot be answered");
      }
      requireRowsFitAMicroBatch(nPrompt);
      entries = images.resolve(prompt, pictures, filler, cancellation);
    } catch (ComputationCancelledException e) {
      return cancelledBeforeStart(prompt);
    }
    int[] promptTokens = ImageEncoding.promptTokens(entries);
    long prefillStart = System.nanoTime();
    int cached;
    try {
      List<ContextEntry> wanted = wholePrompt == null ? entries : wholePrompt.join(entries);
      cached = filler.fill(wanted, cancellation, listener);
    } catch (ComputationCancelledException e) {
      return cancelledBeforeStart(prompt);
    }
    context.synchronize();
    double prefillMillis = (System.nanoTime() - prefillStart) / 1e6;
    var run = new Run(options, output, sampler, cancellation);
    long decodeStart = System.nanoTime();
    run.decode();
    double decodeMillis = (System.nanoTime() - decodeStart) / 1e6;
    return new Answer(
        run.text.toString(),
        run.tokens(),
        run.reason,
        prompt.text(),
        promptTokens,
        new Usage(nPrompt, images.imageTokens(), cached, run.nTokens),
        new Timings(
            images.preprocessTiming(),
            images.encodeTiming(),
            new Timings.Stage(prefillMillis, nPrompt - cached),
            new Timings.Stage(decodeMillis, run.nTokens)),
        output.finish());
  }

  /** What sees each other is computed at once, or some would not see what comes later. */
  private void requireRowsFitAMicroBatch(int nPrompt) {
    int nRows =
        wholePrompt != null ? nPrompt : filler.rowsSeeEachOther() ? images.longestRows() : 0;
    if (nRows > context.nUbatch()) {
      throw new ContextOverflowException(
          "%s %d rows that this model must see at once, and the context computes %d at once. Use a micro-batch (-ub) and a batch (-b) of at least %d."
              .formatted(
                  wholePrompt != null ? "The prompt has" : "A picture has",
                  nRows,
                  context.nUbatch(),
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
    filler.close();
  }

  /** The answer on its way. */
  private final class Run {
    private final GenerationOptions options;
    private final AnswerOutput output;
    private final CancellationFlag cancellation;
    private final AnswerSampler sampler;
    private final Utf8Stream utf8 = new Utf8Stream();
    private final StopStrings stops;
    private final StringBuilder text = new StringBuilder();
    private int[] tokens = new int[256];
    private int nTokens;
    private StopReason reason = StopReason.LENGTH;

    Run(
        GenerationOptions options,
        AnswerOutput output,
        AnswerSampler sampler,
        CancellationFlag cancellation) {
      this.options = options;
      this.output = output;
      this.cancellation = cancellation;
      this.sampler = sampler;
      this.stops = new StopStrings(options.stop());
    }

    int[] tokens() {
      return Arrays.copyOf(tokens, nTokens);
    }

    void decode() {
      boolean stopped = false;
      while (!stopped) {
        if (sampler.mustEnd()) {
          reason = StopReason.END;
          break;
        }
        if (nTokens == options.maxTokens()) {
          reason = StopReason.LENGTH;
          break;
        }
        if (cancellation.isCancelled()) {
          reason = StopReason.CANCELLED;
          break;
        }
        context.logits(filler.lastOutput(), logits);
        float[] raw = options.logProbs() < 0 ? logits : logits.clone();
        int token = sampler.sample(logits, tokensLeft());
        if (!options.ignoreEos() && vocab.isEndOfGeneration(token)) {
          reason = StopReason.END;
          break;
        }
        add(token);
        output.addLogProbs(raw, token);
        stopped = emit(utf8.accept(output.bytes(token)));
        if (stopped) {
          reason = StopReason.STOP_STRING;
        } else if (nTokens != options.maxTokens() && !sampler.mustEnd()) {
          stopped = !advance(token);
        }
      }
      if (reason != StopReason.STOP_STRING) {
        finish();
      }
    }

    /** How many tokens may still come, by the options and by the context. */
    private int tokensLeft() {
      int room = context.nCtx() - filler.used() + 1;
      return options.maxTokens() < 0 ? room : Math.min(room, options.maxTokens() - nTokens);
    }

    private void add(int token) {
      if (nTokens == tokens.length) {
        tokens = Arrays.copyOf(tokens, 2 * nTokens);
      }
      tokens[nTokens++] = token;
    }

    /** Computes the logits after a token; false when the answer has to end here. */
    private boolean advance(int token) {
      if (filler.used() >= context.nCtx()) {
        reason = StopReason.CONTEXT;
        return false;
      }
      try {
        filler.append(token, cancellation);
        return true;
      } catch (ContextOverflowException e) {
        reason = StopReason.CONTEXT;
      } catch (ComputationCancelledException e) {
        reason = StopReason.CANCELLED;
      }
      return false;
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
        output.accept(piece);
      }
    }
  }
}
