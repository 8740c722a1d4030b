package dev.ocellus.vlm.model;

import dev.ocellus.ggml.Interpolation;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.image.Normalize;
import dev.ocellus.vlm.model.tiling.PatchOrder;
import dev.ocellus.vlm.model.tiling.QwenTiling;
import dev.ocellus.vlm.model.tiling.SmartResize;
import dev.ocellus.vlm.model.tower.GatedRotaryLayer;
import dev.ocellus.vlm.model.tower.QwenConfig;
import dev.ocellus.vlm.model.tower.QwenEmbedding;
import dev.ocellus.vlm.model.tower.ResizedTable;
import dev.ocellus.vlm.model.tower.TowerConfig;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.BlockConvolution;
import dev.ocellus.vlm.nn.GatedMlp;
import dev.ocellus.vlm.nn.LayerNorm;
import dev.ocellus.vlm.nn.Linear;
import dev.ocellus.vlm.nn.RmsNorm;
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
import org.jspecify.annotations.Nullable;

/**
 * GLM-4.1V, 4.5V, 4.6V (arXiv:2507.01006) and GLM-OCR: images of any shape as those of Qwen2-VL, a
 * tower with rotary positions, a convolution that joins squares of patches, and a gated projector.
 * All but GLM-OCR have a norm behind the patches and a learned table of positions, which is sampled
 * between its values. Weights under {@code v.} and {@code mm.}.
 *
 * <p>The reference is {@code Glm4vVisionModel} and {@code GlmOcrVisionModel} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/glm4v/modeling_glm4v.py">modeling_glm4v.py</a>,
 * <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/glm_ocr/modeling_glm_ocr.py">modeling_glm_ocr.py</a>.
 */
final class Glm4v {
  /**
   * CLIP's colours, and half the pixels that <a
   * href="https://huggingface.co/zai-org/GLM-4.1V-9B-Thinking/blob/main/preprocessor_config.json">the
   * published models</a> allow, since they count both frames of a patch: 8 to 6144 tokens. Their
   * GGUF files do not have them, and llama.cpp takes 8 to 4096 tokens instead.
   */
  private static final QwenTiling.Defaults DEFAULTS =
      new QwenTiling.Defaults(Normalize.CLIP, 6_272, 4_816_896);

  private static final QwenTiling.Layout LAYOUT =
      new QwenTiling.Layout(
          SmartResize.GLM, QwenTiling.FRAMES, true, false, QwenTiling.Pieces.GRID);

  /** Of the projector's norm, which is torch's default. */
  private static final float PROJECTOR_EPS = 1e-5f;

  private static final float EPS = 1e-5f;

  private static final FixedPromptFormat FORMAT =
      new FixedPromptFormat(
          ImagePlaceholder.of("<|image|>").written("<|begin_of_image|><|image|><|end_of_image|>"),
          ImagePlaceholder.of("<|video|>").written("<|begin_of_video|><|video|><|end_of_video|>"),
          ChatTemplateName.GLM4V);

  /** Of GLM-OCR's page. */
  private static final OcrPrompt OCR = OcrPrompt.of(OcrForm.MARKDOWN, "Text Recognition:");

  private Glm4v() {}

  static VisionArchitecture of(GgufMetadata metadata, Weights weights) {
    QwenTiling tiling = QwenTiling.of(metadata, DEFAULTS, LAYOUT);
    Graph graph = Graph.of(metadata, tiling, weights);
    return new VisionArchitecture(
        "glm4v",
        graph.isOcr() ? FORMAT.withOcr(OCR) : FORMAT,
        GlmVideos.of(metadata, tiling),
        graph);
  }

  /** A linear layer, a norm and a GELU, then a gated feed-forward block. */
  private record Projector(Linear linear, LayerNorm norm, GatedMlp mlp) {
    static Projector of(Weights mm, long width, Activation activation) {
      long hidden = mm.at("gate").outputs("weight");
      return new Projector(
          Linear.of(mm.at("model").at("fc"), width, width),
          LayerNorm.of(mm.at("post_norm"), width, PROJECTOR_EPS),
          new GatedMlp(
              Linear.of(mm.at("gate"), width, hidden),
              Linear.of(mm.at("up"), width, hidden),
              activation,
              Linear.of(mm.at("down"), hidden, width)));
    }

    Tensor forward(Tensor x) {
      return mlp.forward(Activation.GELU.apply(norm.forward(linear.forward(x))));
    }
  }

  /**
   * @param patchNorm behind the patches; none in GLM-OCR
   * @param positions none in GLM-OCR
   */
  private record Graph(
      QwenConfig config,
      QwenEmbedding embedding,
      @Nullable RmsNorm patchNorm,
      @Nullable ResizedTable positions,
      List<GatedRotaryLayer> layers,
      RmsNorm postNorm,
      BlockConvolution merger,
      Projector projector,
      int width)
      implements VisionGraph {
    /** GLM-OCR has the encoder that lacks these, whatever its file is called. */
    boolean isOcr() {
      return patchNorm == null && positions == null;
    }

    static Graph of(GgufMetadata metadata, QwenTiling tiling, Weights weights) {
      QwenConfig config = QwenConfig.of(metadata);
      ConfigReader c = ConfigReader.ofVision(metadata);
      float eps = c.positive("attention.layer_norm_epsilon", EPS);
      Activation activation =
          c.activation(TowerConfig.declaredActivation(metadata, Activation.SILU));
      Weights v = weights.at("v");
      List<GatedRotaryLayer> layers = new ArrayList<>();
      for (int i = 0; i < config.nLayer(); i++) {
        layers.add(GatedRotaryLayer.of(config, eps, v.at("blk").at(i), activation));
      }
      Weights mm = weights.at("mm");
      int nEmbd = config.nEmbd();
      int width = mm.at("model").at("fc").outputs("weight");
      return new Graph(
          config,
          new QwenEmbedding(tiling, v, nEmbd),
          v.has("norm_embd.weight") ? RmsNorm.of(v.at("norm_embd"), nEmbd, eps) : null,
          v.has("position_embd.weight")
              ? ResizedTable.of(v.at("position_embd"), nEmbd, Interpolation.BICUBIC)
              : null,
          List.copyOf(layers),
          RmsNorm.of(v.at("post_ln"), nEmbd, eps),
          BlockConvolution.of(mm.at("patch_merger"), tiling.mergeSize(), nEmbd, width),
          Projector.of(mm, width, activation),
          width);
    }

    @Override
    public Tensor forward(EncoderGraph graph) {
      PatchOrder order = embedding.order(graph);
      Rope2d rope = QwenEmbedding.rope(graph, order, config.headSize());
      Windows windows = Windows.whole(order.n());
      Tensor x = embedding.embed(graph);
      if (patchNorm != null) {
        x = patchNorm.forward(x);
      }
      if (positions != null) {
        Tensor lines = positions.forward(x, graph.gridX(), graph.gridY());
        x = x.add(lines.getRows(graph.indices("positions", order.lines(), order.n())));
      }
      x = x.named("embeddings");
      for (int i = 0; i < layers.size(); i++) {
        x = layers.get(i).forward(x, rope, windows).named("layer_" + (i + 1));
      }
      x = merger.forward(postNorm.forward(x)).named("vision.last_hidden");
      return projector.forward(x).named("projector.out");
    }
  }
}
