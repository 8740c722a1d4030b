package dev.ocellus.vlm.model;

import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.dual.DualArchitecture;
import dev.ocellus.vlm.dual.Similarity;

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
        BertText.of(metadata, weights, dimension),
        DualConfig.similarity(metadata, LOG_SCALE, Similarity.Rule.SOFTMAX));
  }
}
