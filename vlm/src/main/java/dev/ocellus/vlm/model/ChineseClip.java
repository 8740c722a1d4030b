package dev.ocellus.vlm.model;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.dual.DualArchitecture;
import dev.ocellus.vlm.dual.Similarity;
import dev.ocellus.vlm.dual.TextEmbedder;
import dev.ocellus.vlm.dual.TextTokens;
import dev.ocellus.vlm.graph.ModelGraph;
import dev.ocellus.vlm.model.tower.BertEncoder;
import dev.ocellus.vlm.nn.AttentionMask;
import dev.ocellus.vlm.nn.Projection;
import dev.ocellus.vlm.tokenizer.WordPieceTokenizer;
import dev.ocellus.vlm.vision.ConfigReader;
import org.jspecify.annotations.Nullable;

/**
 * Chinese-CLIP (arXiv:2211.01335): CLIP's image encoder, and a BERT whose first token speaks for a
 * text.
 *
 * <p>The reference is {@code ChineseCLIPModel} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/chinese_clip/modeling_chinese_clip.py">modeling_chinese_clip.py</a>.
 */
final class ChineseClip {
  private static final double LOG_SCALE = Math.log(100);

  private ChineseClip() {}

  static DualArchitecture of(GgufMetadata metadata, Weights weights) {
    int dimension = Clip.dimension(metadata, weights);
    return new DualArchitecture(
        "chinese_clip",
        dimension,
        Clip.images(metadata, weights),
        Texts.of(metadata, weights, dimension),
        DualConfig.similarity(metadata, LOG_SCALE, Similarity.Rule.SOFTMAX));
  }

  private record Texts(
      BertEncoder tower,
      Projection projection,
      WordPieceTokenizer tokenizer,
      int first,
      int last,
      int padding)
      implements TextEmbedder {
    /** Graphs are for lengths that are multiples of it, so that few of them serve all texts. */
    private static final int LENGTH_STEP = 8;

    static Texts of(GgufMetadata metadata, Weights weights, int dimension) {
      BertEncoder tower = BertEncoder.of(metadata, weights.at("t"));
      WordPieceTokenizer tokenizer = WordPieceTokenizer.of(metadata);
      DualConfig.requireRows(tokenizer, tower.nTokens());
      var c = new ConfigReader(metadata, "tokenizer.ggml.");
      int max = tokenizer.size() - 1;
      return new Texts(
          tower,
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
      Tensor firsts = x.reshape(x.size(0), ids.size(0)).getRows(pooled).named("text.pooled");
      return projection.forward(firsts).named("text.features");
    }
  }
}
