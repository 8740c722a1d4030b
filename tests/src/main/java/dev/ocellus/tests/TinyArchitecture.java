package dev.ocellus.tests;

import dev.ocellus.gguf.GgufArray;
import java.util.List;
import java.util.Set;

/**
 * Tensors and hyperparameters of the architectures that are not much like Llama, for {@link
 * TinyTextModel}.
 */
final class TinyArchitecture {
  static final List<String> NAMES =
      List.of(
          "qwen35",
          "qwen35moe",
          "gemma4",
          "phi2",
          "phimoe",
          "glm4",
          "glm4moe",
          "granite",
          "granitemoe",
          "granitehybrid",
          "falcon-h1",
          "lfm2",
          "lfm2moe",
          "ernie4_5",
          "ernie4_5-moe",
          "paddleocr",
          "olmo2",
          "olmoe",
          "command-r",
          "cohere2",
          "exaone4",
          "starcoder2",
          "stablelm",
          "nemotron",
          "seed_oss",
          "minicpm",
          "minicpm3",
          "hunyuan-dense",
          "hunyuan_vl",
          "hunyuan-moe",
          "gpt-oss",
          "llama4",
          "deepseek2");

  /** Two blocks: the first is recurrent, the second attends. */
  static final Set<String> HYBRID =
      Set.of("qwen35", "qwen35moe", "granitehybrid", "falcon-h1", "lfm2", "lfm2moe");

  /** Layer norms: with a mean, and mostly a bias. */
  private static final Set<String> LAYER_NORM =
      Set.of("phi2", "command-r", "cohere2", "starcoder2", "stablelm", "nemotron");

  private static final Set<String> NORM_BIAS =
      Set.of("phi2", "phimoe", "starcoder2", "stablelm", "nemotron");
  private static final Set<String> TIED = Set.of("command-r", "cohere2", "gemma4");
  private static final Set<String> NO_GATE =
      Set.of("phi2", "starcoder2", "nemotron", "glm4", "arcee");
  private static final Set<String> NORMED_HEADS =
      Set.of(
          "qwen35",
          "qwen35moe",
          "lfm2",
          "lfm2moe",
          "exaone4",
          "hunyuan-dense",
          "hunyuan_vl",
          "hunyuan-moe",
          "gemma4");
  private static final Set<String> SHARED =
      Set.of("qwen35moe", "glm4moe", "hunyuan-moe", "llama4", "deepseek2");

  private static final int E = 64;
  private static final int HEADS = 4;
  private static final int HEAD = 16;
  private static final int FF = 96;
  private static final int FF_EXPERT = 32;
  private static final int EXPERTS = 5;
  private static final int KERNEL = 4;
  private static final int STATE = 16;
  private static final int GROUPS = 2;
  private static final int INNER = 2 * E;
  private static final int RANK = 8;
  private static final int LOW_RANK = 24;

  private final String name;
  private final TinyTextModel model;

  TinyArchitecture(String name, TinyTextModel model) {
    this.name = name;
    this.model = model;
  }

  int nHeadKv() {
    return name.equals("olmoe") || name.equals("minicpm3")
        ? HEADS
        : name.equals("deepseek2") ? 1 : 2;
  }

  private boolean isMixture() {
    return name.endsWith("moe") || Set.of("gpt-oss", "llama4", "deepseek2").contains(name);
  }

  private boolean isLowRank() {
    return name.equals("deepseek2") || name.equals("minicpm3");
  }

