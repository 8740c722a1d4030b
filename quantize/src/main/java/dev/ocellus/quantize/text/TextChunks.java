package dev.ocellus.quantize.text;

import dev.ocellus.Setting;
import dev.ocellus.llama.Vocab;
import java.util.Arrays;

/**
 * A text cut into chunks of tokens that are computed one by one, each in an empty context, as
 * llama-perplexity and llama-imatrix do. Where the vocabulary wants it, the first token of every
 * chunk is replaced by the beginning of a sequence.
 */
public final class TextChunks {
  private final int[] tokens;
  private final int nCtx;
  private final int count;
  private final int bos;

  private TextChunks(int[] tokens, int nCtx, int count, int bos) {
    this.tokens = tokens;
    this.nCtx = nCtx;
    this.count = count;
    this.bos = bos;
  }

  /**
   * Cuts a text.
   *
   * @param nCtx tokens of a chunk
   * @param skip chunks to leave out at the beginning
   * @param maxChunks chunks to use at most; -1 for all
   * @param parseSpecial whether texts of control tokens become those tokens
   * @throws TextTooShortException if the text has fewer than two chunks
   */
  public static TextChunks of(
      Vocab vocab, String text, int nCtx, int skip, int maxChunks, boolean parseSpecial) {
    if (nCtx < 4 || skip < 0 || maxChunks < -1 || maxChunks == 0) {
      throw new IllegalArgumentException(
          "chunks: expected at least 4 tokens, 0 to skip and 1 to use, found %d, %d and %d"
              .formatted(nCtx, skip, maxChunks));
    }
    int[] plain = vocab.tokenize(text, parseSpecial);
    int bos = vocab.addsBos() ? vocab.bos() : -1;
    int[] all = plain;
    if (bos >= 0) {
      all = new int[plain.length + 1];
      all[0] = bos;
      System.arraycopy(plain, 0, all, 1, plain.length);
    }
    long left = all.length - (long) skip * nCtx;
    if (left < 2L * nCtx) {
      throw new TextTooShortException(
              "The text has %d tokens%s, and at least %d are needed for chunks of %d. Give a longer text, or use smaller chunks."
                  .formatted(
                      all.length,
                      skip == 0 ? "" : ", of which %d are skipped".formatted((long) skip * nCtx),
                      2L * nCtx,
                      nCtx))
          .about(Setting.CHUNK_SIZE);
    }
    int[] used = Arrays.copyOfRange(all, skip * nCtx, all.length);
    int count = used.length / nCtx;
    return new TextChunks(used, nCtx, maxChunks < 0 ? count : Math.min(maxChunks, count), bos);
  }

  /** Number of chunks. */
  public int count() {
    return count;
  }

  /** Tokens of a chunk. */
  public int nCtx() {
    return nCtx;
  }

  /** What stands in the context at {@code position} of a chunk. */
  public int input(int chunk, int position) {
    return position == 0 && bos >= 0 ? bos : token(chunk, position);
  }

  /** What the text has at {@code position} of a chunk. */
  public int token(int chunk, int position) {
    return tokens[chunk * nCtx + position];
  }

  /** The first position whose prediction counts: by then there is context to predict from. */
  public int firstScored() {
    return nCtx / 2;
  }
}
