package dev.ocellus.vlm.model;

import dev.ocellus.UnsupportedArchitectureException;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.dual.TextEmbedder;
import dev.ocellus.vlm.dual.TextTokens;
import dev.ocellus.vlm.graph.ModelGraph;
import dev.ocellus.vlm.model.tower.BertEncoder;
import dev.ocellus.vlm.nn.AttentionMask;
import dev.ocellus.vlm.nn.MaskedMean;
import dev.ocellus.vlm.nn.Pooler;
import dev.ocellus.vlm.tokenizer.TextTokenizer;
import dev.ocellus.vlm.vision.ConfigReader;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A BERT (arXiv:1810.04805) or RoBERTa (arXiv:1907.11692) as the text encoder of a dual encoder.
 * {@code clip.text.pooling} says what speaks for a text: the state of its first token as it is
 * ({@code first}) or behind BERT's pooler ({@code pooler}, weights {@code t.pooler}), or the mean
 * of all ({@code mean}).
 */
final class BertText implements TextEmbedder {
  /** Graphs are for lengths that are multiples of it, so that few of them serve all texts. */
  private static final int LENGTH_STEP = 8;

  /** What speaks for a text. */
  private enum Pooling {
    FIRST,
    POOLER,
    MEAN
  }

  private final BertEncoder tower;
  private final Pooling pooling;
  private final @Nullable Pooler pooler;
  private final TextHead head;
  private final TextTokenizer tokenizer;
  private final int first;
  private final int last;
  private final int padding;

  private BertText(GgufMetadata metadata, Weights weights, int dimension, String usualPooling) {
    tower = BertEncoder.of(metadata, weights.at("t"));
    tokenizer = DualTokenizers.of(metadata);
    DualConfig.requireRows(tokenizer, tower.nTokens());
    pooling = pooling(metadata, usualPooling);
    pooler = pooling == Pooling.POOLER ? Pooler.of(weights.at("t.pooler"), tower.width()) : null;
    head = TextHead.of(metadata, weights, tower.width(), dimension);
    first = special(metadata, "cls_token_id", "bos_token_id");
    last = special(metadata, "seperator_token_id", "eos_token_id"); // llama.cpp's spelling
    padding = special(metadata, "padding_token_id", "padding_token_id");
  }

  /** One whose first token's state is projected as it is, where the file does not say. */
  static BertText of(GgufMetadata metadata, Weights weights, int dimension) {
    return new BertText(metadata, weights, dimension, "first");
  }

  /** One with BERT's pooler, where the file does not say. */
  static BertText pooled(GgufMetadata metadata, Weights weights, int dimension) {
    return new BertText(metadata, weights, dimension, "pooler");
  }

  private static Pooling pooling(GgufMetadata metadata, String usual) {
    String key = "clip.text.pooling";
    String name = metadata.string(key, usual);
    return switch (name) {
      case "first" -> Pooling.FIRST;
      case "pooler" -> Pooling.POOLER;
      case "mean" -> Pooling.MEAN;
      default ->
          throw new UnsupportedArchitectureException(
              "%s: '%s' is not known for a BERT; known are first, mean, pooler"
                  .formatted(key, name));
    };
  }

  /** A BERT's name for a token, or a RoBERTa's. */
  private int special(GgufMetadata metadata, String key, String other) {
    var c = new ConfigReader(metadata, "tokenizer.ggml.");
    String known = metadata.contains("tokenizer.ggml." + key) ? key : other;
    return c.integer(known, 0, tokenizer.size() - 1);
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
    return head.forward(pooled(x, pooled, hidden).named("text.pooled")).named("text.features");
  }

  private Tensor pooled(Tensor x, Tensor rows, @Nullable AttentionMask hidden) {
    if (pooling == Pooling.MEAN) {
      return MaskedMean.forward(x, Objects.requireNonNull(hidden, "texts are padded"));
    }
    Tensor firsts = x.reshape(x.size(0), x.size(1) * x.size(2)).getRows(rows);
    return pooler == null ? firsts : pooler.forward(firsts);
  }
}
