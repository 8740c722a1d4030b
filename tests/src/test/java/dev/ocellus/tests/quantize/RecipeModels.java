package dev.ocellus.tests.quantize;

import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.gguf.TensorType;
import dev.ocellus.io.Memory;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Models with the names and numbers of layers, heads and experts of real ones, and rows of which
 * there are only two, so that the types that recipes choose for them can be compared.
 *
 * <p>Run as a program, it writes them, for {@code llama-quantize --dry-run}.
 */
final class RecipeModels {
  private RecipeModels() {}

  static Map<String, GgufWriter> all() {
    Map<String, GgufWriter> m = new LinkedHashMap<>();
    m.put("llama-32", text("llama", 32, 32, 32, 0, true, s -> dense(s, 32, 256)));
    m.put("llama-32-gqa4", text("llama", 32, 32, 8, 0, true, s -> dense(s, 32, 256)));
    m.put("llama-80-gqa8", text("llama", 80, 64, 8, 0, true, s -> dense(s, 80, 256)));
    m.put("llama-80", text("llama", 80, 64, 64, 0, true, s -> dense(s, 80, 256)));
    m.put("mixtral-32", text("llama", 32, 32, 8, 8, true, s -> experts(s, 32, 8)));
    m.put("mixtral-split-16", text("llama", 16, 32, 8, 8, true, s -> splitExperts(s, 16, 8)));
    m.put("moe4-24", text("llama", 24, 16, 16, 4, false, s -> experts(s, 24, 4)));
    m.put("qwen2-28-tied", text("qwen2", 28, 12, 2, 0, false, s -> dense(s, 28, 256)));
    m.put("qwen2-80", text("qwen2", 80, 64, 8, 0, true, s -> dense(s, 80, 256)));
    m.put("gemma3-26", text("gemma3", 26, 4, 1, 0, false, s -> dense(s, 26, 256)));
    m.put("phi3-32", text("phi3", 32, 32, 32, 0, true, s -> fused(s, 32)));
    m.put("falcon-32", text("falcon", 32, 71, 1, 0, true, s -> fused(s, 32)));
    m.put("odd-288", text("llama", 12, 9, 3, 0, true, s -> dense(s, 12, 288)));
    m.put("odd-100", text("llama", 12, 9, 3, 0, true, s -> dense(s, 12, 100)));
    m.put("clip-24", clip(24));
    return m;
  }

  private static GgufWriter text(
      String arch,
      int nLayer,
      int nHead,
      int nHeadKv,
      int nExpert,
      boolean output,
      Consumer<GgufWriter> layers) {
    GgufWriter w = new GgufWriter();
    w.string("general.architecture", arch);
    w.u32(arch + ".context_length", 128);
    w.u32(arch + ".embedding_length", 256);
    w.u32(arch + ".block_count", nLayer);
    w.u32(arch + ".feed_forward_length", 256);
    w.u32(arch + ".attention.head_count", nHead);
    w.u32(arch + ".attention.head_count_kv", nHeadKv);
    w.u32(arch + ".rope.dimension_count", 2);
    w.u32(arch + ".attention.key_length", 2);
    w.u32(arch + ".attention.value_length", 2);
    w.u32(arch + ".attention.sliding_window", 64);
    w.f32(arch + ".attention.layer_norm_rms_epsilon", 1e-5f);
    w.f32(arch + ".attention.layer_norm_epsilon", 1e-5f);
    if (nExpert > 0) {
      w.u32(arch + ".expert_count", nExpert);
      w.u32(arch + ".expert_used_count", 2);
    }
    tensor(w, "token_embd.weight", 256, 2);
    tensor(w, "output_norm.weight", 256);
    if (output) {
      tensor(w, "output.weight", 256, 2);
    }
    layers.accept(w);
    return w;
  }

  private static void attention(GgufWriter w, int i, int n) {
    tensor(w, "blk." + i + ".attn_norm.weight", n);
    for (String part : new String[] {"attn_q", "attn_k", "attn_v", "attn_output"}) {
      tensor(w, "blk." + i + "." + part + ".weight", n, 2);
    }
  }

  private static void dense(GgufWriter w, int nLayer, int n) {
    for (int i = 0; i < nLayer; i++) {
      attention(w, i, n);
      for (String part : new String[] {"ffn_gate", "ffn_up", "ffn_down"}) {
        tensor(w, "blk." + i + "." + part + ".weight", n, 2);
      }
    }
  }

  private static void experts(GgufWriter w, int nLayer, int nExpert) {
    for (int i = 0; i < nLayer; i++) {
      attention(w, i, 256);
      tensor(w, "blk." + i + ".ffn_gate_inp.weight", 256, nExpert);
      for (String part : new String[] {"ffn_gate_exps", "ffn_up_exps", "ffn_down_exps"}) {
        tensor(w, "blk." + i + "." + part + ".weight", 256, 2, nExpert);
      }
    }
  }

  private static void splitExperts(GgufWriter w, int nLayer, int nExpert) {
    for (int i = 0; i < nLayer; i++) {
      attention(w, i, 256);
      for (int e = 0; e < nExpert; e++) {
        for (String part : new String[] {"ffn_gate", "ffn_up", "ffn_down"}) {
          tensor(w, "blk." + i + "." + part + "." + e + ".weight", 256, 2);
        }
      }
    }
  }

  private static void fused(GgufWriter w, int nLayer) {
    for (int i = 0; i < nLayer; i++) {
      for (String part : new String[] {"attn_qkv", "attn_output", "ffn_up", "ffn_down"}) {
        tensor(w, "blk." + i + "." + part + ".weight", 256, 2);
      }
    }
  }

  private static GgufWriter clip(int nLayer) {
    GgufWriter w = new GgufWriter();
    w.string("general.architecture", "clip");
    w.u32("clip.vision.block_count", nLayer);
    w.u32("clip.vision.attention.head_count", 16);
    tensor(w, "v.patch_embd.weight", 14, 14, 3, 256);
    tensor(w, "v.position_embd.weight", 256, 2);
    tensor(w, "mm.0.weight", 256, 2);
    tensor(w, "mm.2.weight", 256, 2);
    for (int i = 0; i < nLayer; i++) {
      for (String part :
          new String[] {"attn_q", "attn_k", "attn_v", "attn_out", "ffn_up", "ffn_down"}) {
        tensor(w, "v.blk." + i + "." + part + ".weight", 256, 2);
      }
    }
    return w;
  }

  private static void tensor(GgufWriter w, String name, long... shape) {
    byte[] zeros = new byte[(int) TensorType.F16.bytes(shape)];
    w.tensor(name, TensorType.F16, new Memory(MemorySegment.ofArray(zeros)), shape);
  }

  /** Writes all models into the directory that is given. */
  public static void main(String[] arguments) throws IOException {
    Path directory = Files.createDirectories(Path.of(arguments[0]));
    for (Map.Entry<String, GgufWriter> e : all().entrySet()) {
      e.getValue().write(directory.resolve(e.getKey() + ".gguf"));
    }
  }
}
