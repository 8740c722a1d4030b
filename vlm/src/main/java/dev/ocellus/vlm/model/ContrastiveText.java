package dev.ocellus.vlm.model;

import dev.ocellus.UnsupportedArchitectureException;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.dual.TextEmbedder;
import dev.ocellus.vlm.dual.TextTokens;
import dev.ocellus.vlm.graph.ModelGraph;
import dev.ocellus.vlm.model.tower.TextTower;
import dev.ocellus.vlm.nn.AttentionMask;
import dev.ocellus.vlm.nn.Projection;
import dev.ocellus.vlm.tokenizer.TextTokenizer;
import dev.ocellus.vlm.tokenizer.TokenizerFormatException;
import dev.ocellus.vlm.vision.ConfigReader;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * CLIP's text encoder and what others made of it: tokens between two of their own, one row that
 * speaks for all, projected. {@code clip.text.pooling} says which row, {@code clip.text.causal}
 * whether tokens see those behind them.
 *
 * <p>With a causal mask, what stands behind the row changes nothing, so texts are only filled up to
 * a few lengths. Without one, and where the last row of all speaks, they are as long as the
 * context, and their padding counts, as it does in open_clip.
 */
final class ContrastiveText implements TextEmbedder {
  /** Which row speaks for a text. */
  private enum Row {
    /** The first of the highest id. */
    ARGMAX,
    /** The first of the end token; the first of all where it is not. */
    EOS,
    FIRST,
    /** The last of all, padding too. */
    LAST
  }

  /** {@code eos_token_id} of the first configurations, which means the highest id. */
  private static final int HIGHEST_ID = 2;

  /** Graphs are for lengths that are multiples of it, so that few of them serve all texts. */
  private static final int LENGTH_STEP = 8;

  private final TextTower tower;
  private final @Nullable Projection projection;
  private final TextTokenizer tokenizer;
  private final int bos;
  private final int eos;
  private final int padding;
  private final Row row;
  private final int endToken;
  private final boolean causal;

  private ContrastiveText(
      GgufMetadata metadata, Weights weights, TextTower tower, TextTokenizer tokenizer, int width) {
    this.tower = tower;
    this.tokenizer = tokenizer;
    bos = special(metadata, "bos_token_id");
    eos = special(metadata, "eos_token_id");
    var c = new ConfigReader(metadata, "clip.text.");
    padding = c.integer("padding_token_id", 0, tokenizer.size() - 1, eos);
    int end = c.integer("eos_token_id", 0, Integer.MAX_VALUE, HIGHEST_ID);
    row = row(metadata, end);
    endToken = end;
    causal = metadata.bool("clip.text.causal", true);
    projection = projection(metadata, weights, tower.width(), width);
  }

  /**
   * Binds the weights.
   *
   * @param dimension of the vectors
   */
  static ContrastiveText of(
      GgufMetadata metadata,
      Weights weights,
      TextTower tower,
      TextTokenizer tokenizer,
      int dimension) {
    DualConfig.requireRows(tokenizer, tower);
    return new ContrastiveText(metadata, weights, tower, tokenizer, dimension);
  }

  /** Some variants have none, as their towers are as wide as the vectors. */
  private static @Nullable Projection projection(
      GgufMetadata metadata, Weights weights, int width, int dimension) {
    boolean has = metadata.bool("clip.text.has_projection", true) || width != dimension;
    return has ? Projection.of(weights.at("text_projection"), width, dimension) : null;
  }

  private int special(GgufMetadata metadata, String key) {
    int id = metadata.int32("tokenizer.ggml." + key, -1);
    if (id < 0) {
      id = key.startsWith("bos") ? tokenizer.bos() : tokenizer.eos();
    }
    if (id < 0 || id >= tokenizer.size()) {
      throw new TokenizerFormatException(
          key, "the id of one of %d tokens".formatted(tokenizer.size()), "" + id);
    }
    return id;
  }

  private static Row row(GgufMetadata metadata, int endToken) {
    String key = "clip.text.pooling";
    String name = metadata.string(key, endToken == HIGHEST_ID ? "argmax" : "eos");
    return switch (name) {
      case "argmax" -> Row.ARGMAX;
      case "eos" -> Row.EOS;
      case "first" -> Row.FIRST;
      case "last" -> Row.LAST;
      default ->
          throw new UnsupportedArchitectureException(
              "%s: '%s' is not known; known are argmax, eos, first, last".formatted(key, name));
    };
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
  public TextTokens prepare(String text) {
    int[] words = tokenizer.encode(text);
    int n = Math.min(words.length, contextLength() - 2);
    int[] ids = new int[n + 2];
    ids[0] = bos;
    System.arraycopy(words, 0, ids, 1, n);
    ids[n + 1] = eos;
    int length =
        causal && row != Row.LAST
            ? Math.min(Math.ceilDiv(ids.length, LENGTH_STEP) * LENGTH_STEP, contextLength())
            : contextLength();
    return new TextTokens(ids, length, padding, pooled(ids, length), words.length - n);
  }

  private int pooled(int[] ids, int length) {
    return switch (row) {
      case FIRST -> 0;
      case LAST -> length - 1;
      case EOS -> Math.max(0, first(ids, endToken));
      case ARGMAX -> first(ids, Arrays.stream(ids).max().orElseThrow());
    };
  }

  private static int first(int[] ids, int id) {
    for (int i = 0; i < ids.length; i++) {
      if (ids[i] == id) {
        return i;
      }
    }
    return -1;
  }

  @Override
  public Tensor forward(
      ModelGraph graph, Tensor ids, Tensor pooled, int n, @Nullable AttentionMask hidden) {
    AttentionMask mask =
        causal ? AttentionMask.of(graph.table("causal", AttentionMask.causal(n), n, n)) : null;
    Tensor x = tower.forward(graph, ids, n, mask); // [nEmbd, n, batch]
    Tensor ends = x.reshape(x.size(0), ids.size(0)).getRows(pooled).named("text.pooled");
    return (projection == null ? ends : projection.forward(ends)).named("text.features");
  }
}
