package dev.ocellus.vlm.model;

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
import dev.ocellus.vlm.vision.ConfigReader;
import org.jspecify.annotations.Nullable;

/**
 * SigLIP's text encoder: all tokens attend to each other, there are always as many as the context
 * has, and the last one of them speaks for the text, padding or not.
 *
 * <p>{@code clip.text.padding_mask}: whether the padding is hidden from the text, which a processor
 * decides: published ones give the model no mask, those without a word about it do. {@code
 * clip.text.padding_side}: where it stands.
 */
final class SiglipText implements TextEmbedder {
  private final TextTower tower;
  private final Projection head;
  private final TextTokenizer tokenizer;
  private final int padding;
  private final boolean begins;
  private final boolean padsLeft;
  private final boolean masksPadding;

  private SiglipText(GgufMetadata metadata, TextTower tower, Projection head) {
    this.tower = tower;
    this.head = head;
    tokenizer = DualTokenizers.of(metadata);
    DualConfig.requireRows(tokenizer, tower);
    var c = new ConfigReader(metadata, "tokenizer.ggml.");
    padding = c.integer("padding_token_id", 0, tokenizer.size() - 1, tokenizer.eos());
    begins = metadata.bool("tokenizer.ggml.add_bos_token", false) && tokenizer.bos() >= 0;
    padsLeft = metadata.string("clip.text.padding_side", "right").equals("left");
    masksPadding = metadata.bool("clip.text.padding_mask", false);
  }

  /**
   * Binds the weights.
   *
   * @param w those under {@code t.}
   * @param dimension of the vectors
   */
  static SiglipText of(GgufMetadata metadata, Weights w, TextTower tower, int dimension) {
    return new SiglipText(metadata, tower, Projection.of(w.at("head"), tower.width(), dimension));
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
    return masksPadding;
  }

  @Override
  public TextTokens prepare(String text) {
    int[] words = tokenizer.encode(text);
    int first = begins ? 1 : 0;
    int n = Math.min(words.length, contextLength() - 1 - first);
    boolean ends = tokenizer.mayEndItself() && n > 0 && words[n - 1] == tokenizer.eos();
    int[] ids = new int[first + n + (ends ? 0 : 1)];
    ids[0] = tokenizer.bos();
    System.arraycopy(words, 0, ids, first, n);
    ids[ids.length - 1] = tokenizer.eos();
    int last = contextLength() - 1;
    int dropped = words.length - n;
    return padsLeft
        ? TextTokens.paddedLeft(ids, contextLength(), padding, last, dropped)
        : new TextTokens(ids, contextLength(), padding, last, dropped);
  }

  @Override
  public Tensor forward(
      ModelGraph graph, Tensor ids, Tensor pooled, int n, @Nullable AttentionMask hidden) {
    return head.forward(tower.forward(graph, ids, pooled, n, hidden)).named("text.features");
  }
}
