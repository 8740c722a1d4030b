package dev.ocellus.vlm.model.vq;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.WeightShapeException;
import dev.ocellus.ggml.Weights;
import dev.ocellus.vlm.codes.PriorGraph;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.AttentionMask;
import dev.ocellus.vlm.nn.Embedding;
import dev.ocellus.vlm.nn.GatedMlp;
import dev.ocellus.vlm.nn.Linear;
import dev.ocellus.vlm.nn.RmsNorm;
import dev.ocellus.vlm.nn.Rope2d;
import dev.ocellus.vlm.vision.ConfigReader;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The transformer of LlamaGen (arXiv:2406.06525) that draws classes: LLaMA's blocks over the codes
 * of an image, behind one row for the class. Positions are rotary, with the row and the column of a
 * code as their two axes (<a
 * href="https://github.com/FoundationVision/LlamaGen/blob/main/autoregressive/models/gpt.py">gpt.py</a>).
 *
 * <p>The row for the class is turned by nothing there: its cosines and sines are zero, so that its
 * query and key are, too, and every row attends to it with a score of zero.
 */
public final class ClassTransformer implements PriorGraph {
  private static final int MAX_WIDTH = 1 << 16;
  private static final int MAX_SIDE = 1 << 10;

  private record Layer(RmsNorm norm1, GridAttention attention, RmsNorm norm2, GatedMlp mlp) {
    static Layer of(Weights w, GridAttention.Size size, float eps) {
      return new Layer(
          RmsNorm.of(w.at("attn_norm"), size.width(), eps),
          GridAttention.of(w, size),
          RmsNorm.of(w.at("ffn_norm"), size.width(), eps),
          GatedMlp.of(w, size.width(), w.outputs("ffn_up.weight"), Activation.SILU));
    }
  }

  private final Embedding tokens;
  private final List<Layer> layers;
  private final RmsNorm norm;
  private final Linear output;
  private final Tensor cos;
  private final Tensor sin;
  private final GridAttention.Size size;
  private final int nPositions;
  private final int nCodes;
  private final int nStarts;
  private final boolean hasNoClass;

  /**
   * Weights {@code token_embd} [width, codes, classes and, if there is one, the row for no class],
   * {@code blk.N}, {@code output_norm} and {@code output} [width, codes].
   *
   * @param c the keys of the transformer
   * @param nCodes entries of the codebook
   * @param nClasses how many classes there are
   */
  public ClassTransformer(ConfigReader c, Weights weights, int nCodes, int nClasses) {
    Weights w = weights.forFewRows();
    this.nCodes = nCodes;
    size = size(c);
    int side = c.integer("code_side", 1, MAX_SIDE);
    nPositions = side * side;
    int rows = w.outputs("token_embd.weight");
    nStarts = rows - nCodes;
    if (nStarts != nClasses && nStarts != nClasses + 1) {
      throw new WeightShapeException(
          "%s: expected a row for each of %d codes and %d classes, and one more or none, found %d"
              .formatted(w.name("token_embd.weight"), nCodes, nClasses, rows));
    }
    hasNoClass = nStarts > nClasses;
    tokens = Embedding.of(w.at("token_embd"), size.width(), rows);
    float eps = c.positive("attention.layer_norm_rms_epsilon", 1e-5f);
    layers =
        IntStream.range(0, c.integer("block_count", 1, 1024))
            .mapToObj(i -> Layer.of(w.at("blk").at(i), size, eps))
            .toList();
    norm = RmsNorm.of(w.at("output_norm"), size.width(), eps);
    output = Linear.of(w.at("output"), size.width(), nCodes);
    Rope2d.Tables tables = tables(side, size.headWidth(), c.positive("rope.freq_base", 10000));
    cos = w.constant("rope_cos", tables.cos(), size.headWidth(), nPositions);
    sin = w.constant("rope_sin", tables.sin(), size.headWidth(), nPositions);
  }

  private static GridAttention.Size size(ConfigReader c) {
    int width = c.integer("embedding_length", 1, MAX_WIDTH);
    int nHead = c.integer("attention.head_count", 1, width);
    int nKvHead = c.integer("attention.head_count_kv", 1, nHead, nHead);
    if (width % nHead != 0 || width / nHead % 4 != 0) {
      throw c.invalid(
          "attention.head_count",
          "a number of heads whose width is a multiple of 4, for %d in all".formatted(width),
          Integer.toString(nHead));
    }
    if (nHead % nKvHead != 0) {
      throw c.invalid(
          "attention.head_count_kv", "a divisor of " + nHead, Integer.toString(nKvHead));
    }
    return new GridAttention.Size(width, nHead, nKvHead);
  }

  /** One position for the class, and one for each code but the last, which nothing reads. */
  private static Rope2d.Tables tables(int side, int dHead, double base) {
    int n = side * side - 1;
    Rope2d.Tables codes =
        Rope2d.Tables.of(
            dHead,
            IntStream.range(0, n).map(i -> i / side).toArray(),
            IntStream.range(0, n).map(i -> i % side).toArray(),
            base);
    return new Rope2d.Tables(behindZeros(codes.cos(), dHead), behindZeros(codes.sin(), dHead));
  }

  private static float[] behindZeros(float[] values, int n) {
    float[] out = new float[n + values.length];
    System.arraycopy(values, 0, out, n, values.length);
    return out;
  }

  @Override
  public int nCodes() {
    return nCodes;
  }

  @Override
  public int nStarts() {
    return nStarts;
  }

  @Override
  public OptionalInt startOfNoClass() {
    return hasNoClass ? OptionalInt.of(nStarts - 1) : OptionalInt.empty();
  }

  @Override
  public int nOutputs() {
    return nCodes;
  }

  @Override
  public int nPositions() {
    return nPositions;
  }

  @Override
  public int nLayers() {
    return layers.size();
  }

  @Override
  public long headWidth() {
    return size.headWidth();
  }

  @Override
  public long nHead() {
    return size.nKvHead();
  }

  @Override
  public Tensor forward(
      Tensor ids, Tensor at, long batch, @Nullable Cached cache, AttentionMask mask) {
    long n = at.size(0);
    Rope2d rope = new Rope2d(rows(cos, at), rows(sin, at));
    Tensor x = tokens.forward(ids).reshape(size.width(), n, batch);
    for (int i = 0; i < layers.size(); i++) {
      Layer layer = layers.get(i);
      Tensor seen = layer.norm1.forward(x);
      x = x.add(layer.attention.forward(seen, rope, cache, i, mask));
      x = x.add(layer.mlp.forward(layer.norm2.forward(x)));
    }
    return norm.forward(x);
  }

  /** [dHead, 1, n]. */
  private static Tensor rows(Tensor table, Tensor at) {
    return table.inGraphOf(at).getRows(at).reshape(table.size(0), 1, at.size(0));
  }

  @Override
  public Tensor logits(Tensor hidden) {
    return output.forward(hidden);
  }
}
