package dev.ocellus.convert;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/** Makes small checkpoints for tests. Tensors are F32; element i has the value i unless given. */
public final class CheckpointBuilder {
  private static final ObjectMapper JSON = new ObjectMapper();

  private record Stored(long[] shape, float[] values) {}

  private final Path directory;
  private final Map<String, Stored> tensors = new LinkedHashMap<>();
  private final ObjectNode config = JSON.createObjectNode();

  private CheckpointBuilder(Path directory) {
    this.directory = directory;
  }

  /** An empty checkpoint in a folder that exists. */
  public static CheckpointBuilder in(Path directory) {
    return new CheckpointBuilder(directory);
  }

  /** A Llama of one layer: width 8, 2 heads, 16 tokens of a byte-level BPE. */
  public static CheckpointBuilder llama(Path directory) throws IOException {
    CheckpointBuilder b = in(directory);
    b.config(
        """
        {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 16,
         "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2,
         "num_key_value_heads": 1, "intermediate_size": 12, "max_position_embeddings": 64,
         "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "tie_word_embeddings": false}
        """);
    b.tensor("model.embed_tokens.weight", 16, 8);
    b.tensor("lm_head.weight", 16, 8);
    b.tensor("model.norm.weight", 8);
    String layer = "model.layers.0.";
    b.tensor(layer + "input_layernorm.weight", 8);
    b.tensor(layer + "post_attention_layernorm.weight", 8);
    b.tensor(layer + "self_attn.q_proj.weight", 8, 8);
    b.tensor(layer + "self_attn.k_proj.weight", 4, 8);
    b.tensor(layer + "self_attn.v_proj.weight", 4, 8);
    b.tensor(layer + "self_attn.o_proj.weight", 8, 8);
    b.tensor(layer + "mlp.gate_proj.weight", 12, 8);
    b.tensor(layer + "mlp.up_proj.weight", 12, 8);
    b.tensor(layer + "mlp.down_proj.weight", 8, 12);
    b.file(
        "tokenizer.json",
        """
        {"added_tokens": [{"id": 4, "content": "<s>", "special": true},
                          {"id": 5, "content": "<|end|>", "special": false},
                          {"id": 6, "content": "two\u2581words", "special": false}],
         "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "use_regex": true},
         "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2, "\u0120": 3}, "merges": [["a", "b"]]}}
        """);
    b.file("tokenizer_config.json", "{\"bos_token\": \"<s>\", \"chat_template\": \"{{ x }}\"}");
    return b;
  }

  /** Replaces the configuration. */
  public CheckpointBuilder config(String json) throws IOException {
    config.removeAll();
    config.setAll((ObjectNode) JSON.readTree(json));
    return this;
  }

  /** The configuration, to be changed. */
  public ObjectNode config() {
    return config;
  }

  /** Adds a tensor that counts its elements. */
  public CheckpointBuilder tensor(String name, long... shape) {
    float[] values = new float[(int) Arrays.stream(shape).reduce(1, (a, b) -> a * b)];
    for (int i = 0; i < values.length; i++) {
      values[i] = i;
    }
    return tensor(name, values, shape);
  }

  /** Adds or replaces a tensor. */
  public CheckpointBuilder tensor(String name, float[] values, long... shape) {
    tensors.put(name, new Stored(shape, values));
    return this;
  }

  /** Removes a tensor. */
  public CheckpointBuilder without(String name) {
    tensors.remove(name);
    return this;
  }

  /** Writes a file as it is. */
  public CheckpointBuilder file(String name, String text) throws IOException {
    Files.writeString(directory.resolve(name), text);
    return this;
  }

  /** Writes configuration and tensors; returns the folder. */
  public Path write() throws IOException {
    JSON.writeValue(directory.resolve("config.json").toFile(), config);
    writeTensors("model.safetensors", tensors.keySet().toArray(String[]::new));
    return directory;
  }

  /** Writes some of the tensors into a file. */
  public void writeTensors(String fileName, String... names) throws IOException {
    ObjectNode header = JSON.createObjectNode();
    int at = 0;
    for (String name : names) {
      Stored t = stored(name);
      ObjectNode node = header.putObject(name).put("dtype", "F32");
      Arrays.stream(t.shape()).forEach(node.putArray("shape")::add);
      node.putArray("data_offsets").add(at).add(at + 4 * t.values().length);
      at += 4 * t.values().length;
    }
    byte[] json = header.toString().getBytes(StandardCharsets.UTF_8);
    ByteBuffer out = ByteBuffer.allocate(8 + json.length + at).order(ByteOrder.LITTLE_ENDIAN);
    out.putLong(json.length).put(json);
    for (String name : names) {
      for (float v : stored(name).values()) {
        out.putFloat(v);
      }
    }
    Files.write(directory.resolve(fileName), out.array());
  }

  private Stored stored(String name) {
    Stored t = tensors.get(name);
    if (t == null) {
      throw new IllegalArgumentException(name);
    }
    return t;
  }

  /** Names of all tensors. */
  public java.util.Set<String> names() {
    return tensors.keySet();
  }
}
