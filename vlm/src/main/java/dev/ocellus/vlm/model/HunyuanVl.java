package dev.ocellus.vlm.model;

import dev.ocellus.ggml.Interpolation;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.image.Normalize;
import dev.ocellus.vlm.model.tiling.QwenTiling;
import dev.ocellus.vlm.model.tiling.SmartResize;
import dev.ocellus.vlm.model.tower.PreNormLayers;
import dev.ocellus.vlm.model.tower.QwenEmbedding;
import dev.ocellus.vlm.model.tower.ResizedTable;
import dev.ocellus.vlm.model.tower.TowerConfig;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.BlockConvolution;
import dev.ocellus.vlm.nn.Linear;
import dev.ocellus.vlm.nn.RmsNorm;
import dev.ocellus.vlm.vision.ChatTemplateName;
import dev.ocellus.vlm.vision.EncoderGraph;
import dev.ocellus.vlm.vision.FixedPromptFormat;
import dev.ocellus.vlm.vision.ImagePiece;
import dev.ocellus.vlm.vision.ImagePlaceholder;
import dev.ocellus.vlm.vision.OcrForm;
import dev.ocellus.vlm.vision.OcrPrompt;
import dev.ocellus.vlm.vision.VisionArchitecture;
import dev.ocellus.vlm.vision.VisionGraph;
import java.util.List;

/**
 * HunyuanOCR (arXiv:2511.19575): a tower whose table of positions is resized to each image, two
 * convolutions that join squares of patches, a row behind each line, and one before and behind the
 * image. The text model has rotary positions with four axes. Weights under {@code v.} and {@code
 * mm.}.
 *
 * <p>The reference is {@code HunYuanVLForConditionalGeneration} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/hunyuan_vl/modeling_hunyuan_vl.py">modeling_hunyuan_vl.py</a>.
 */
final class HunyuanVl {
  /**
   * CLIP's colours, and the pixel limits of <a
   * href="https://huggingface.co/tencent/HunyuanOCR/blob/main/preprocessor_config.json">the
   * published model</a>: 256 to 4096 squares of patches.
   */
  private static final QwenTiling.Defaults DEFAULTS =
      new QwenTiling.Defaults(Normalize.CLIP, 512 * 512, 2048 * 2048);

  /** The row before the image, its lines with a row behind each, the row behind the image. */
  private static final QwenTiling.Pieces PIECES =
      (nx, ny) ->
          List.of(
              ImagePiece.Embeddings.of(1),
              ImagePiece.Embeddings.numberedGrid(nx + 1, ny),
              ImagePiece.Embeddings.of(1));

  private static final QwenTiling.Layout LAYOUT =
      new QwenTiling.Layout(SmartResize.QWEN, 1, false, false, PIECES);

  private static final float EPS = 1e-5f;

  /** HunyuanOCR's for whole documents. */
  private static final String DOCUMENT =
      "Extract all information from the main body of the document image and represent it in"
          + " markdown format, ignoring headers and footers. Tables should be expressed in HTML"
          + " format, formulas in the document should be represented using LaTeX format, and the"
          + " parsing should be organized according to the reading order.";

  private HunyuanVl() {}

  static VisionArchitecture of(GgufMetadata metadata, Weights weights) {
    QwenTiling tiling = QwenTiling.of(metadata, DEFAULTS, LAYOUT);
    return new VisionArchitecture(
        "hunyuan-vl",
        new FixedPromptFormat(
                ImagePlaceholder.of("<｜hy_place▁holder▁no▁102｜>")
                    .written(
                        "<｜hy_place▁holder▁no▁100｜><｜hy_place▁holder▁no▁102｜><｜hy_place▁holder▁no▁101｜>"),
                ChatTemplateName.HUNYUAN_VL)
            .withOcr(OcrPrompt.of(OcrForm.MARKDOWN, DOCUMENT)),
        tiling,
        Graph.of(metadata, tiling, weights));
  }

  /**
   * @param newline behind each line, as wide as the second convolution
   * @param begin before the image, as wide as the text model
   * @param end behind the image, likewise
   */
  private record Merger(
      RmsNorm before,
      BlockConvolution first,
      Activation activation,
      BlockConvolution second,
      Tensor newline,
      Linear linear,
      Tensor begin,
      Tensor end,
      RmsNorm after) {
    static Merger of(Weights weights, TowerConfig c, int mergeSize, int width) {
      Weights mm = weights.at("mm");
      long inner = BlockConvolution.outputs(mm.at(0));
      long outer = BlockConvolution.outputs(mm.at(2));
      return new Merger(
          RmsNorm.of(mm.at("pre_norm"), c.nEmbd(), c.eps()),
          BlockConvolution.of(mm.at(0), mergeSize, c.nEmbd(), inner),
          c.activation(),
          BlockConvolution.of(mm.at(2), 1, inner, outer),
          weights.at("v").f32("image_newline", outer),
          Linear.of(mm.at("model").at("fc"), outer, width),
          mm.f32("image_begin", width),
          mm.f32("image_end", width),
          RmsNorm.of(mm.at("post_norm"), width, c.eps()));
    }

    /** From [nEmbd, patches, n], token by token, to [width, (nx + 1) · ny + 2, n]. */
    Tensor forward(Tensor x, long nx, long ny) {
      long n = x.size(2);
      x = second.forward(activation.apply(first.forward(x)));
      long outer = x.size(0);
      Tensor ends = newline.inGraphOf(x).reshape(outer, 1, 1).repeat(outer, 1, ny * n);
      x = x.reshape(outer, nx, ny * n).concat(ends, 1).reshape(outer, (nx + 1) * ny, n);
      x = linear.forward(x);
      long width = x.size(0);
      x = row(begin, x, n).concat(x, 1).concat(row(end, x, n), 1);
      return after.forward(x.reshape(width, (nx + 1) * ny + 2, n));
    }

    private static Tensor row(Tensor row, Tensor x, long n) {
      return row.inGraphOf(x).reshape(row.size(0), 1, 1).repeat(row.size(0), 1, n);
    }
  }

  private record Graph(
      int mergeSize,
      QwenEmbedding embedding,
      ResizedTable positions,
      PreNormLayers layers,
      Merger merger,
      int width)
      implements VisionGraph {
    static Graph of(GgufMetadata metadata, QwenTiling tiling, Weights weights) {
      TowerConfig c = TowerConfig.of(metadata, EPS, Activation.GELU);
      Weights v = weights.at("v");
      int width = weights.at("mm").at("model").at("fc").outputs("weight");
      return new Graph(
          tiling.mergeSize(),
          new QwenEmbedding(tiling, v, c.nEmbd()),
          ResizedTable.of(v.at("position_embd"), c.nEmbd(), Interpolation.BILINEAR),
          new PreNormLayers(c.layers(), v),
          Merger.of(weights, c, tiling.mergeSize(), width),
          width);
    }

    @Override
    public Tensor forward(EncoderGraph graph) {
      Tensor x = embedding.embed(graph);
      x = x.add(positions.forward(x, graph.gridX(), graph.gridY())).named("embeddings");
      x = layers.forward(x).last().named("vision.last_hidden");
      x = embedding.byTokens(graph, merger.before.forward(x));
      return merger
          .forward(x, graph.gridX() / mergeSize, graph.gridY() / mergeSize)
          .named("projector.out");
    }
  }
}
