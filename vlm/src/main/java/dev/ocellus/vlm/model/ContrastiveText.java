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
import dev.ocellus.vlm.tokenizer.TextTokenizer;
import dev.ocellus.vlm.tokenizer.TokenizerFormatException;
import dev.ocellus.vlm.vision.ConfigReader;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * CLIP's text encoder and what others made of it: tokens between two of their own, one row that
 * speaks for all, projected. {@code clip.text.pooling} says which row, {@code clip.text.causal}
 * whether tokens attend to those behind them.
 *
 * <p>With a causal mask, what stands behind the row changes nothing, so texts are only filled up to
 * a few lengths. Without one, and where the last row of all speaks, they are as long as the
 * context, and their padding counts, as it does in open_clip.
 *
 * <p>CoCa's texts (arXiv:2205.01917) have a CLS token behind all, padding too: the last row of the
 * tables of tokens and positions. What is hidden from it are the padding and, as its published
 * weights were trained, itself: the mask is one token off, so that it attends to the first of the
 * padding.
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
    LAST,
    /** A token of its own behind all (CoCa). */
    CLS
  }

  /** {@code eos_token_id} of the first configurations, which means the highest id. */
  private static final int HIGHEST_ID = 2;

  /** Tokens that the tokenizer puts around a text. */
  private static final int N_ENDS = 2;

  /** Graphs are for lengths that are multiples of it, so that few of them serve all texts. */
  private static final int LENGTH_STEP = 8;

  private final TextTower tower;
  private final TextHead head;
  private final TextTokenizer tokenizer;
  private final int bos;
  private final int eos;
  private final int padding;
  private final Row row;
  private final int endToken;
  private final boolean causal;
  private final int hiddenToken;

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
    if (row == Row.CLS && tower.nPositions() <= N_ENDS) {
      throw c.invalid("context_length", "more than " + N_ENDS, "" + tower.nPositions());
    }
    hiddenToken = c.integer("hidden_token_id", 0, tokenizer.size() - 1, padding);
    head = TextHead.of(metadata, weights, tower.width(), width);
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
      case "cls" -> Row.CLS;
      default ->
          throw new UnsupportedArchitectureException(
              "%s: '%s' is not known; known are argmax, cls, eos, first, last"
                  .formatted(key, name));
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
  public boolean masksPadding() {
    return row == Row.CLS;
  }

  @Override
  public float[] mask(int n, List<TextTokens> texts) {
    boolean[][] hidden = new boolean[texts.size()][n];
    for (int i = 0; i < hidden.length; i++) {
      int[] ids = texts.get(i).ids();
      for (int key = 1; key < n; key++) {
        hidden[i][key] = ids[key - 1] == hiddenToken;
      }
    }
    float[] values = AttentionMask.hiding(n, hidden);
    return causal ? AttentionMask.both(values, AttentionMask.causal(n)) : values;
  }

  @Override
  public TextTokens prepare(String text) {
    int[] words = tokenizer.encode(text);
    int n = Math.min(words.length, contextLength() - N_ENDS - (row == Row.CLS ? 1 : 0));
    int[] ids = new int[n + N_ENDS];
    ids[0] = bos;
    System.arraycopy(words, 0, ids, 1, n);
    ids[n + 1] = eos;
    if (row == Row.CLS) {
      int cls = tower.nTokens() - 1;
      return TextTokens.endedBy(cls, ids, contextLength(), padding, words.length - n);
    }
    int length =
        causal && row != Row.LAST
            ? Math.min(Math.ceilDiv(ids.length, LENGTH_STEP) * LENGTH_STEP, contextLength())
            : contextLength();
    return new TextTokens(ids, length, padding, pooled(ids, length), words.length - n);
  }

  private int pooled(int[] ids, int length) {
    return switch (row) {
      case FIRST -> 0;
      case LAST, CLS -> length - 1;
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
    AttentionMask mask = hidden == null ? causal(graph, n) : hidden;
    return head.forward(tower.forward(graph, ids, pooled, n, mask)).named("text.features");
  }

  private @Nullable AttentionMask causal(ModelGraph graph, int n) {
    return causal ? AttentionMask.of(graph.table("causal", AttentionMask.causal(n), n, n)) : null;
  }
}
