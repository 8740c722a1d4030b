package dev.ocellus.vlm.model.tower;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.AttentionKernel;
import dev.ocellus.vlm.nn.AttentionMask;
import dev.ocellus.vlm.nn.DotProductAttention;
import dev.ocellus.vlm.nn.GatedMlp;
import dev.ocellus.vlm.nn.Linear;
import dev.ocellus.vlm.nn.RmsNorm;
import dev.ocellus.vlm.nn.Rope2d;
import dev.ocellus.vlm.vision.EncoderGraph;
import java.util.ArrayList;
import java.util.List;

/**
 * DeepSeek-OCR-2's second encoder: layers of Qwen2 (arXiv:2407.10671) over the rows of an image and
 * learned queries behind them. Rows attend to each other, a query to all rows and the queries up to
 * itself. What comes out at the queries stands for the image. Weights under {@code v.}.
 *
 * <p>The reference is {@code DeepseekOcr2VisionEncoder} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/deepseek_ocr2/modeling_deepseek_ocr2.py">modeling_deepseek_ocr2.py</a>.
 */
public final class QueryEncoder {
  /**
   * Sizes of the encoder.
   *
   * @param nEmbd width
   * @param nHead heads of queries
   * @param nHeadKv heads of keys and values, a divisor of {@code nHead}
   * @param nLayer layers
   * @param eps of the norms
   * @param theta base of the rotary positions
   */
  public record Config(int nEmbd, int nHead, int nHeadKv, int nLayer, float eps, float theta) {
    int headSize() {
      return nEmbd / nHead;
    }
  }

  private record Layer(
      RmsNorm ln1, Linear q, Linear k, Linear v, Linear out, RmsNorm ln2, GatedMlp mlp) {
    static Layer of(Config c, Weights w) {
      long nKey = (long) c.headSize() * c.nHeadKv;
      return new Layer(
          RmsNorm.of(w.at("ln1"), c.nEmbd, c.eps),
          Linear.of(w.at("attn_q"), c.nEmbd, c.nEmbd),
          Linear.of(w.at("attn_k"), c.nEmbd, nKey),
          Linear.of(w.at("attn_v"), c.nEmbd, nKey),
          Linear.of(w.at("attn_out"), c.nEmbd, c.nEmbd),
          RmsNorm.of(w.at("ln2"), c.nEmbd, c.eps),
          GatedMlp.of(w, c.nEmbd, w.outputs("ffn_gate.weight"), Activation.SILU));
    }
  }

  private final Config config;
  private final List<Layer> layers = new ArrayList<>();
  private final RmsNorm norm;
  private final AttentionKernel kernel;

  public QueryEncoder(Config c, Weights w) {
    config = c;
    for (int i = 0; i < c.nLayer; i++) {
      layers.add(Layer.of(c, w.at("blk").at(i)));
    }
    norm = RmsNorm.of(w.at("post_ln"), c.nEmbd, c.eps);
    kernel = AttentionKernel.of(w);
  }

  /**
   * From rows [nEmbd, rows, n] and queries [nEmbd, queries] to [nEmbd, queries, n].
   *
   * @param queries a weight
   */
  public Tensor forward(EncoderGraph graph, Tensor rows, Tensor queries) {
    long nQueries = queries.size(1);
    long n = rows.size(2);
    Tensor repeated = queries.inGraphOf(rows).repeat(config.nEmbd, nQueries, n);
    Tensor x = rows.concat(repeated, 1);
    int length = Math.toIntExact(x.size(1));
    int nRows = Math.toIntExact(rows.size(1));
    Rope2d rope = rope(graph, length);
    AttentionMask mask =
        AttentionMask.of(graph.table("queries.mask", mask(nRows, length), length, length));
    for (int i = 0; i < layers.size(); i++) {
      Layer layer = layers.get(i);
      x = x.add(attention(layer, layer.ln1.forward(x), rope, mask));
      x = x.add(layer.mlp.forward(layer.ln2.forward(x))).named("layer_" + (i + 1));
    }
    x = norm.forward(x);
    return x.slice(new long[] {0, nRows}, config.nEmbd, nQueries, n).contiguous();
  }

  private Tensor attention(Layer layer, Tensor x, Rope2d rope, AttentionMask mask) {
    Tensor query = rope.forward(heads(layer.q.forward(x), config.nHead));
    Tensor key = rope.forward(heads(layer.k.forward(x), config.nHeadKv));
    Tensor value = heads(layer.v.forward(x), config.nHeadKv);
    return layer.out.forward(
        DotProductAttention.forward(
            query.permute(0, 2, 1, 3),
            key.permute(0, 2, 1, 3),
            value.permute(0, 2, 1, 3),
            mask,
            kernel));
  }

  private Tensor heads(Tensor x, int nHead) {
    return x.reshape(config.headSize(), nHead, x.size(1), x.size(2));
  }

  private Rope2d rope(EncoderGraph graph, int length) {
    int size = config.headSize();
    int half = size / 2;
    float[] cos = new float[Math.multiplyExact(length, size)];
    float[] sin = new float[cos.length];
    for (int i = 0; i < half; i++) {
      float frequency = 1 / (float) Math.pow(config.theta, (float) (2 * i) / size);
      for (int row = 0; row < length; row++) {
        float angle = row * frequency;
        int at = row * size + i;
        cos[at] = (float) Math.cos(angle);
        cos[at + half] = cos[at];
        sin[at + half] = (float) Math.sin(angle);
        sin[at] = -sin[at + half];
      }
    }
    return new Rope2d(
        graph.table("queries.cos", cos, size, 1, length),
        graph.table("queries.sin", sin, size, 1, length));
  }

  /** A causal mask whose first {@code nRows} rows attend to each other. */
  private static float[] mask(int nRows, int length) {
    float[] mask = AttentionMask.causal(length);
    for (int row = 0; row < nRows; row++) {
      for (int key = 0; key < nRows; key++) {
        mask[row * length + key] = 0;
      }
    }
    return mask;
  }
}
