package dev.ocellus.vlm.imagetext;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.compute.ComputationCancelledException;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.decode.BeamDecoder;
import dev.ocellus.vlm.decode.CrossDecoderGraph;
import dev.ocellus.vlm.decode.CrossStates;
import dev.ocellus.vlm.decode.KvSequence;
import dev.ocellus.vlm.fusion.TextFormat;
import dev.ocellus.vlm.graph.GraphRunner;
import dev.ocellus.vlm.sampling.BeamOptions;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Writes a text with a decoder that attends to states. Memory for them and for the text is kept for
 * the next one. Thread-safe; writes one text at a time.
 */
final class TextWriter implements AutoCloseable {
  private final GraphRunner runner;
  private final CrossDecoderGraph decoder;
  private final TextFormat texts;
  private @Nullable CrossStates states;
  private @Nullable KvSequence sequence;

  TextWriter(GraphRunner runner, CrossDecoderGraph decoder, TextFormat texts) {
    this.runner = runner;
    this.decoder = decoder;
    this.texts = texts;
  }

  /**
   * Writes a text.
   *
   * @param values states that the decoder attends to
   * @param n how many
   * @param beginning ids that it goes on from
   * @throws ComputationCancelledException if it was cancelled before the first token
   */
  synchronized WrittenText write(
      float[] values,
      int n,
      int[] beginning,
      GenerationOptions options,
      AnswerListener listener,
      CancellationFlag flag) {
    KvSequence text = sequence(n);
    text.removeFrom(0);
    long start = System.nanoTime();
    attended().set(values);
    BeamOptions beams = options.beams();
    if (beams != null) {
      var search = new WritingSearch(beams, texts, options, listener);
      return search(search, beams.numBeams(), beginning, start, flag);
    }
    text.decodeTokens(beginning, 0, beginning.length, 0, 1, flag);
    double prefill = OpenedModel.millisSince(start);
    start = System.nanoTime();
    var loop = new WritingLoop(text, texts, options, listener, flag);
    loop.run(beginning);
    return loop.result(prefill, OpenedModel.millisSince(start));
  }

  private WrittenText search(
      WritingSearch search, int nBeams, int[] beginning, long start, CancellationFlag flag) {
    int most = search.maxTokens(beginning.length);
    try (BeamDecoder beams = attended().newBeams(texts.contextLength(), nBeams, most)) {
      beams.prompt().decodeTokens(beginning, 0, beginning.length, 0, 1, flag);
      return search.run(beams, beginning, OpenedModel.millisSince(start), flag);
    }
  }

  /**
   * Logits after each of some ids, for comparing them with a reference.
   *
   * @return as many rows of the vocabulary's size as there are ids
   */
  synchronized float[][] logits(float[] values, int n, int[] ids) {
    KvSequence text = sequence(n);
    text.removeFrom(0);
    attended().set(values);
    text.decodeTokens(ids, 0, ids.length, 0, ids.length, new CancellationFlag());
    float[][] rows = new float[ids.length][];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = text.logits(i).clone();
    }
    return rows;
  }

  private CrossStates attended() {
    return Objects.requireNonNull(states);
  }

  /** The sequence over so many states; another number of them needs another one. */
  private KvSequence sequence(int n) {
    KvSequence known = sequence;
    if (known != null && attended().n() == n) {
      return known;
    }
    close();
    CrossStates made = new CrossStates(runner, decoder, n);
    try {
      KvSequence opened = made.newSequence(texts.contextLength());
      states = made;
      sequence = opened;
      return opened;
    } catch (Throwable e) {
      made.close();
      throw e;
    }
  }

  @Override
  public synchronized void close() {
    if (sequence != null) {
      sequence.close();
      sequence = null;
    }
    if (states != null) {
      states.close();
      states = null;
    }
  }
}
