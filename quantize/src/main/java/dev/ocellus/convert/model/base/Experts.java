package dev.ocellus.convert.model.base;

import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.hf.HfConfig;
import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.gguf.GgufWriter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The feed-forward blocks of Qwen3's mixtures of experts (arXiv:2505.09388): a router chooses a few
 * experts for each token. libllama wants the matrices of all experts of a block as one tensor.
 * Checkpoints have them one by one, or all together with gate and up in one; Qwen3-VL is published
 * with rows and columns exchanged, and saved by later versions of transformers without.
 */
public final class Experts {
  private static final Pattern ONE =
      Pattern.compile("(.*\\.mlp\\.experts\\.)(\\d+)\\.(gate|up|down)_proj\\.weight");
  private static final Pattern ALL =
      Pattern.compile(
          "model\\.layers\\.(\\d+)\\.mlp\\.experts\\.(gate_up|down)_proj(?:\\.weight)?");
  private static final Pattern BLOCK = Pattern.compile("model\\.layers\\.(\\d+)\\..*");

  private final Context context;
  private final HfConfig config;
  private final int nEmbd;
  private final int nExpert;
  private final int nUsed;
  private final int nFf;

  /** Tensors of single experts met since the last whole block. */
  private int nMet;

  /**
   * @throws ConversionException for what libllama's graph cannot do
   */
  public Experts(Context context, HfConfig config, int nEmbd) {
    this.context = context;
    this.config = config;
    this.nEmbd = nEmbd;
    nExpert = config.findInteger("num_experts", "num_local_experts", "n_routed_experts").orElse(0);
    nUsed = config.integer("num_experts_per_tok");
    nFf = config.integer("moe_intermediate_size");
    if (nExpert < 1) {
      throw config.invalid("num_experts", "at least 1", "" + nExpert);
    }
    if (nUsed < 1 || nUsed > nExpert) {
      throw config.invalid("num_experts_per_tok", "1 to " + nExpert, "" + nUsed);
    }
    if (nFf < 1) {
      throw config.invalid("moe_intermediate_size", "at least 1", "" + nFf);
    }
    if (config.integers("mlp_only_layers").length > 0
        || config.findInteger("decoder_sparse_step").orElse(1) != 1) {
      throw unsupported("some layers have no experts (mlp_only_layers, decoder_sparse_step)");
    }
    boolean said = config.findInteger("n_routed_experts").isPresent(); // by a key of the file
    if (!said && !config.flag("norm_topk_prob", true)) {
      throw unsupported("the weights of the chosen experts do not add up to 1 (norm_topk_prob)");
    }
  }

  private ConversionException unsupported(String what) {
    return new ConversionException(
        "%s: %s, which llama.cpp does not compute for this architecture"
            .formatted(config.file(), what));
  }

  public void write(GgufWriter out, String architecture) {
    out.u32(architecture + ".expert_count", nExpert);
    out.u32(architecture + ".expert_used_count", nUsed);
    out.u32(architecture + ".expert_feed_forward_length", nFf);
  }

  /** Shapes by name in a block, outermost size first. */
  Map<String, long[]> shapes() {
    return Map.of(
        "ffn_gate_inp.weight", new long[] {nExpert, nEmbd},
        "ffn_gate_exps.weight", new long[] {nExpert, nFf, nEmbd},
        "ffn_up_exps.weight", new long[] {nExpert, nFf, nEmbd},
        "ffn_down_exps.weight", new long[] {nExpert, nEmbd, nFf});
  }

  /** Whether this is a tensor of experts, which {@link #map} takes. */
  public static boolean holds(String name) {
    return name.contains(".mlp.experts.");
  }

  /**
   * What becomes of a tensor of experts. Single ones become something with the last of their block.
   *
   * @param name without what only tells that it is the text's
   */
  public List<TargetTensor> map(String name, LazyTensor tensor) {
    Matcher block = BLOCK.matcher(name);
    Matcher one = ONE.matcher(tensor.name());
    if (one.matches() && block.matches()) {
      nMet++;
      if (nMet < 3 * nExpert) {
        return List.of();
      }
      nMet = 0;
      List<TargetTensor> all = new ArrayList<>();
      for (String which : List.of("down", "gate", "up")) {
        all.add(target(block.group(1), which, stacked(one.group(1), which)));
      }
      return all;
    }
    Matcher together = ALL.matcher(name);
    if (!together.matches() || tensor.rank() != 3 || tensor.size(0) != nExpert) {
      throw new ConversionException(
          "%s: tensor '%s' of shape %s is none of %d experts"
              .formatted(
                  context.folder().directory(), name, Arrays.toString(tensor.shape()), nExpert));
    }
    String number = together.group(1);
    if (together.group(2).equals("down")) {
      return List.of(target(number, "down", oriented(tensor, nEmbd, nFf)));
    }
    LazyTensor both = oriented(tensor, 2L * nFf, nEmbd);
    return List.of(target(number, "gate", half(both, 0)), target(number, "up", half(both, 1)));
  }

  private static TargetTensor target(String block, String which, LazyTensor data) {
    return new TargetTensor("blk.%s.ffn_%s_exps.weight".formatted(block, which), data);
  }

  private LazyTensor stacked(String prefix, String which) {
    List<LazyTensor> parts = new ArrayList<>();
    for (int i = 0; i < nExpert; i++) {
      String name = prefix + i + "." + which + "_proj.weight";
      LazyTensor part = context.folder().tensors().get(name);
      if (part == null) {
        throw new ConversionException(
            "%s: tensor '%s' is missing. Is a file of the checkpoint missing?"
                .formatted(context.folder().directory(), name));
      }
      parts.add(part);
    }
    try {
      return LazyTensor.stacked(parts);
    } catch (IllegalArgumentException e) {
      throw new ConversionException(
          "%s: the experts of a block differ: %s"
              .formatted(context.folder().directory(), e.getMessage()),
          e);
    }
  }

  /**
   * Matrices of {@code rows} and {@code columns}, which the checkpoint may hold the other way
   * round. Square ones are taken as they are published: exchanged for Qwen3-VL.
   */
  private LazyTensor oriented(LazyTensor t, long rows, long columns) {
    boolean straight = t.size(1) == rows && t.size(2) == columns;
    boolean exchanged = t.size(1) == columns && t.size(2) == rows;
    boolean publishedExchanged = config.modelType().startsWith("qwen3_vl");
    return exchanged && (!straight || publishedExchanged) ? t.transposedEach() : t;
  }

  /** The first or the second half of the rows of each matrix. */
  public static LazyTensor half(LazyTensor t, int which) {
    long rows = t.size(1) / 2;
    long columns = t.size(2);
    return t.rearrange(rows * columns, i -> 2 * i + which, t.size(0), rows, columns);
  }
}
