package dev.ocellus.vlm.model.tower;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.Attention;
import dev.ocellus.vlm.nn.CrossAttention;
import dev.ocellus.vlm.nn.LayerNorm;
import dev.ocellus.vlm.nn.Linear;
import dev.ocellus.vlm.nn.Mlp;
import dev.ocellus.vlm.nn.PixelShuffle;
import dev.ocellus.vlm.vision.EncoderGraph;
import java.util.Arrays;

/**
 * Granite Vision 4's projector: the states of a square of patches fall into windows, each window's
 * mean states (or one corner of each square of four) and learned ones are the queries of a small
 * querying transformer, which attend to the window.
 *
 * <p>The reference is {@code Granite4VisionWindowQFormerDownsampler} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/granite4_vision/modeling_granite4_vision.py">modeling_granite4_vision.py</a>.
 */
public final class WindowQFormer {
  private static final float NORM_EPS = 1e-6f;

  /**
   * What all projectors of a file share.
   *
   * @param nEmbd width of the states
   * @param side patches of the square's side
   * @param windowSide patches of a window's side, a divisor of {@code side}
   * @param querySide queries of a window's side
   * @param nHead attention heads
   * @param eps of the transformer's norms
   */
  public record Config(int nEmbd, int side, int windowSide, int querySide, int nHead, float eps) {
    /** Rows along a side that come out. */
    public int newSide() {
      return side / windowSide * querySide;
    }

    private long nWindows() {
      return (long) (side / windowSide) * (side / windowSide);
    }
  }

  /** In place of a corner: the mean of each region. */
  public static final int MEAN = -1;

  private final Config c;
  private final int corner;
  private final LayerNorm norm;
  private final Tensor query;
  private final Tensor positions;
  private final LayerNorm queryNorm;
  private final Attention attention;
  private final LayerNorm attentionNorm;
  private final CrossAttention cross;
  private final LayerNorm crossNorm;
  private final Mlp mlp;
  private final LayerNorm mlpNorm;
  private final Linear out;

  private WindowQFormer(Config c, Weights w, int corner, int width) {
    this.c = c;
    this.corner = corner;
    long n = c.nEmbd;
    long nQueries = (long) c.querySide * c.querySide;
    long nKeys = (long) c.windowSide * c.windowSide;
    norm = LayerNorm.of(w.at("norm"), n, NORM_EPS);
    query = w.f32Reshaped("query", new long[] {n, nQueries}, n, nQueries);
    positions = w.f32Reshaped("img_pos", new long[] {n, nKeys}, n, nKeys);
    queryNorm = LayerNorm.of(w.at("post_norm"), n, c.eps);
    attention = Attention.of(w, "self_attn", n, c.nHead);
    attentionNorm = LayerNorm.of(w.at("self_attn_norm"), n, c.eps);
    cross = CrossAttention.of(w, "cross_attn", n, n, c.nHead);
    crossNorm = LayerNorm.of(w.at("cross_attn_norm"), n, c.eps);
    mlp = Mlp.of(w, n, Activation.GELU);
    mlpNorm = LayerNorm.of(w.at("ffn_norm"), n, c.eps);
    out = Linear.of(w.at("linear"), n, width);
  }

  /**
   * Binds the weights.
   *
   * @param corner which of each four patches becomes a query, 0 to 3 line by line, or {@link #MEAN}
   * @param width of the rows that come out
   */
  public static WindowQFormer of(Config c, Weights w, int corner, int width) {
    return new WindowQFormer(c, w, corner, width);
  }

  /**
   * From states [nEmbd, side², n] to [width, newSide², n], both line by line.
   *
   * @param regions as {@link #regions} of the same graph gives it
   */
  public Tensor forward(Tensor states, Tensor regions) {
    Tensor x = norm.forward(states);
    Tensor small = corner == MEAN ? means(x, regions) : corners(x);
    Tensor queries = windows(small, c.newSide(), c.querySide).add(query);
    Tensor keys = windows(x, c.side, c.windowSide).add(positions);
    return out.forward(joined(queried(queries, keys), states.size(2)));
  }

  private Tensor queried(Tensor queries, Tensor keys) {
    Tensor x = queryNorm.forward(queries);
    x = attentionNorm.forward(attention.forward(x).add(x));
    x = crossNorm.forward(cross.forward(x, cross.keysValues(keys), null).add(x));
    return mlpNorm.forward(mlp.forward(x).add(x));
  }

  /** [nEmbd, side², n] to [nEmbd, window², windows · n]. */
  private Tensor windows(Tensor x, int side, int window) {
    long n = x.size(2);
    return new PixelShuffle(window)
        .forward(x, side, side)
        .reshape(c.nEmbd, (long) window * window, c.nWindows() * n);
  }

  /** The way back, of the queries. */
  private Tensor joined(Tensor x, long n) {
    long across = c.side / c.windowSide;
    return x.reshape((long) c.nEmbd * c.querySide, c.querySide, across, across * n)
        .permute(0, 2, 1, 3)
        .contiguous()
        .reshape(c.nEmbd, (long) c.newSide() * c.newSide(), n);
  }

  /** One patch of each square of four. */
  private Tensor corners(Tensor x) {
    long half = c.side / 2;
    long n = x.size(2);
    Tensor columns = part(x.reshape(c.nEmbd, 2, half, c.side * n), corner % 2);
    Tensor lines = part(columns.reshape(c.nEmbd * half, 2, half, n), corner / 2);
    return lines.reshape(c.nEmbd, half * half, n);
  }

  private static Tensor part(Tensor x, int index) {
    return x.slice(new long[] {0, index}, x.size(0), 1, x.size(2), x.size(3)).contiguous();
  }

  /** {@code interpolate(mode="area")}. */
  private static Tensor means(Tensor x, Tensor regions) {
    return x.transpose().contiguous().mulMat(regions).transpose().contiguous();
  }

  /**
   * The share of each patch in the mean of each region, which overlap where they do not divide the
   * side: [side², newSide²].
   */
  public static Tensor regions(EncoderGraph graph, Config c) {
    int to = c.newSide();
    int from = c.side * c.side;
    float[] shares = new float[to * to * from];
    for (int i = 0; i < to * to; i++) {
      int left = i % to * c.side / to;
      int right = Math.ceilDiv((i % to + 1) * c.side, to);
      int top = i / to * c.side / to;
      int bottom = Math.ceilDiv((i / to + 1) * c.side, to);
      for (int y = top; y < bottom; y++) {
        int line = i * from + y * c.side;
        Arrays.fill(shares, line + left, line + right, 1f / ((right - left) * (bottom - top)));
      }
    }
    return graph.table("regions", shares, from, (long) to * to);
  }
}
