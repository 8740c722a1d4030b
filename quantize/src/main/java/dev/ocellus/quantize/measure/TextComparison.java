package dev.ocellus.quantize.measure;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.llama.LlamaModel;
import dev.ocellus.llama.Vocab;
import dev.ocellus.quantize.text.ChunkDecoder;
import dev.ocellus.quantize.text.TextChunks;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;

/** Compares two text models on a text, chunk by chunk as {@link Perplexity} does. */
public final class TextComparison {
  /** Told the result after every batch of chunks. */
  @FunctionalInterface
  public interface Listener {
    void chunk(int done, int count, Divergence.Result soFar);
  }

  private TextComparison() {}

  /**
   * Compares.
   *
   * @param a the reference
   * @param b the other; it must have the same vocabulary
   * @throws VocabularyMismatchException if the vocabularies have different sizes
   * @throws dev.ocellus.compute.ComputationCancelledException if {@code flag} was set
   */
  public static Divergence.Result compare(
      LlamaModel a,
      LlamaModel b,
      ContextOptions options,
      TextChunks chunks,
      Listener listener,
      CancellationFlag flag) {
    int nVocab = a.vocab().nTokens();
    requireSameVocabulary(a.vocab(), a.path(), b.vocab(), b.path());
    var divergence = new Divergence();
    try (ChunkDecoder decoderA = new ChunkDecoder(a, options, chunks.nCtx(), null);
        ChunkDecoder decoderB = new ChunkDecoder(b, options, chunks.nCtx(), null)) {
      var rowsA = new Rows(nVocab);
      var rowsB = new Rows(nVocab);
      for (int chunk = 0; chunk < chunks.count(); chunk += decoderA.sideBySide()) {
        // only the last batch's logits stay readable, so batches of both models take turns
        var turns = new Turns(decoderA, decoderB, chunks, chunk, flag);
        turns.run(rowsA, rowsB, divergence);
        int done = Math.min(chunks.count(), chunk + decoderA.sideBySide());
        listener.chunk(done, chunks.count(), divergence.result());
      }
    }
    return divergence.result();
  }

  /** Refuses models whose tokens are not the same. */
  public static void requireSameVocabulary(Vocab a, Path fileA, Vocab b, Path fileB) {
    if (a.nTokens() != b.nTokens()) {
      throw new VocabularyMismatchException(
          "%s has %d tokens and %s has %d. Only models with the same vocabulary can be compared."
              .formatted(fileA, a.nTokens(), fileB, b.nTokens()));
    }
  }

  private record Rows(float[][] logits) {
    Rows(int nVocab) {
      this(new float[Perplexity.ROWS][nVocab]);
    }
  }

  private record Turns(
      ChunkDecoder a, ChunkDecoder b, TextChunks chunks, int chunk, CancellationFlag flag) {
    private record Prediction(int index, int next) {}

    void run(Rows rowsA, Rows rowsB, Divergence divergence) {
      List<ChunkDecoder.Part> parts = a.parts(chunks, chunk, chunks.firstScored());
      for (ChunkDecoder.Part part : parts) {
        a.decode(part, flag);
        b.decode(part, flag);
        List<Prediction> predictions =
            part.outputs().stream()
                .filter(o -> o.position() < chunks.nCtx() - 1)
                .map(o -> new Prediction(o.index(), chunks.token(o.chunk(), o.position() + 1)))
                .toList();
        for (int from = 0; from < predictions.size(); from += Perplexity.ROWS) {
          List<Prediction> some =
              predictions.subList(from, Math.min(predictions.size(), from + Perplexity.ROWS));
          for (int i = 0; i < some.size(); i++) {
            a.logits(some.get(i).index(), rowsA.logits()[i]);
            b.logits(some.get(i).index(), rowsB.logits()[i]);
          }
          List<Divergence.Point> points =
              IntStream.range(0, some.size())
                  .parallel()
                  .mapToObj(i ->
                      Divergence.point(rowsA.logits()[i], rowsB.logits()[i], some.get(i).next()))
                  .toList();
          points.forEach(divergence::add);
        }
      }
    }
  }
}
