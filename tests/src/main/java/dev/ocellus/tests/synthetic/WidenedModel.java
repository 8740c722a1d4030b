package dev.ocellus.tests.synthetic;

import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.gguf.GgufTensor;
import dev.ocellus.gguf.GgufValue;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;

/**
 * A tiny model made wider, with random weights in F32: rows as long as the blocks of all types of
 * quantization, with the graph, the tokenizer and the settings of the tiny one. Tiny models of the
 * golden data have sizes that differ from each other, so that a size tells what it is one of.
 */
public final class WidenedModel {
  private static final Set<String> IMAGE_KERNELS = Set.of("v.patch_embd.weight", "v.stem.1.weight");

  private WidenedModel() {}

  /**
   * Writes the wider model.
   *
   * @param sizes sizes of the tiny model that become others, in tensors and in keys of widths
   * @param keys keys that get another number, such as those of heads
   * @param beginning of the names of tensors that are widened; the others keep their sizes, and
   *     keys of widths their numbers, unless it is empty
   */
  public static void write(
      Path tiny, Path out, Map<Long, Long> sizes, Map<String, Integer> keys, String beginning)
      throws IOException {
    try (GgufFile file = GgufFile.open(tiny)) {
      boolean isT5 = file.metadata().string("general.architecture", "").equals("t5");
      GgufWriter writer = new GgufWriter().putAll(file.metadata());
      if (beginning.isEmpty()) {
        widenKeys(file.metadata(), sizes, writer);
      }
      keys.forEach(writer::u32);
      for (GgufTensor tensor : file.tensors()) {
        boolean widens = tensor.name().startsWith(beginning);
        long[] shape = shape(tensor, widens ? sizes : Map.of());
        float[] values = values(tensor.name(), shape);
        if (isT5 && tensor.name().contains("attn_q")) {
          scale(values, 1 / Math.sqrt(shape[1] / 3.0)); // it does not scale its products
        }
        writer.tensor(tensor.name(), values, shape);
      }
      writer.write(out);
    }
  }

  private static void widenKeys(GgufMetadata metadata, Map<Long, Long> sizes, GgufWriter writer) {
    metadata
        .asMap()
        .forEach((key, value) -> {
          if (isWidth(key) && value instanceof GgufValue.Int n) {
            writer.u32(key, sizes.getOrDefault(n.value(), n.value()));
          }
        });
  }

  /** Kernels grow in their channels alone, and not in the three of an image. */
  private static long[] shape(GgufTensor tensor, Map<Long, Long> sizes) {
    boolean isKernel = tensor.nDims() == 4;
    boolean takesImages = isKernel && IMAGE_KERNELS.contains(tensor.name());
    long[] shape = new long[tensor.nDims()];
    for (int i = 0; i < shape.length; i++) {
      boolean stays = isKernel && (i < 2 || (i == 2 && takesImages));
      shape[i] = stays ? tensor.dim(i) : sizes.getOrDefault(tensor.dim(i), tensor.dim(i));
    }
    return shape;
  }

  private static void scale(float[] values, double factor) {
    for (int i = 0; i < values.length; i++) {
      values[i] *= (float) factor;
    }
  }

  private static boolean isWidth(String key) {
    return (key.contains("length") && !key.endsWith("context_length"))
        || key.endsWith("projection_dim")
        || key.endsWith("width");
  }

  /** Drawn as the weights of the golden data are: every state stays of the size of 1. */
  private static float[] values(String name, long[] shape) {
    long count = 1;
    for (long n : shape) {
      count *= n;
    }
    double scale = 0.3;
    double mean = 0;
    if (shape.length >= 2) {
      scale = 1.2 / Math.sqrt((double) count / shape[shape.length - 1]);
    } else if (name.endsWith("bias")) {
      scale = 0.1;
    } else if (name.contains("norm") || name.contains("ln")) {
      mean = 1;
      scale = 0.2;
    }
    if (name.contains("_embd") && !name.contains("patch")) {
      scale = 0.4;
    }
    var random = new SplittableRandom(name.hashCode());
    float[] values = new float[Math.toIntExact(count)];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (mean + scale * random.nextGaussian());
    }
    return values;
  }
}
