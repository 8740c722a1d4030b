package dev.ocellus.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufTensor;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Settings of text models that libllama's graphs compute, or do not: carried, or refused by name.
 */
class TextSettingsTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String LAYER = "model.layers.0.";
  private static final String YARN =
      "{'rope_type': 'yarn', 'factor': 2.0, 'original_max_position_embeddings': 32}";
  private static final String LLAMA3 =
      "{'rope_type': 'llama3', 'factor': 8.0, 'low_freq_factor': 1.0, 'high_freq_factor': 4.0, 'original_max_position_embeddings': 32}";
  private static final String LONG =
      "{'rope_type': 'longrope', 'factor': 2.0, 'original_max_position_embeddings': 32, 'long_factor': [2.0, 4.0], 'short_factor': [1.0, 1.5]}";

  @TempDir Path folder;
  @TempDir Path out;

  private CheckpointBuilder of(String architecture, String type, String changes)
      throws IOException {
    CheckpointBuilder b = CheckpointBuilder.llama(folder);
    ObjectNode config = b.config();
    config.putArray("architectures").add(architecture);
    config.put("model_type", type);
    config.put("head_dim", 4);
    String json =
        changes
            .replace("YARN", YARN)
            .replace("LLAMA3", LLAMA3)
            .replace("LONG", LONG)
            .replace('\'', '"');
    config.setAll((ObjectNode) JSON.readTree("{" + json + "}"));
    return b;
  }

  private GgufFile convert(CheckpointBuilder b) throws IOException {
    Path file = out.resolve("text.gguf");
    Converter.convert(
        b.write(),
        ConvertOptions.defaults().withOutput(file, null).withTypes(OutputType.F32, OutputType.F32),
        ConvertProgress.NONE);
    return GgufFile.open(file);
  }

  /** Biases of what the tensor is for, as the class has them. */
  private static void bias(CheckpointBuilder b, String stem) {
    b.tensor(
        LAYER + stem + ".bias", stem.endsWith("gate_proj") || stem.endsWith("up_proj") ? 12 : 8);
  }

  @ParameterizedTest(name = "{0} {2} {3}")
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        // activations
        "LlamaForCausalLM     | llama    | 'hidden_act': 'gelu'      | | hidden_act | silu",
        "MistralForCausalLM   | mistral  | 'hidden_act': 'relu'      | | hidden_act | silu",
        "GraniteForCausalLM   | granite  | 'hidden_act': 'gelu'      | | hidden_act | silu",
        "SmolLM3ForCausalLM   | smollm3  | 'hidden_act': 'gelu'      | | hidden_act | silu",
        "Qwen2ForCausalLM     | qwen2    | 'hidden_act': 'gelu_new'  | | hidden_act | silu",
        "Qwen2VLForConditionalGeneration | qwen2_vl | 'hidden_act': 'gelu' | | hidden_act | silu",
        "Qwen3ForCausalLM     | qwen3    | 'hidden_act': 'relu2'     | | hidden_act | silu",
        "Qwen3VLForConditionalGeneration | qwen3_vl | 'hidden_act': 'gelu' | | hidden_act | silu",
        "InternLM2ForCausalLM | internlm2 | 'hidden_act': 'gelu'     | | hidden_act | silu",
        "Phi3ForCausalLM      | phi3     | 'hidden_act': 'gelu'      | | hidden_act | silu",
        "Glm4ForCausalLM      | glm4     | 'hidden_act': 'gelu'      | | hidden_act | silu",
        "GemmaForCausalLM     | gemma    | 'hidden_act': 'silu'      | | hidden_act | gelu_pytorch_tanh",
        "Gemma2ForCausalLM    | gemma2   | 'hidden_activation': 'gelu' | | hidden_activation | gelu_pytorch_tanh",
        "Gemma3ForCausalLM    | gemma3_text | 'hidden_activation': 'silu' | | hidden_activation | gelu_pytorch_tanh",
        // biases
        "Qwen3ForCausalLM     | qwen3    | 'attention_bias': true | self_attn.o_proj | attention_bias | o_proj.bias",
        "Qwen3VLForConditionalGeneration | qwen3_vl | 'attention_bias': true | self_attn.o_proj | attention_bias | o_proj.bias",
        "Qwen2ForCausalLM     | qwen2    | 'x': 0 | self_attn.o_proj | attention_bias | o_proj.bias",
        "Qwen2ForCausalLM     | qwen2    | 'x': 0 | mlp.down_proj    | mlp_bias       | down_proj.bias",
        "SmolLM3ForCausalLM   | smollm3  | 'mlp_bias': true | mlp.gate_proj | mlp_bias | gate_proj.bias",
        "SmolLM3ForCausalLM   | smollm3  | 'attention_bias': true | self_attn.o_proj | attention_bias | o_proj.bias",
        "Glm4ForCausalLM      | glm4     | 'x': 0 | self_attn.o_proj | attention_bias | o_proj.bias",
        "GemmaForCausalLM     | gemma    | 'attention_bias': true | self_attn.q_proj | attention_bias | q_proj.bias",
        "Gemma3ForCausalLM    | gemma3_text | 'attention_bias': true | self_attn.o_proj | attention_bias | o_proj.bias",
        // scalings of positions
        "Qwen2ForCausalLM     | qwen2    | 'rope_scaling': LLAMA3 | | rope_scaling | 'llama3'",
        "Qwen3ForCausalLM     | qwen3    | 'rope_parameters': LLAMA3 | | rope_scaling | 'llama3'",
        "SmolLM3ForCausalLM   | smollm3  | 'rope_scaling': LLAMA3 | | rope_scaling | 'llama3'",
        "Qwen2ForCausalLM     | qwen2    | 'rope_scaling': LONG | | rope_scaling | 'longrope'",
        "SmolLM3ForCausalLM   | smollm3  | 'rope_scaling': LONG | | rope_scaling | 'longrope'",
        "GemmaForCausalLM     | gemma    | 'rope_scaling': YARN | | rope_scaling | 'yarn'",
        "Gemma2ForCausalLM    | gemma2   | 'rope_scaling': YARN | | rope_scaling | 'yarn'",
        "Gemma3ForCausalLM    | gemma3_text | 'rope_scaling': YARN | | rope_scaling | 'yarn'",
        "Phi3ForCausalLM      | phi3     | 'rope_scaling': {'type': 'linear', 'factor': 2.0} | | rope_scaling | 'linear'",
        "LlamaForCausalLM     | llama    | 'rope_scaling': YARN, 'partial_rotary_factor': 0.5 | | partial_rotary_factor | turns whole heads",
        // others
        "SmolLM3ForCausalLM   | smollm3  | 'no_rope_layers': [0] | | no_rope_layers | every fourth",
        "SmolLM3ForCausalLM   | smollm3  | 'no_rope_layer_interval': 3 | | no_rope_layer_interval | 4",
        "Gemma3ForCausalLM    | gemma3_text | 'use_bidirectional_attention': true | | use_bidirectional_attention | false",
        "Gemma3ForCausalLM    | gemma3_text | 'attn_logit_softcapping': 50.0 | | attn_logit_softcapping | null",
      })
  void refusesWhatLlamaCppDoesNotCompute(
      String architecture,
      String type,
      String changes,
      String biased,
      String setting,
      String message)
      throws IOException {
    CheckpointBuilder b = of(architecture, type, changes);
    b.config().put("sliding_window", 16).put("original_max_position_embeddings", 64);
    if (biased != null) {
      bias(b, biased);
    }
    assertThatThrownBy(() -> convert(b).close())
        .isInstanceOf(ConversionException.class)
        .hasMessageContaining(setting)
        .hasMessageContaining(message);
  }

  @ParameterizedTest
  @CsvSource({"LlamaForCausalLM, llama", "Qwen2ForCausalLM, qwen2", "Phi3ForCausalLM, phi3"})
  void refusesNormsOfHeadsWhereTheGraphHasNone(String architecture, String type)
      throws IOException {
    CheckpointBuilder b = of(architecture, type, "'original_max_position_embeddings': 64");
    b.tensor(LAYER + "self_attn.q_norm.weight", 4);
    assertThatThrownBy(() -> convert(b).close()).hasMessageContaining("q_norm");
  }

  /** Queries and keys are interleaved with their biases, and all biases are kept. */
  @ParameterizedTest
  @CsvSource({"LlamaForCausalLM, llama", "GraniteForCausalLM, granite"})
  void carriesBiasesThatLlamaCppAdds(String architecture, String type) throws IOException {
    CheckpointBuilder b = of(architecture, type, "'attention_bias': true, 'mlp_bias': true");
    b.tensor(LAYER + "self_attn.q_proj.bias", 8);
    b.tensor(LAYER + "self_attn.k_proj.bias", 4);
    b.tensor(LAYER + "self_attn.v_proj.bias", 4);
    b.tensor(LAYER + "self_attn.o_proj.bias", 8);
    b.tensor(LAYER + "mlp.gate_proj.bias", 12);
    b.tensor(LAYER + "mlp.up_proj.bias", 12);
    b.tensor(LAYER + "mlp.down_proj.bias", 8);
    try (GgufFile file = convert(b)) {
      assertThat(file.tensor("blk.0.attn_q.bias").floats()).containsExactly(0, 2, 1, 3, 4, 6, 5, 7);
      assertThat(file.tensor("blk.0.attn_k.bias").floats()).containsExactly(0, 2, 1, 3);
      assertThat(file.tensor("blk.0.attn_v.bias").floats()).containsExactly(0, 1, 2, 3);
      assertThat(file.tensors())
          .extracting(GgufTensor::name)
          .contains(
              "blk.0.attn_output.bias",
              "blk.0.ffn_gate.bias",
              "blk.0.ffn_up.bias",
              "blk.0.ffn_down.bias");
    }
    b.tensor(LAYER + "mlp.down_proj.bias", 12);
    assertThatThrownBy(() -> convert(b).close()).hasMessageContaining("mlp.down_proj.bias");
  }

  @Test
  void carriesQwen3sBiasesOfInputsAndTheOtherNameOfSilu() throws IOException {
    CheckpointBuilder b = of("Qwen3ForCausalLM", "qwen3", "'hidden_act': 'swish'");
    b.tensor(LAYER + "self_attn.q_proj.bias", 8);
    try (GgufFile file = convert(b)) {
      assertThat(file.tensor("blk.0.attn_q.bias").floats()).containsExactly(0, 1, 2, 3, 4, 5, 6, 7);
    }
  }

  @Test
  void carriesScalingsWhereTheGraphHasThem() throws IOException {
    try (GgufFile file = convert(of("LlamaForCausalLM", "llama", "'rope_scaling': LLAMA3"))) {
      assertThat(file.tensor("rope_freqs.weight").floats()).hasSize(2);
    }
    try (GgufFile file = convert(of("Qwen3ForCausalLM", "qwen3", "'rope_scaling': YARN"))) {
      assertThat(file.metadata().string("qwen3.rope.scaling.type")).isEqualTo("yarn");
    }
  }

  /** libllama takes the number of blocks for the sign, and would refuse the file. */
  @ParameterizedTest
  @CsvSource({"1, null, a number", "3, null, 26 or 27", "26, 4, null", "27, 4, null"})
  void deepSeeksQueriesHaveARankWhereLlamaCppTakesThemToHaveOne(
      int nBlocks, String rank, String message) throws IOException {
    CheckpointBuilder b =
        of(
            "DeepseekV3ForCausalLM",
            "deepseek_v3",
            "'q_lora_rank': %s, 'num_hidden_layers': %d, 'kv_lora_rank': 4, 'qk_nope_head_dim': 2, 'qk_rope_head_dim': 2, 'v_head_dim': 4, 'n_routed_experts': 2, 'num_experts_per_tok': 1, 'moe_intermediate_size': 4"
                .formatted(rank, nBlocks));
    assertThatThrownBy(() -> convert(b).close())
        .isInstanceOf(ConversionException.class)
        .hasMessageContaining("q_lora_rank")
        .hasMessageContaining(message);
  }
}
