package dev.ocellus.convert.model.qwen;

import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.hf.HfConfig;
import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.gguf.GgufWriter;
import java.util.Map;
import java.util.function.LongUnaryOperator;

/**
 * Heads of linear layers (gated delta nets). Each key head serves a few value heads. Checkpoints
 * have the value heads of a key head beside each other; libllama repeats the key heads as a whole,
 * so there the first value heads of all key heads come first, then the second ones.
 *
 * @param nKey key heads
 * @param nValue value heads
 * @param size elements of a head of either kind
 * @param kernel positions that the convolution covers
 */
record LinearHeads(int nKey, int nValue, int size, int kernel) {
  /**
   * @throws ConversionException for what libllama's graph cannot do
   */
  static LinearHeads of(HfConfig config) {
    int nKey = config.integer("linear_num_key_heads");
    int nValue = config.integer("linear_num_value_heads");
    int size = config.integer("linear_key_head_dim");
    int valueSize = config.integer("linear_value_head_dim");
    int kernel = config.integer("linear_conv_kernel_dim");
    if (nValue % nKey != 0) {
      throw config.invalid("linear_num_value_heads", "a multiple of " + nKey, "" + nValue);
    }
    if (valueSize != size) {
      throw config.invalid(
          "linear_value_head_dim",
          "%d, linear_key_head_dim, as llama.cpp has one size for both".formatted(size),
          "" + valueSize);
    }
    if (kernel < 2) {
      throw config.invalid("linear_conv_kernel_dim", "at least 2", "" + kernel);
    }
    return new LinearHeads(nKey, nValue, size, kernel);
  }

  private long keyRows() {
    return (long) nKey * size;
  }

  private long valueRows() {
    return (long) nValue * size;
  }

  private long convolved() {
    return 2 * keyRows() + valueRows();
  }

  void write(GgufWriter out, String architecture) {
    out.u32(architecture + ".ssm.conv_kernel", kernel);
    out.u32(architecture + ".ssm.state_size", size);
    out.u32(architecture + ".ssm.group_count", nKey);
    out.u32(architecture + ".ssm.time_step_rank", nValue);
    out.u32(architecture + ".ssm.inner_size", valueRows());
  }

  /** Shapes by name in a block, outermost size first. */
  Map<String, long[]> shapes(long nEmbd) {
    return Map.of(
        "attn_qkv.weight", new long[] {convolved(), nEmbd},
        "attn_gate.weight", new long[] {valueRows(), nEmbd},
        "ssm_alpha.weight", new long[] {nValue, nEmbd},
        "ssm_beta.weight", new long[] {nValue, nEmbd},
        "ssm_conv1d.weight", new long[] {convolved(), kernel},
        "ssm_dt.bias", new long[] {nValue},
        "ssm_a", new long[] {nValue},
        "ssm_norm.weight", new long[] {size},
        "ssm_out.weight", new long[] {nEmbd, valueRows()});
  }

  /** A tensor of a linear layer as libllama wants it; its shape is checked afterwards. */
  LazyTensor arrange(String name, LazyTensor t) {
    String part = name.substring(name.indexOf(".linear_attn.") + ".linear_attn.".length());
    return switch (part) {
      case "in_proj_qkv.weight" -> behindKeys(t);
      case "conv1d.weight" ->
          behindKeys(t.rank() == 3 ? t.reshape(t.size(0), t.size(1) * t.size(2)) : t);
      case "in_proj_z.weight", "in_proj_a.weight", "in_proj_b.weight", "dt_bias" -> rows(t);
      case "A_log" -> rows(t).minusExp();
      case "out_proj.weight" -> columns(t);
      default -> t;
    };
  }

  /** Which value head of the checkpoint is head {@code i} of the file. */
  private long source(long i) {
    return i % nKey * (nValue / nKey) + i / nKey;
  }

  /** Rows of queries and keys stay where they are; those of values change places by heads. */
  private LazyTensor behindKeys(LazyTensor t) {
    long first = 2 * keyRows();
    return moved(
        t,
        convolved(),
        row -> row < first ? row : first + source((row - first) / size) * size + row % size);
  }

  private LazyTensor rows(LazyTensor t) {
    return moved(t, nValue, this::source);
  }

  private LazyTensor columns(LazyTensor t) {
    return moved(t, t.size(0) * nValue, part -> part / nValue * nValue + source(part % nValue));
  }

  /**
   * The parts of a tensor in another order. It stays as it is stored where the order is the same,
   * and where its shape is wrong, which is said later.
   */
  private LazyTensor moved(LazyTensor t, long nParts, LongUnaryOperator source) {
    boolean same = nKey == nValue || nKey == 1;
    boolean whole = t.count() > 0 && t.count() % nParts == 0;
    return same || !whole ? t : t.rearrange(t.count() / nParts, source, t.shape());
  }
}
