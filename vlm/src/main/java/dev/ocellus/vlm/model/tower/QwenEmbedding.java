package dev.ocellus.vlm.model.tower;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.vlm.model.tiling.PatchOrder;
import dev.ocellus.vlm.model.tiling.QwenTiling;
import dev.ocellus.vlm.nn.Rope2d;
import dev.ocellus.vlm.vision.EncoderGraph;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the graphs of the Qwen-VL generations from 2 on share, and of families that prepare images
 * after them: the embedding of patches of one frame or two, their order and rotary positions, and
 * the join of those that become one token.
 *
 * <p>The reference embeds two frames of every patch; those of an image are equal, so the kernels of
 * the two are added up when they are loaded.
 */
public final class QwenEmbedding {
  private static final double ROPE_THETA = 10_000;

  private final QwenTiling tiling;
  private final int nEmbd;
  private final Tensor kernel;
  private final List<Tensor> frameKernels;
  private final @Nullable Tensor bias;

  /**
   * @param weights those of the tower, under {@code v.}
   */
  public QwenEmbedding(QwenTiling tiling, Weights weights, int nEmbd) {
    this.tiling = tiling;
    this.nEmbd = nEmbd;
    Weights w = weights.at("patch_embd");
    long patch = tiling.patchSize();
    long[] stored = {patch, patch, 3, nEmbd};
    Tensor first = w.f32Reshaped("weight", stored, 3 * patch * patch, nEmbd);
    if (tiling.layout().nFrames() == 1) {
      kernel = first;
      frameKernels = List.of();
    } else {
      kernel = w.f32Sum("weight", "weight.1", stored, 3 * patch * patch, nEmbd);
      frameKernels = List.of(first, w.f32Reshaped("weight.1", stored, 3 * patch * patch, nEmbd));
    }
    bias = w.findF32("bias", nEmbd);
  }

  /** The patches of a graph, in the order in which they are encoded. */
  public PatchOrder order(EncoderGraph graph) {
    return tiling.order(graph.gridX(), graph.gridY());
  }

  /** From the pixels to [nEmbd, nPatches, n]. */
  public Tensor embed(EncoderGraph graph) {
    Tensor pixels = graph.pixels();
    Tensor x;
    if (pixels.size(2) == QwenTiling.FRAMES) {
      x = frame(pixels, 0).mulMat(frameKernels.get(0));
      x = x.add(frame(pixels, 1).mulMat(frameKernels.get(1)));
    } else {
      x = frame(pixels, 0).mulMat(kernel);
    }
    return bias == null ? x : x.add(bias);
  }

  /** One of the frames of every pair: [row length, nPatches, n]. */
  private static Tensor frame(Tensor pixels, int i) {
    long row = pixels.size(0);
    long nPatches = pixels.size(1);
    long n = pixels.size(3);
    Tensor plane =
        pixels.size(2) == 1
            ? pixels
            : pixels.slice(new long[] {0, 0, i}, row, nPatches, 1, n).contiguous();
    return plane.reshape(row, nPatches, n);
  }

  /** Rotary positions of patches in this order. */
  public static Rope2d rope(EncoderGraph graph, PatchOrder order, int dHead) {
    Rope2d.Tables tables = Rope2d.Tables.of(dHead, order.rows(), order.columns(), ROPE_THETA);
    int n = order.n();
    return new Rope2d(
        graph.table("rope.cos", tables.cos(), dHead, 1, n),
        graph.table("rope.sin", tables.sin(), dHead, 1, n));
  }

  /**
   * Rows of patches in the order of {@link #order}, [nEmbd, nPatches, n], so that those of a token
   * follow each other.
   */
  public Tensor byTokens(EncoderGraph graph, Tensor x) {
    if (tiling.layout().byTokens()) {
      return x;
    }
    int[] lines = PatchOrder.of(graph.gridX(), graph.gridY(), tiling.mergeSize()).lines();
    int[] rows = new int[Math.toIntExact(x.size(1) * x.size(2))];
    Arrays.setAll(rows, i -> i / lines.length * lines.length + lines[i % lines.length]);
    return x.reshape(x.size(0), rows.length)
        .getRows(graph.indices("tokens", rows, rows.length))
        .reshape(x.size(0), x.size(1), x.size(2));
  }

  /** Joins the patches of every token: [nEmbd, nPatches, n] to [nEmbd · merged, tokens, n]. */
  public Tensor merge(Tensor x) {
    return x.reshape((long) nEmbd * tiling.merged(), x.size(1) / tiling.merged(), x.size(2));
  }

  /** The back of {@link #merge}. */
  public Tensor split(Tensor x) {
    return x.reshape(nEmbd, x.size(1) * tiling.merged(), x.size(2));
  }
}