  void hyperparameters() {
    String p = name + ".";
    boolean qwen = name.startsWith("qwen35");
    model.u32("vocab_size", 263);
    if (LAYER_NORM.contains(name)) {
      model.out.f32(p + "attention.layer_norm_epsilon", 1e-5f);
    }
    if (Set.of("granite", "granitemoe", "cohere2").contains(name)) {
      model.out.f32(p + "logit_scale", 2);
    }
    if (isMixture()) {
      model.u32("expert_count", EXPERTS);
      model.u32("expert_used_count", 2);
      if (!Set.of("granitemoe", "olmoe", "phimoe", "hunyuan-moe").contains(name)) {
        model.u32("expert_feed_forward_length", FF_EXPERT);
      }
      model.u32("expert_shared_count", 1);
      model.u32("leading_dense_block_count", Set.of("lfm2moe", "deepseek2").contains(name) ? 1 : 0);
      model.u32("interleave_moe_layer_step", 1);
      model.u32("expert_gating_func", 2);
      model.u32("expert_shared_feed_forward_length", name.equals("qwen35moe") ? FF_EXPERT : 0);
    }
    if (name.equals("hunyuan-moe")) {
      model.u32("expert_feed_forward_length", FF);
      model.u32("expert_shared_feed_forward_length", FF);
    }
    if (Set.of("qwen35", "qwen35moe", "paddleocr", "hunyuan_vl").contains(name)) {
      model.out.ints(p + "rope.dimension_sections", 4, 2, 2, 0);
    }
    if (Set.of("cohere2", "gpt-oss", "olmo2").contains(name)) {
      model.u32("attention.sliding_window", 16);
    }
    if (HYBRID.contains(name) && !name.startsWith("lfm2")) {
      model.u32("ssm.conv_kernel", KERNEL);
      model.u32("ssm.state_size", STATE);
      model.u32("ssm.group_count", GROUPS);
      model.u32("ssm.time_step_rank", RANK);
      model.u32("ssm.inner_size", INNER);
    }
    if (qwen) {
      model.u32("full_attention_interval", 2);
    } else if (name.startsWith("lfm2")) {
      model.u32("shortconv.l_cache", 3);
    }
    if (name.startsWith("lfm2") || name.equals("granitehybrid")) {
      model.out.ints(p + "attention.head_count_kv", 0, 2);
    }
    if (name.equals("gemma4")) {
      model.u32("attention.sliding_window", 16);
      model.out.put(p + "attention.sliding_window_pattern", GgufArray.ofBooleans(true, false));
      model.u32("attention.key_length_swa", HEAD / 2);
      model.u32("attention.value_length_swa", HEAD / 2);
      model.u32("rope.dimension_count_swa", HEAD / 2);
      model.u32("embedding_length_per_layer_input", 8);
    }
    if (isLowRank()) {
      model.u32("attention.q_lora_rank", LOW_RANK);
      model.u32("attention.kv_lora_rank", LOW_RANK);
      model.u32("rope.dimension_count", 8);
      if (name.equals("deepseek2")) {
        model.u32("attention.key_length", LOW_RANK + 8);
        model.u32("attention.value_length", LOW_RANK);
        model.u32("attention.key_length_mla", HEAD);
        model.u32("attention.value_length_mla", HEAD);
      }
    }
  }

  void ends(int nVocab) {
    model.matrix("token_embd.weight", E, nVocab);
    norm(name.startsWith("lfm2") ? "token_embd_norm" : "output_norm", E);
    if (!TIED.contains(name)) {
      model.matrix("output.weight", E, nVocab);
    }
    if (name.startsWith("phi")) {
      model.ones("output.bias", nVocab);
    }
    if (name.equals("gemma4")) {
      model.ones("rope_freqs.weight", HEAD / 2);
      model.matrix("per_layer_token_embd.weight", 2 * 8, nVocab);
      model.matrix("per_layer_model_proj.weight", E, 2 * 8);
      model.ones("per_layer_proj_norm.weight", 8);
    }
  }

  private void norm(String tensor, int n) {
    model.ones(tensor + ".weight", n);
    if (NORM_BIAS.contains(name)) {
      model.ones(tensor + ".bias", n);
    }
  }

  void block(int i) {
    String b = "blk." + i + ".";
    boolean recurrent = HYBRID.contains(name) && (i == 0 || name.equals("falcon-h1"));
    if (!name.equals("olmo2") && !name.equals("exaone4")) {
      norm(b + "attn_norm", E);
    }
    if (recurrent) {
      recurrent(b);
    }
    if (!recurrent || name.equals("falcon-h1")) {
      attention(b, name.equals("gemma4") && i == 0 ? HEAD / 2 : HEAD);
    }
    norms(b);
    boolean dense = !isMixture() || i == 0 && Set.of("lfm2moe", "deepseek2").contains(name);
    if (dense) {
      feedForward(b);
    } else {
      experts(b);
    }
  }

  private void norms(String b) {
    if (Set.of(
            "glm4",
            "glm4moe",
            "exaone4",
            "olmo2",
            "seed_oss",
            "gpt-oss",
            "qwen35",
            "qwen35moe",
            "gemma4")
        .contains(name)) {
      model.ones(b + "post_attention_norm.weight", E);
    }
    if (Set.of("glm4", "exaone4", "olmo2", "gemma4").contains(name)) {
      model.ones(b + "post_ffw_norm.weight", E);
    }
    if (name.equals("falcon-h1")) {
      model.ones(b + "ffn_norm", E);
    } else if (!Set.of(
            "glm4moe",
            "phi2",
            "command-r",
            "cohere2",
            "exaone4",
            "olmo2",
            "seed_oss",
            "gpt-oss",
            "qwen35",
            "qwen35moe")
        .contains(name)) {
      norm(b + "ffn_norm", E);
    }
    if (name.equals("gemma4")) {
      model.matrix(b + "inp_gate.weight", E, 8);
      model.matrix(b + "proj.weight", 8, E);
      model.ones(b + "post_norm.weight", E);
    }
  }

