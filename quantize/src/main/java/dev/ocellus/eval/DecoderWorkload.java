package dev.ocellus.eval;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.llama.Vocab;
import dev.ocellus.vlm.decode.KvSequence;
import dev.ocellus.vlm.decode.TextDecoder;
import dev.ocellus.vlm.vision.EncodedImage;
import dev.ocellus.vlm.vision.ImagePiece;
import java.util.List;
import java.util.SplittableRandom;

/**
 * The same as {@link LlamaBenchWorkload} of a text model that libllama does not compute: random
 * tokens, or random embeddings where an encoder reads the prompt.
 */
final class DecoderWorkload implements AutoCloseable {
  private final TextDecoder decoder;
  private final KvSequence sequence;
  private final int n;
  private final CancellationFlag flag;
  private final SplittableRandom random = new SplittableRandom(1);

  /**
   * @param n tokens
   * @param flag stops the work
   */
  DecoderWorkload(TextDecoder decoder, ContextOptions options, int n, CancellationFlag flag) {
    this.decoder = decoder;
    this.sequence = decoder.newSequence(options.withContext(n + 1));
    this.n = Math.min(n, sequence.nCtx() - 1); // learned positions end
    this.flag = flag;
  }

  /** Tokens; fewer than were asked for where the model knows no more positions. */
  int n() {
    return n;
  }

  /** The tokens as a prompt. */
  void prompt() {
    prompt(n);
  }

  private void prompt(int count) {
    sequence.removeFrom(0);
    if (!decoder.encodesPrompts()) {
      sequence.decodeTokens(tokens(count), 0, count, 0, 1, flag);
      return;
    }
    int width = decoder.embeddingWidth();
    float[] values = new float[count * width];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    var layout = List.<ImagePiece>of(ImagePiece.Embeddings.of(count));
    int[][] positions = new int[count][];
    for (int i = 0; i < count; i++) {
      positions[i] = new int[] {i};
    }
    var embeddings = new EncodedImage(values, count, width, layout);
    sequence.decodeEmbeddings(embeddings, 0, positions, false, true, flag);
  }

  private int[] tokens(int count) {
    Vocab vocab = decoder.vocab();
    return random.ints(count, 0, vocab.nTokens()).toArray();
  }

  /** The tokens one by one. */
  void generate() {
    generate(n);
  }

  /** A single token, which is enough to warm up. */
  void one() {
    generate(1);
  }

  private void generate(int count) {
    sequence.removeFrom(0);
    int from = 0;
    if (decoder.encodesPrompts()) {
      prompt(1); // there is no answer without one
      from = 1;
    }
    int[] tokens = tokens(count);
    for (int i = 0; i < count; i++) {
      sequence.decodeTokens(tokens, i, 1, from + i, 1, flag);
    }
  }

  @Override
  public void close() {
    sequence.close();
  }
}
