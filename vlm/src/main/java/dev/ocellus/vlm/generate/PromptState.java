package dev.ocellus.vlm.generate;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.llama.Vocab;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.chat.PromptOptions;
import dev.ocellus.vlm.decode.LlamaDecoder;
import dev.ocellus.vlm.decode.StateSequence;
import dev.ocellus.vlm.prompt.Prompt;
import dev.ocellus.vlm.prompt.Segment;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The text model's state behind a prompt, for models whose last token speaks for what stands before
 * it. Nothing of an earlier prompt is used, so that a state depends on its prompt alone.
 *
 * <p>For one thread at a time.
 */
public final class PromptState implements AutoCloseable {
  private final Pipeline pipeline;
  private final StateSequence sequence;
  private final PromptDecoder decoder;
  private final boolean addsEnd;

  /**
   * @throws IllegalArgumentException if libllama does not compute the text model
   */
  public PromptState(Pipeline pipeline) throws IOException {
    if (!(pipeline.decoder() instanceof LlamaDecoder llama)) {
      throw new IllegalArgumentException(
          pipeline.decoder().description() + " gives no states: libllama does not compute it");
    }
    this.pipeline = pipeline;
    try (GgufFile file = GgufFile.open(pipeline.options().model())) {
      addsEnd = file.metadata().bool("tokenizer.ggml.add_eos_token", false);
    }
    sequence = StateSequence.of(llama.model(), pipeline.options().contextOptions());
    decoder = new PromptDecoder(pipeline, sequence, pipeline.imageCache());
  }

  /** Most tokens of a prompt, and one. */
  public int contextLength() {
    return sequence.nCtx();
  }

  /** Floats of a state. */
  public int width() {
    return sequence.lastState().length;
  }

  /**
   * A prompt as it is computed, with the tokenizer's end token where it adds one.
   *
   * @param prompt to be computed
   * @param nDropped tokens of its end that were left out
   */
  public record Cut(Prompt prompt, int nDropped) {}

  /**
   * The prompt of a conversation.
   *
   * @param maxTokens of its text; what is behind them is left out
   */
  public Cut prompt(List<Message> messages, int maxTokens) {
    Prompt whole = pipeline.prompts().prompt(messages, PromptOptions.defaults());
    Vocab vocab = pipeline.decoder().vocab();
    int[] end = addsEnd && vocab.eos() >= 0 ? new int[] {vocab.eos()} : new int[0];
    int room = maxTokens - end.length;
    int dropped = 0;
    List<Segment> segments = new ArrayList<>();
    for (Segment segment : whole.segments()) {
      if (segment instanceof Segment.Tokens(int[] ids)) {
        int n = Math.min(ids.length, Math.max(0, room));
        dropped += ids.length - n;
        room -= n;
        segments.add(n == ids.length ? segment : new Segment.Tokens(Arrays.copyOf(ids, n)));
      } else {
        segments.add(segment);
      }
    }
    if (end.length > 0) {
      segments.add(new Segment.Tokens(end));
    }
    return new Cut(new Prompt(whole.text(), segments, whole.misplaced(), whole.end()), dropped);
  }

  /**
   * The state of the last token.
   *
   * @param prompt of these messages
   * @return [width] floats, behind the last norm
   * @throws dev.ocellus.llama.ContextOverflowException if it does not fit the context
   * @throws dev.ocellus.compute.ComputationCancelledException if the flag was set
   */
  public float[] of(List<Message> messages, Cut prompt, CancellationFlag flag) {
    decoder.cache().clear();
    decoder.decode(messages, prompt.prompt, AnswerListener.NONE, flag);
    return sequence.lastState();
  }

  @Override
  public void close() {
    sequence.close();
  }
}
