package dev.ocellus.vlm.model;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.dual.TextEmbedder;
import dev.ocellus.vlm.dual.TextTokens;
import dev.ocellus.vlm.graph.ModelGraph;
import dev.ocellus.vlm.model.tower.BertEncoder;
import dev.ocellus.vlm.nn.AttentionMask;
import dev.ocellus.vlm.nn.Pooler;
import dev.ocellus.vlm.nn.Projection;
import dev.ocellus.vlm.tokenizer.WordPieceTokenizer;
import dev.ocellus.vlm.vision.ConfigReader;
import org.jspecify.annotations.Nullable;

/** A BERT whose first token speaks for a text, as the text encoder of a dual encoder. */
record BertText(
    BertEncoder tower,
    @Nullable Pooler pooler,
    Projection projection,
    WordPieceTokenizer tokenizer,
    int first,
    int last,
    int padding)
    implements TextEmbedder {
  /** Graphs are for lengths that are multiples of it, so that few of them serve all texts. */
  private static final int LENGTH_STEP = 8;

  /** One whose first token's state is projected as it is. */
  static BertText of(GgufMetadata metadata, Weights weights, int dimension) {
    return of(metadata, weights, dimension, false);
  }

  /** One with BERT's pooler between: weights {@code t.pooler}. */
  static BertText pooled(GgufMetadata metadata, Weights weights, int dimension) {
    return of(metadata, weights, dimension, true);
  }

  private static BertText of(
      GgufMetadata metadata, Weights weights, int dimension, boolean pooled) {
    BertEncoder tower = BertEncoder.of(metadata, weights.at("t"));
    WordPieceTokenizer tokenizer = WordPieceTokenizer.of(metadata);
    DualConfig.requireRows(tokenizer, tower.nTokens());
    var c = new ConfigReader(metadata, "tokenizer.ggml.");
    int max = tokenizer.size() - 1;
    return new BertText(
        tower,
        pooled ? Pooler.of(weights.at("t.pooler"), tower.width()) : null,
        Projection.of(weights.at("text_projection"), tower.width(), dimension),
        tokenizer,
        c.integer("cls_token_id", 0, max),
        c.integer("seperator_token_id", 0, max), // llama.cpp's spelling
        c.integer("padding_token_id", 0, max));
  }

  @Override
  public int contextLength() {
    return tower.nPositions();
  }

  @Override
  public int nTokens() {
    return tower.nTokens();
  }

  @Override
  public boolean masksPadding() {
    return true;
  }

  @Override
  public TextTokens prepare(String text) {
    int[] words = tokenizer.encode(text);
    int n = Math.min(words.length, contextLength() - 2);
    int[] ids = new int[n + 2];
    ids[0] = first;
    System.arraycopy(words, 0, ids, 1, n);
    ids[n + 1] = last;
    int padded = Math.min(Math.ceilDiv(ids.length, LENGTH_STEP) * LENGTH_STEP, contextLength());
    return new TextTokens(ids, padded, padding, 0, words.length - n);
  }

  @Override
  public Tensor forward(
      ModelGraph graph, Tensor ids, Tensor pooled, int n, @Nullable AttentionMask hidden) {
    Tensor x = tower.forward(graph, ids, n, hidden, null); // [width, n, batch]
    Tensor firsts = x.reshape(x.size(0), ids.size(0)).getRows(pooled);
    firsts = (pooler == null ? firsts : pooler.forward(firsts)).named("text.pooled");
    return projection.forward(firsts).named("text.features");
  }
}
