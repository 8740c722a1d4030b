package dev.ocellus.vlm.model.tower;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.vlm.image.ResizeFilter;
import dev.ocellus.vlm.vision.EncoderGraph;

/**
 * A learned table of positions on a square grid, resized bicubically with antialiasing, which ggml
 * has not. As {@code interpolate(mode="bicubic", antialias=True)} of PyTorch, whose kernel is
 * Pillow's: <a
 * href="https://github.com/pytorch/pytorch/blob/v2.13.0/aten/src/ATen/native/cpu/UpSampleKernel.cpp">UpSampleKernel.cpp</a>.
 */
final class AntialiasedTable {
  private final Tensor table;
  private final int side;

  private AntialiasedTable(Tensor table, int side) {
    this.table = table;
    this.side = side;
  }

  /** Weight {@code weight} [nEmbd, side, side]; the side follows from its shape. */
  static AntialiasedTable of(Weights w, long nEmbd) {
    int side = w.outputs("weight");
    return new AntialiasedTable(w.f32("weight", nEmbd, side, side), side);
  }

  /** Positions of a square grid line by line, [nEmbd, grid²], in the graph of {@code x}. */
  Tensor forward(EncoderGraph graph, Tensor x, int grid) {
    long nEmbd = table.size(0);
    Tensor all = table.inGraphOf(x);
    if (grid == side) {
      return all.reshape(nEmbd, (long) side * side);
    }
    Tensor weights = graph.table("positions", weights(side, grid), side, grid);
    // one axis after the other: the one that is resized comes first
    Tensor lines = all.permute(1, 0, 2, 3).contiguous(); // [column, nEmbd, line]
    Tensor across = lines.mulMat(weights); // [column', nEmbd, line]
    Tensor columns = across.permute(1, 2, 0, 3).contiguous(); // [line, column', nEmbd]
    Tensor down = columns.mulMat(weights); // [line', column', nEmbd]
    return down.permute(2, 1, 0, 3).contiguous().reshape(nEmbd, (long) grid * grid);
  }

  /** For each of {@code to} places the weights of {@code from} places. */
  static float[] weights(int from, int to) {
    double scale = (double) from / to;
    double filterScale = Math.max(scale, 1);
    double support = ResizeFilter.BICUBIC.support() * filterScale;
    float[] weights = new float[from * to];
    for (int i = 0; i < to; i++) {
      double center = scale * (i + 0.5);
      int begin = Math.max(0, (int) (center - support + 0.5));
      int end = Math.min(from, (int) (center + support + 0.5));
      double sum = 0;
      for (int j = begin; j < end; j++) {
        sum += ResizeFilter.BICUBIC.weight((j - center + 0.5) / filterScale);
      }
      for (int j = begin; j < end; j++) {
        double weight = ResizeFilter.BICUBIC.weight((j - center + 0.5) / filterScale);
        weights[i * from + j] = (float) (weight / sum);
      }
    }
    return weights;
  }
}