  private void recurrent(String b) {
    int convolved = INNER + 2 * GROUPS * STATE;
    if (name.startsWith("lfm2")) {
      model.floats(b + "shortconv.conv.weight", 3, E);
      model.matrix(b + "shortconv.in_proj.weight", E, 3 * E);
      model.matrix(b + "shortconv.out_proj.weight", E, E);
      return;
    }
    model.floats(b + "ssm_conv1d.weight", KERNEL, convolved);
    model.ones(b + "ssm_dt.bias", RANK);
    model.matrix(b + "ssm_out.weight", INNER, E);
    if (name.startsWith("qwen35")) {
      model.matrix(b + "attn_qkv.weight", E, convolved);
      model.matrix(b + "attn_gate.weight", E, INNER);
      model.floats(b + "ssm_a", RANK);
      model.matrix(b + "ssm_alpha.weight", E, RANK);
      model.matrix(b + "ssm_beta.weight", E, RANK);
      model.ones(b + "ssm_norm.weight", STATE);
      return;
    }
    model.matrix(b + "ssm_in.weight", E, INNER + convolved + RANK);
    model.ones(b + "ssm_conv1d.bias", convolved);
    model.floats(b + "ssm_a", 1, RANK);
    model.floats(b + "ssm_d", 1, RANK);
    model.floats(b + "ssm_norm.weight", INNER / GROUPS, GROUPS);
  }

  private void attention(String b, int head) {
    int q = HEADS * head;
    int kv = nHeadKv() * head;
    if (isLowRank()) {
      lowRank(b);
      return;
    }
    model.matrix(b + "attn_q.weight", E, name.startsWith("qwen35") ? 2 * q : q);
    model.matrix(b + "attn_k.weight", E, kv);
    model.matrix(b + "attn_v.weight", E, kv);
    model.matrix(b + "attn_output.weight", q, E);
    if (Set.of("phi2", "phimoe", "starcoder2", "gpt-oss").contains(name)) {
      model.ones(b + "attn_output.bias", E);
    }
    if (name.equals("gpt-oss")) {
      model.ones(b + "attn_sinks.weight", HEADS);
    }
    if (NORMED_HEADS.contains(name)) {
      model.ones(b + "attn_q_norm.weight", head);
      model.ones(b + "attn_k_norm.weight", head);
    } else if (name.startsWith("olmo")) {
      model.ones(b + "attn_q_norm.weight", q);
      model.ones(b + "attn_k_norm.weight", kv);
    }
  }

  private void lowRank(String b) {
    model.ones(b + "attn_q_a_norm.weight", LOW_RANK);
    model.ones(b + "attn_kv_a_norm.weight", LOW_RANK);
    model.matrix(b + "attn_q_a.weight", E, LOW_RANK);
    model.matrix(b + "attn_q_b.weight", LOW_RANK, HEADS * HEAD);
    model.matrix(b + "attn_kv_a_mqa.weight", E, LOW_RANK + 8);
    if (name.equals("deepseek2")) {
      model.matrices(b + "attn_k_b.weight", HEAD - 8, LOW_RANK, HEADS);
      model.matrices(b + "attn_v_b.weight", LOW_RANK, HEAD, HEADS);
    } else {
      model.matrix(b + "attn_kv_b.weight", LOW_RANK, HEADS * (HEAD - 8 + HEAD));
    }
    model.matrix(b + "attn_output.weight", HEADS * HEAD, E);
  }

  private void feedForward(String b) {
    if (!NO_GATE.contains(name)) {
      model.matrix(b + "ffn_gate.weight", E, FF);
    }
    model.matrix(b + "ffn_up.weight", E, name.equals("glm4") ? 2 * FF : FF);
    model.matrix(b + "ffn_down.weight", FF, E);
    if (name.equals("phi2") || name.equals("starcoder2")) {
      model.ones(b + "ffn_up.bias", FF);
      model.ones(b + "ffn_down.bias", E);
    }
  }

  private void experts(String b) {
    boolean wide = Set.of("granitemoe", "olmoe", "phimoe", "hunyuan-moe").contains(name);
    int ff = wide ? FF : FF_EXPERT;
    model.matrix(b + "ffn_gate_inp.weight", E, EXPERTS);
    model.matrices(b + "ffn_gate_exps.weight", E, ff, EXPERTS);
    model.matrices(b + "ffn_up_exps.weight", E, ff, EXPERTS);
    model.matrices(b + "ffn_down_exps.weight", ff, E, EXPERTS);
    if (Set.of("glm4moe", "lfm2moe").contains(name)) {
      model.ones(b + "exp_probs_b.bias", EXPERTS);
    }
    if (SHARED.contains(name)) {
      model.matrix(b + "ffn_gate_shexp.weight", E, ff);
      model.matrix(b + "ffn_up_shexp.weight", E, ff);
      model.matrix(b + "ffn_down_shexp.weight", ff, E);
    }
    if (name.equals("qwen35moe")) {
      model.ones(b + "ffn_gate_inp_shexp.weight", E);
    } else if (name.equals("gpt-oss")) {
      model.ones(b + "ffn_gate_inp.bias", EXPERTS);
      model.floats(b + "ffn_gate_exps.bias", FF_EXPERT, EXPERTS);
      model.floats(b + "ffn_up_exps.bias", FF_EXPERT, EXPERTS);
      model.floats(b + "ffn_down_exps.bias", E, EXPERTS);
    }
  }
}
