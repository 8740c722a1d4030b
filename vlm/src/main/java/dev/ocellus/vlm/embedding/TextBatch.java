package dev.ocellus.vlm.embedding;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.vlm.dual.TextEmbedder;
import dev.ocellus.vlm.dual.TextTokens;
import dev.ocellus.vlm.graph.GraphRun;
import dev.ocellus.vlm.graph.ModelGraph;
import dev.ocellus.vlm.nn.AttentionMask;
import java.util.List;
import java.util.stream.IntStream;

/** Texts of one length. */
final class TextBatch extends FeatureBatch {
  private static final String IDS = "ids";
  private static final String POOLED = "pooled";
  private static final String PADDING = "padding";

  private final TextEmbedder embedder;
  private final List<TextTokens> texts;
  private final int length;

  TextBatch(TextEmbedder embedder, List<TextTokens> texts) {
    super(texts.size());
    this.embedder = embedder;
    this.texts = texts;
    this.length = texts.getFirst().length();
  }

  @Override
  public Object key(int count) {
    return List.of("texts", length, count);
  }

  @Override
  Tensor forward(ModelGraph graph, int count) {
    Tensor ids = graph.indices(IDS, (long) length * count, embedder.nTokens());
    Tensor pooled = graph.indices(POOLED, count, (long) length * count);
    AttentionMask padding =
        embedder.masksPadding()
            ? AttentionMask.of(graph.input(PADDING, length, length, 1, count))
            : null;
    return embedder.forward(graph, ids, pooled, length, padding);
  }

  @Override
  void set(GraphRun run, int from, int count) {
    List<TextTokens> some = texts.subList(from, from + count);
    int[] rows = IntStream.range(0, count).map(i -> i * length + some.get(i).pooled()).toArray();
    run.set(IDS, some.stream().flatMapToInt(text -> IntStream.of(text.ids())).toArray());
    run.set(POOLED, rows);
    if (embedder.masksPadding()) {
      run.set(PADDING, embedder.mask(length, some));
    }
  }
}
