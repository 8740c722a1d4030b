package dev.ocellus.convert.model.maker;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.hf.HfConfig;
import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.NameTable;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.gguf.GgufWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The transformer of LlamaGen (arXiv:2406.06525) under its authors' names: LLaMA's blocks over
 * codes, behind one row for the class, with rotary positions of two axes. Neighbours that are
 * turned together come to lie half a head apart.
 */
final class ClassPrior {
  private static final NameTable NAMES =
      NameTable.of(
          "norm output_norm",
          "output output",
          "layers.#.attention_norm blk.#.attn_norm",
          "layers.#.ffn_norm blk.#.ffn_norm",
          "layers.#.attention.wo blk.#.attn_out",
          "layers.#.feed_forward.w1 blk.#.ffn_gate",
          "layers.#.feed_forward.w3 blk.#.ffn_up",
          "layers.#.feed_forward.w2 blk.#.ffn_down");

  private static final Pattern OWN =
      Pattern.compile(
          "(?:cls_embedding|tok_embeddings|layers|norm|output)\\..*|freqs_cis|causal_mask");
  private static final Pattern QKV =
      Pattern.compile("layers\\.(\\d{1,4})\\.attention\\.wqkv\\.weight");
  private static final String CLASSES = "cls_embedding.embedding_table.weight";
  private static final String CODES = "tok_embeddings.weight";
  private static final Set<String> IGNORED = Set.of("freqs_cis", "causal_mask");
  private static final String KEYS = "vq.prior.";
  private static final double ROPE_BASE = 10000;
  private static final int USUAL_HEAD = 64;

  /** Heads of the widths that have other ones than the usual: 3B and 7B. */
  private static final Map<Integer, Integer> HEADS = Map.of(3200, 32, 4096, 32);

  private final Context context;
  private final HfConfig config;
  private final Map<String, LazyTensor> all;
  private final int width;
  private final int nHead;
  private final int nKvHead;
  private final int side;

  /**
   * @param factor pixels for each code
   */
  ClassPrior(Context context, Map<String, LazyTensor> all, int factor) {
    this.context = context;
    this.all = all;
    config = context.folder().config();
    if (all.keySet().stream().anyMatch(n -> n.startsWith("cls_embedding.cap_proj"))) {
      throw new ConversionException(
          "%s: this LlamaGen draws what a text says, by T5's vectors of it, which is not known here; those that draw classes (c2i) are."
              .formatted(context.folder().directory()));
    }
    width = Math.toIntExact(tensor(CODES).size(1));
    nHead =
        config
            .findInteger("n_head", "num_attention_heads")
            .orElseGet(() -> HEADS.getOrDefault(width, Math.max(1, width / USUAL_HEAD)));
    nKvHead = config.findInteger("n_kv_head", "num_key_value_heads").orElse(nHead);
    if (nHead < 1 || nKvHead < 1 || width % nHead != 0 || headWidth() % 4 != 0) {
      throw config.invalid(
          "n_head", "a number of heads for a width of %d".formatted(width), "" + nHead);
    }
    side = config.findInteger("image_size").orElse(256) / factor;
    if (side < 1) {
      throw config.invalid("image_size", "at least %d pixels".formatted(factor), "fewer");
    }
  }

  /** Whether a tensor of a checkpoint is the transformer's. */
  static boolean has(String name) {
    return OWN.matcher(name).matches();
  }

  private int headWidth() {
    return width / nHead;
  }

  private LazyTensor tensor(String name) {
    LazyTensor found = all.get(name);
    if (found == null || found.rank() != 2) {
      throw new ConversionException(
          "%s: expected a matrix '%s', found %s. Is a file of the checkpoint missing?"
              .formatted(
                  context.folder().directory(), name, found == null ? "none" : found.toString()));
    }
    return found;
  }

  void parameters(GgufWriter out) {
    out.string(KEYS + "architecture", "llamagen");
    out.u32(KEYS + "embedding_length", width);
    out.u32(
        KEYS + "block_count",
        (int) all.keySet().stream().filter(n -> QKV.matcher(n).matches()).count());
    out.u32(KEYS + "attention.head_count", nHead);
    out.u32(KEYS + "attention.head_count_kv", nKvHead);
    out.u32(KEYS + "code_side", side);
    out.f32(KEYS + "rope.freq_base", (float) config.findReal("rope_base").orElse(ROPE_BASE));
    out.f32(
        KEYS + "attention.layer_norm_rms_epsilon",
        (float) config.findReal("norm_eps").orElse(1e-5));
    out.strings(KEYS + "classes", classes());
  }

  /** Their names, or their numbers. The last row of the table stands for no class. */
  private List<String> classes() {
    int rows = Math.toIntExact(tensor(CLASSES).size(0));
    int n = config.findInteger("num_classes").orElse(rows - 1);
    if (n < 1 || n > rows || n < rows - 1) {
      throw config.invalid("num_classes", "%d or %d".formatted(rows - 1, rows), "" + n);
    }
    JsonNode names = config.find("id2label");
    List<String> out = new ArrayList<>();
    for (int i = 0; i < n; i++) {
      String number = Integer.toString(i);
      out.add(names == null ? number : names.path(number).asText(number));
    }
    return out;
  }

  List<TargetTensor> tensors() {
    List<TargetTensor> out = new ArrayList<>();
    LazyTensor codes = tensor(CODES);
    LazyTensor classes = tensor(CLASSES);
    if (classes.size(1) != width) {
      throw new ConversionException(
          "Tensor %s: expected rows of %d. The checkpoint is damaged.".formatted(classes, width));
    }
    add(out, "token_embd.weight", codes.followedBy(classes));
    all.forEach((name, tensor) -> {
      if (!IGNORED.contains(name) && !name.equals(CODES) && !name.equals(CLASSES)) {
        target(out, name, tensor);
      }
    });
    return out;
  }

  private static void add(List<TargetTensor> out, String name, LazyTensor tensor) {
    out.add(new TargetTensor("prior." + name, tensor));
  }

  private void target(List<TargetTensor> out, String name, LazyTensor tensor) {
    Matcher m = QKV.matcher(name);
    if (m.matches()) {
      heads(out, "blk." + Integer.parseInt(m.group(1)) + ".attn_", tensor(name));
      return;
    }
    Optional<String> found = NAMES.find(name);
    if (found.isEmpty()) {
      throw new ConversionException(
          "%s: tensor '%s' has no place in LlamaGen. The checkpoint is of another architecture, or newer than this program (docs/ADDING_A_MODEL.md)."
              .formatted(context.folder().directory(), name));
    }
    add(out, found.get(), tensor);
  }

  private void heads(List<TargetTensor> out, String block, LazyTensor rows) {
    long kv = (long) nKvHead * headWidth();
    if (rows.size(0) != width + 2 * kv || rows.size(1) != width) {
      throw new ConversionException(
          "Tensor %s: expected queries, keys and values for %d and %d heads of %d. Does config.json say n_head and n_kv_head as the checkpoint has them?"
              .formatted(rows, nHead, nKvHead, headWidth()));
    }
    add(out, block + "q.weight", halves(rows.slice(0, width)));
    add(out, block + "k.weight", halves(rows.slice(width, width + kv)));
    add(out, block + "v.weight", rows.slice(width + kv, width + 2 * kv));
  }

  /** Of every head the even rows, then the odd ones. */
  private LazyTensor halves(LazyTensor rows) {
    int head = headWidth();
    int half = head / 2;
    return rows.rearrange(
        width,
        row -> {
          long within = row % head;
          return row - within + (within < half ? 2 * within : 2 * (within - half) + 1);
        },
        rows.shape());
  }
}
