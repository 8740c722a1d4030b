package dev.ocellus.vlm.model;

import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.dual.DualArchitecture;
import dev.ocellus.vlm.dual.ImageEmbedder;
import dev.ocellus.vlm.dual.Similarity;
import dev.ocellus.vlm.nn.Projection;

/**
 * LiT (arXiv:2111.07991) as transformers has it: any image encoder and any text encoder, of each of
 * which the pooled output is projected. Here a ViT with its pooler, CLIP's or SigLIP's image
 * encoder, and a BERT or RoBERTa with its pooler.
 *
 * <p>The reference is {@code VisionTextDualEncoderModel} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/vision_text_dual_encoder/modeling_vision_text_dual_encoder.py">modeling_vision_text_dual_encoder.py</a>.
 */
final class VisionTextDual {
  /** What {@code logit_scale} begins with. */
  private static final double LOG_SCALE = 2.6592;

  private VisionTextDual() {}

  static DualArchitecture of(GgufMetadata metadata, Weights weights) {
    int dimension = Clip.dimension(metadata, weights);
    return new DualArchitecture(
        "vision_text_dual",
        dimension,
        images(metadata, weights),
        BertText.pooled(metadata, weights, dimension),
        DualConfig.similarity(metadata, LOG_SCALE, Similarity.Rule.SOFTMAX));
  }

  private static ImageEmbedder images(GgufMetadata metadata, Weights weights) {
    if (weights.has("v.head.probe")) {
      Weights projection = weights.at("visual_projection");
      long width = weights.shape("v.head.probe")[0];
      return Siglip.images(
          metadata, weights, Projection.of(projection, width, projection.outputs("weight")));
    }
    boolean isClip = metadata.bool("clip.vision.pre_norm", true);
    return isClip ? Clip.images(metadata, weights) : Clip.pooledImages(metadata, weights);
  }
}
