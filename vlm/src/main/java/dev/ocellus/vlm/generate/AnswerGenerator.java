package dev.ocellus.vlm.generate;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.compute.ComputationCancelledException;
import dev.ocellus.llama.Vocab;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.AnswerListener;
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
import dev.ocellus.vlm.sampling.BeamOptions;
import java.util.List;
import java.util.function.IntUnaryOperator;
import org.jspecify.annotations.Nullable;

/** Turns a conversation into an answer: prompt, prefill, and one token after the other. */
public final class AnswerGenerator implements AutoCloseable {
  private final Pipeline pipeline;
  private final KvSequence sequence;
  private final Vocab vocab;
  private final PromptDecoder decoder;
  private final PromptCache cache;
  private final @Nullable Drafter drafter;
  private final int draftMax;
  private final IntUnaryOperator padded;
  private volatile Usage lastPrompt = new Usage(0, 0, 0, 0);

  AnswerGenerator(Pipeline pipeline, KvSequence sequence, @Nullable Drafter drafter) {
    this.pipeline = pipeline;
    this.sequence = sequence;
    this.vocab = pipeline.decoder().vocab();
    this.decoder =
        new PromptDecoder(
            pipeline,
            sequence,
            pipeline.imageCache(),
            pipeline.options().sessions().checkpointBytes());
    this.cache = decoder.cache();
    this.padded = PaddedTokens.of(pipeline.encoder(), vocab);
    this.drafter = drafter;
    this.draftMax =
        drafter == null ? 0 : pipeline.options().sessions().speculation().maxDraftTokens();
  }

  /** The sequence that it works in. */
  public KvSequence sequence() {
    return sequence;
  }

  /** What stands in the sequence. */
  public PromptCache cache() {
    return cache;
  }

  /** Tokens of the prompt that was decoded last. Any thread may ask. */
  Usage lastPrompt() {
    return lastPrompt;
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
    var output =
        new AnswerOutput(
            pipeline.prompts().answerFormat(options.prompt()),
            vocab,
            prompt,
            begun == null ? "" : begun.text(),
            options,
            listener);
    BeamOptions beams = options.beams();
    if (beams != null) {
      return new AnswerSearch(pipeline, pipeline.imageCache(), beams, options, cancellation)
          .answer(messages, prompt, output, listener);
    }
    var sampler = new AnswerSampler(options, pipeline, prompt);
    PromptDecoder.Decoded decoded;
    try {
      decoded = decoder.decode(messages, prompt, listener, cancellation);
    } catch (ComputationCancelledException e) {
      return cancelledBeforeStart(prompt, decoder);
    }
    int nPrompt = decoded.tokens().length;
    lastPrompt = decoded.usage();
    listener.onPrompt(lastPrompt);
    var decoding =
        new SpeculativeDecoding(
            cache, sequence, drafter, draftMax, padded, decoded.tokens(), cancellation);
    var loop =
        new AnswerLoop(options, pipeline::endsAnswer, sampler, decoding, output, cancellation);
    long start = System.nanoTime();
    StopReason reason = loop.run();
    double millis = (System.nanoTime() - start) / 1e6;
    return new Answer(
        output.rawText(),
        loop.tokens(),
        reason,
        prompt.text(),
        decoded.tokens(),
        new Usage(
            nPrompt,
            decoded.nImageTokens(),
            decoded.nCached(),
            loop.nTokens(),
            output.nReasoning(),
            decoder.imageUse(),
            decoding.use(),
            0),
        new Timings(
            decoder.preprocessTiming(),
            decoder.encodeTiming(),
            new Timings.Stage(decoded.prefillMillis(), nPrompt - decoded.nCached()),
            new Timings.Stage(millis, loop.nTokens())),
        output.parts());
  }

  static Answer cancelledBeforeStart(Prompt prompt, PromptDecoder decoder) {
    var nothing = new Timings.Stage(0, 0);
    return Answer.cancelled(
        prompt.text(),
        new Timings(decoder.preprocessTiming(), decoder.encodeTiming(), nothing, nothing));
  }

  @Override
  public void close() {
    cache.close();
    sequence.close();
    if (drafter != null) {
      drafter.close();
    }
  }
}
