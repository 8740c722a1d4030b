package dev.ocellus.vlm.model;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.image.Normalize;
import dev.ocellus.vlm.model.tiling.PatchOrder;
import dev.ocellus.vlm.model.tiling.QwenTiling;
import dev.ocellus.vlm.model.tiling.SmartResize;
import dev.ocellus.vlm.model.tower.GridTable;
import dev.ocellus.vlm.model.tower.QwenConfig;
import dev.ocellus.vlm.model.tower.QwenEmbedding;
import dev.ocellus.vlm.model.tower.RotaryLayer;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.LayerNorm;
import dev.ocellus.vlm.nn.Mlp;
import dev.ocellus.vlm.nn.Rope2d;
import dev.ocellus.vlm.nn.Windows;
import dev.ocellus.vlm.vision.ChatTemplateName;
import dev.ocellus.vlm.vision.ConfigReader;
import dev.ocellus.vlm.vision.EncoderGraph;
import dev.ocellus.vlm.vision.FixedPromptFormat;
import dev.ocellus.vlm.vision.ImagePlaceholder;
import dev.ocellus.vlm.vision.OcrForm;
import dev.ocellus.vlm.vision.OcrPrompt;
import dev.ocellus.vlm.vision.VisionArchitecture;
import dev.ocellus.vlm.vision.VisionGraph;
import java.util.ArrayList;
import java.util.List;

/**
 * PaddleOCR-VL (arXiv:2510.14528): SigLIP's tower with rotary positions beside the learned ones,
 * which are interpolated between the corners, and a projector that joins squares of patches.
 * Weights under {@code v.} and {@code mm.}.
 *
 * <p>The reference is {@code PaddleOCRVLForConditionalGeneration} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/paddleocr_vl/modeling_paddleocr_vl.py">modeling_paddleocr_vl.py</a>.
 */
final class PaddleOcr {
  /**
   * Half and half, and the pixel limits of <a
   * href="https://huggingface.co/PaddlePaddle/PaddleOCR-VL/blob/main/preprocessor_config.json">the
   * published model</a>: 188 to 3600 tokens.
   */
  private static final QwenTiling.Defaults DEFAULTS =
      new QwenTiling.Defaults(Normalize.HALF, 147_384, 2_822_400);

  private static final QwenTiling.Layout LAYOUT =
      new QwenTiling.Layout(SmartResize.PADDLE, 1, false, true, QwenTiling.Pieces.GRID);

  private static final float EPS = 1e-6f;

  /** Of the projector's norm, fixed in the reference. */
  private static final float PROJECTOR_EPS = 1e-5f;

  private PaddleOcr() {}

  static VisionArchitecture of(GgufMetadata metadata, Weights weights) {
    QwenTiling tiling = QwenTiling.of(metadata, DEFAULTS, LAYOUT);
    return new VisionArchitecture(
        "paddleocr-vl",
        new FixedPromptFormat(
                ImagePlaceholder.of("<|IMAGE_PLACEHOLDER|>")
                    .written("<|IMAGE_START|><|IMAGE_PLACEHOLDER|><|IMAGE_END|>"),
                ChatTemplateName.PADDLEOCR)
            .withOcr(OcrPrompt.of(OcrForm.TEXT, "OCR:")),
        tiling,
        Graph.of(metadata, tiling, weights));
  }

  private record Graph(
      QwenConfig config,
      QwenEmbedding embedding,
      GridTable positions,
      List<RotaryLayer> layers,
      LayerNorm postNorm,
      LayerNorm projectorNorm,
      Mlp projector,
      int width)
      implements VisionGraph {
    static Graph of(GgufMetadata metadata, QwenTiling tiling, Weights weights) {
      QwenConfig config = QwenConfig.of(metadata);
      ConfigReader c = ConfigReader.ofVision(metadata);
      float eps = c.positive("attention.layer_norm_epsilon", EPS);
      Activation activation = c.activation(Activation.GELU_TANH);
      Weights v = weights.at("v");
      List<RotaryLayer> layers = new ArrayList<>();
      for (int i = 0; i < config.nLayer(); i++) {
        layers.add(RotaryLayer.of(config, eps, v.at("blk").at(i), activation));
      }
      Weights mm = weights.at("mm");
      long nEmbd = config.nEmbd();
      return new Graph(
          config,
          new QwenEmbedding(tiling, v, config.nEmbd()),
          GridTable.of(v.at("position_embd"), nEmbd),
          List.copyOf(layers),
          LayerNorm.of(v.at("post_ln"), nEmbd, eps),
          LayerNorm.of(mm.at("input_norm"), nEmbd, PROJECTOR_EPS),
          Mlp.projector(mm.at(1), mm.at(2), nEmbd * tiling.merged(), Activation.GELU),
          mm.at(2).outputs("weight"));
    }

    @Override
    public Tensor forward(EncoderGraph graph) {
      PatchOrder order = embedding.order(graph);
      Rope2d rope = QwenEmbedding.rope(graph, order, config.headSize());
      Windows windows = Windows.whole(order.n());
      Tensor x = embedding.embed(graph);
      x = x.add(positions.forward(graph, x, order)).named("embeddings");
      for (int i = 0; i < layers.size(); i++) {
        x = layers.get(i).forward(x, rope, windows).named("layer_" + (i + 1));
      }
      x = projectorNorm.forward(postNorm.forward(x).named("vision.last_hidden"));
      x = embedding.merge(embedding.byTokens(graph, x));
      return projector.forward(x).named("projector.out");
    }
  }
}
