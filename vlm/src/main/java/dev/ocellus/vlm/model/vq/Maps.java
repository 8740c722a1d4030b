package dev.ocellus.vlm.model.vq;

import dev.ocellus.ggml.ConvGeometry;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.WeightShapeException;
import dev.ocellus.ggml.Weights;
import dev.ocellus.vlm.nn.Conv2d;
import dev.ocellus.vlm.nn.GroupNorm;
import dev.ocellus.vlm.nn.NormedConv2d;
import java.util.Arrays;

/** What convolutional models read off their weights, and the two ways that a map can lie. */
final class Maps {
  private static final int GROUPS = 32;
  private static final float EPS = 1e-6f;
  private static final int MAX_CHANNELS = 1 << 16;

  private Maps() {}

  /** Channels that a convolution gives, by its kernel [width, height, nIn, nOut]. */
  static int outputs(Weights w) {
    return channels(w, 3);
  }

  /** Channels that a convolution takes. */
  static int inputs(Weights w) {
    return channels(w, 2);
  }

  private static int channels(Weights w, int dimension) {
    long[] shape = w.shape("weight");
    long size = dimension < shape.length ? shape[dimension] : 1;
    if (size > MAX_CHANNELS) {
      throw new WeightShapeException(
          "%s: expected a kernel of at most %d channels, found %s"
              .formatted(w.name("weight"), MAX_CHANNELS, Arrays.toString(shape)));
    }
    return (int) size;
  }

  /** Width of a kernel. */
  static int kernel(Weights w) {
    return (int) Math.min(MAX_CHANNELS, w.shape("weight")[0]);
  }

  static GroupNorm norm(Weights w, int channels) {
    if (channels % GROUPS != 0) {
      throw new WeightShapeException(
          "%s: expected channels in %d groups, found %d"
              .formatted(w.name("weight"), GROUPS, channels));
    }
    return GroupNorm.of(w, channels, GROUPS, EPS);
  }

  /** A norm, SiLU and a convolution of 3 by 3. */
  static NormedConv2d normedConv(Weights norm, Weights conv, int nIn, int nOut) {
    return NormedConv2d.of(norm(norm, nIn), conv3(conv, nIn, nOut));
  }

  /** 3 by 3, with a pixel of zeros around. */
  static Conv2d conv3(Weights w, int nIn, int nOut) {
    return Conv2d.of(w, 3, nIn, nOut, ConvGeometry.of(1, 1));
  }

  /** [width, height, channels, batch] to [channels, width · height, batch]. */
  static Tensor rows(Tensor map) {
    return map.reshape(map.size(0) * map.size(1), map.size(2), map.size(3))
        .transpose()
        .contiguous();
  }

  /** [channels, width · height, batch] to [width, height, channels, batch]. */
  static Tensor map(Tensor rows, long width, long height) {
    return rows.transpose().contiguous().reshape(width, height, rows.size(0), rows.size(2));
  }
}
