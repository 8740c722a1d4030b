package dev.ocellus.vlm.model;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.Normalize;
import dev.ocellus.vlm.image.Video;
import dev.ocellus.vlm.model.tiling.PatchOrder;
import dev.ocellus.vlm.model.tiling.QwenFrames;
import dev.ocellus.vlm.model.tiling.QwenTiling;
import dev.ocellus.vlm.model.tower.QwenConfig;
import dev.ocellus.vlm.model.tower.QwenEmbedding;
import dev.ocellus.vlm.model.tower.RotaryLayer;
import dev.ocellus.vlm.model.tower.TowerConfig;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.LayerNorm;
import dev.ocellus.vlm.nn.Mlp;
import dev.ocellus.vlm.nn.Rope2d;
import dev.ocellus.vlm.nn.Windows;
import dev.ocellus.vlm.vision.ChatTemplateName;
import dev.ocellus.vlm.vision.ConfigReader;
import dev.ocellus.vlm.vision.EncoderGraph;
import dev.ocellus.vlm.vision.FixedPromptFormat;
import dev.ocellus.vlm.vision.ImageInput;
import dev.ocellus.vlm.vision.ImageOptions;
import dev.ocellus.vlm.vision.ImagePlaceholder;
import dev.ocellus.vlm.vision.OcrForm;
import dev.ocellus.vlm.vision.OcrPrompt;
import dev.ocellus.vlm.vision.VisionArchitecture;
import dev.ocellus.vlm.vision.VisionGraph;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Qwen2-VL (arXiv:2409.12191): a transformer with rotary positions over patches of any grid, and a
 * projector that joins squares of them. Weights under {@code v.} and {@code mm.}.
 *
 * <p>The reference is {@code Qwen2VisionTransformerPretrainedModel} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/qwen2_vl/modeling_qwen2_vl.py">modeling_qwen2_vl.py</a>.
 */
final class Qwen2Vl {
  /**
   * CLIP's colours; the pixel limits are those of <a
   * href="https://huggingface.co/Qwen/Qwen2-VL-7B-Instruct/blob/main/preprocessor_config.json">the
   * published models</a>, of 2.5 too: 4 to 16384 tokens. Their GGUF files do not have them, and
   * llama.cpp takes 8 to 4096 tokens instead; the class of transformers, for checkpoints without
   * limits, 4 to 1280.
   */
  static final QwenTiling.Defaults DEFAULTS =
      new QwenTiling.Defaults(Normalize.CLIP, 56 * 56, 28 * 28 * 16384);

  /** What the page of Nanonets-OCR, a Qwen2.5-VL that was trained on, asks with. */
  private static final String NANONETS =
      "Extract the text from the above document as if you were reading it naturally. Return the"
          + " tables in html format. Return the equations in LaTeX representation. If there is an"
          + " image in the document and image caption is not present, add a small description of"
          + " the image inside the <img></img> tag; otherwise, add the image caption inside"
          + " <img></img>. Watermarks should be wrapped in brackets. Ex: <watermark>OFFICIAL"
          + " COPY</watermark>. Page numbers should be wrapped in brackets. Ex:"
          + " <page_number>14</page_number> or <page_number>9/22</page_number>. Prefer using ☐ and"
          + " ☑ for check boxes.";

  /** How images and videos stand in the prompts of the Qwen-VL generations from 2 on. */
  static final FixedPromptFormat PROMPT_FORMAT =
      new FixedPromptFormat(
              ImagePlaceholder.of("<|image_pad|>")
                  .written("<|vision_start|><|image_pad|><|vision_end|>"),
              ImagePlaceholder.of("<|video_pad|>")
                  .written("<|vision_start|><|video_pad|><|vision_end|>"),
              ChatTemplateName.CHATML_QWEN_VL)
          .withOcr(
              OcrPrompt.of(OcrForm.TEXT, "Read all the text in the image."),
              OcrPrompt.of(OcrForm.MARKDOWN, NANONETS).onlyNamed("nanonets"));

  private Qwen2Vl() {}

  static VisionArchitecture of(GgufMetadata metadata, Weights weights) {
    QwenTiling tiling = QwenTiling.of(metadata, DEFAULTS);
    return new VisionArchitecture(
        "qwen2-vl",
        PROMPT_FORMAT,
        Preprocessor.of(metadata, tiling),
        Graph.of(metadata, tiling, weights));
  }

  /**
   * @param frames of videos
   */
  private record Preprocessor(QwenTiling tiling, QwenFrames frames)
      implements QwenTiling.WithVideos {
    static Preprocessor of(GgufMetadata metadata, QwenTiling tiling) {
      return new Preprocessor(tiling, QwenFrames.of(metadata, tiling));
    }

    /** Frames in pairs a position in time apart. */
    @Override
    public ImageInput prepare(Video video, ImageOptions options) {
      Video chosen = frames.choice().of(video);
      ImageSize size = frames.size(chosen, options);
      int nPairs = Math.ceilDiv(chosen.nFrames(), QwenTiling.FRAMES);
      List<Integer> times = IntStream.range(0, nPairs).boxed().toList();
      return frames.pairs().prepare(chosen, size, List.of(frames.pairs().rows(size, times)));
    }
  }

  private record Graph(
      QwenConfig config,
      QwenEmbedding embedding,
      List<RotaryLayer> layers,
      LayerNorm postNorm,
      Mlp projector,
      int width)
      implements VisionGraph {
    static Graph of(GgufMetadata metadata, QwenTiling tiling, Weights weights) {
      QwenConfig config = QwenConfig.of(metadata);
      Activation activation =
          ConfigReader.ofVision(metadata)
              .activation(TowerConfig.declaredActivation(metadata, Activation.QUICK_GELU));
      Weights v = weights.at("v");
      List<RotaryLayer> layers = new ArrayList<>();
      for (int i = 0; i < config.nLayer(); i++) {
        layers.add(RotaryLayer.of(config, v.at("blk").at(i), activation));
      }
      Weights mm = weights.at("mm");
      long nIn = (long) config.nEmbd() * tiling.merged();
      return new Graph(
          config,
          new QwenEmbedding(tiling, v, config.nEmbd()),
          List.copyOf(layers),
          LayerNorm.of(v.at("post_ln"), config.nEmbd(), QwenConfig.EPS),
          Mlp.projector(mm.at(0), mm.at(2), nIn, Activation.GELU),
          mm.at(2).outputs("weight"));
    }

    @Override
    public Tensor forward(EncoderGraph graph) {
      PatchOrder order = embedding.order(graph);
      Rope2d rope = QwenEmbedding.rope(graph, order, config.headSize());
      Windows windows = Windows.whole(order.n());
      Tensor x = embedding.embed(graph).named("embeddings");
      for (int i = 0; i < layers.size(); i++) {
        x = layers.get(i).forward(x, rope, windows).named("layer_" + (i + 1));
      }
      x = projector.forward(embedding.merge(postNorm.forward(x.named("vision.last_hidden"))));
      return x.named("projector.out");
    }
  }
}
