package dev.ocellus.tests;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** Checkpoints in HuggingFace's layout of a few kilobytes, each packed into one file. */
public final class TinyCheckpoint {
  /**
   * Kinds that there are: with a byte-level BPE and images, with SentencePiece, saved by PyTorch.
   */
  public static final List<String> KINDS = List.of("llava", "sentencepiece", "pytorch");

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int N_VOCAB = 300;

  private final Map<String, long[]> tensors = new LinkedHashMap<>();

  private TinyCheckpoint() {}

  /** Writes a checkpoint of a kind. */
  public static Path write(Path file, String kind) throws IOException {
    Map<String, byte[]> files = new LinkedHashMap<>();
    TinyCheckpoint c = new TinyCheckpoint();
    boolean llava = kind.equals("llava");
    c.text(llava ? "language_model." : "");
    if (llava) {
      c.vision();
      files.put("config.json", utf8(llavaConfig()));
      files.put(
          "preprocessor_config.json",
          utf8("{\"image_mean\": [0.5, 0.5, 0.5], \"image_std\": [0.5, 0.5, 0.5]}"));
      files.put("tokenizer.json", utf8(bpe()));
    } else {
      files.put("config.json", utf8(llamaConfig()));
      files.put("tokenizer.model", sentencePiece());
    }
    files.put(
        "tokenizer_config.json",
        utf8(
            "{\"add_bos_token\": true, \"bos_token\": \"<s>\", \"eos_token\": {\"content\": \"</s>\"}, \"add_prefix_space\": false, \"chat_template\": \"{{ messages }}\", \"added_tokens_decoder\": {\"297\": {\"content\": \"<s>\", \"special\": true}}}"));
    if (kind.equals("pytorch")) {
      files.put("pytorch_model.bin", TinyPickle.zip(c.tensors));
    } else {
      files.put("model.safetensors", c.safetensors());
    }
    pack(files, file);
    return file;
  }

  /** Packs files into one. */
  public static void pack(Map<String, byte[]> files, Path to) throws IOException {
    try (OutputStream out = Files.newOutputStream(to);
        ZipOutputStream zip = new ZipOutputStream(out)) {
      for (Map.Entry<String, byte[]> e : files.entrySet()) {
        zip.putNextEntry(new ZipEntry(e.getKey()));
        zip.write(e.getValue());
      }
    }
  }

  private void text(String prefix) {
    tensors.put(prefix + "model.embed_tokens.weight", new long[] {N_VOCAB, 8});
    tensors.put(prefix + "lm_head.weight", new long[] {N_VOCAB, 8});
    tensors.put(prefix + "model.norm.weight", new long[] {8});
    String layer = prefix + "model.layers.0.";
    tensors.put(layer + "input_layernorm.weight", new long[] {8});
    tensors.put(layer + "post_attention_layernorm.weight", new long[] {8});
    for (String name : List.of("q_proj", "k_proj", "v_proj", "o_proj")) {
      tensors.put(layer + "self_attn." + name + ".weight", new long[] {8, 8});
    }
    tensors.put(layer + "mlp.gate_proj.weight", new long[] {16, 8});
    tensors.put(layer + "mlp.up_proj.weight", new long[] {16, 8});
    tensors.put(layer + "mlp.down_proj.weight", new long[] {8, 16});
  }

  private void vision() {
    String tower = "vision_tower.vision_model.";
    tensors.put(tower + "embeddings.class_embedding", new long[] {8});
    tensors.put(tower + "embeddings.patch_embedding.weight", new long[] {8, 3, 2, 2});
    tensors.put(tower + "embeddings.position_embedding.weight", new long[] {5, 8});
    for (int i = 0; i < 2; i++) {
      String layer = tower + "encoder.layers." + i + ".";
      for (String name : List.of("q_proj", "k_proj", "v_proj", "out_proj")) {
        tensors.put(layer + "self_attn." + name + ".weight", new long[] {8, 8});
      }
      tensors.put(layer + "layer_norm1.weight", new long[] {8});
      tensors.put(layer + "mlp.fc1.weight", new long[] {16, 8});
      tensors.put(layer + "mlp.fc2.weight", new long[] {8, 16});
    }
    tensors.put("multi_modal_projector.linear_1.weight", new long[] {8, 8});
    tensors.put("multi_modal_projector.linear_2.weight", new long[] {8, 8});
  }

  private byte[] safetensors() {
    ObjectNode header = JSON.createObjectNode();
    int at = 0;
    for (Map.Entry<String, long[]> e : tensors.entrySet()) {
      int bytes = (int) (2 * Arrays.stream(e.getValue()).reduce(1, (a, b) -> a * b));
      ObjectNode node = header.putObject(e.getKey()).put("dtype", "BF16");
      Arrays.stream(e.getValue()).forEach(node.putArray("shape")::add);
      node.putArray("data_offsets").add(at).add(at + bytes);
      at += bytes;
    }
    byte[] json = utf8(header.toString());
    ByteBuffer out = ByteBuffer.allocate(8 + json.length + at).order(ByteOrder.LITTLE_ENDIAN);
    return out.putLong(json.length).put(json).array();
  }

  private static String llamaConfig() {
    return """
    {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 300,
     "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2,
     "num_key_value_heads": 2, "intermediate_size": 16, "max_position_embeddings": 64,
     "rms_norm_eps": 1e-5, "tie_word_embeddings": false, "bos_token_id": 297,
     "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0}}
    """;
  }

  private static String llavaConfig() {
    return """
    {"architectures": ["LlavaForConditionalGeneration"], "model_type": "llava",
     "vision_feature_layer": -2, "text_config": {"model_type": "llama", "vocab_size": 300,
       "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2,
       "intermediate_size": 16, "rope_theta": 10000.0},
     "vision_config": {"model_type": "clip_vision_model", "hidden_size": 8,
       "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 16,
       "image_size": 4, "patch_size": 2}}
    """;
  }

  private static String bpe() {
    ObjectNode root = JSON.createObjectNode();
    root.putArray("added_tokens")
        .addObject()
        .put("id", 297)
        .put("content", "<s>")
        .put("special", true);
    ObjectNode pre = root.putObject("pre_tokenizer").put("type", "Sequence");
    var steps = pre.putArray("pretokenizers");
    steps.addObject().put("type", "Digits").put("individual_digits", true);
    steps.addObject().put("type", "ByteLevel").put("add_prefix_space", false);
    ObjectNode post = root.putObject("post_processor").put("type", "TemplateProcessing");
    var single = post.putArray("single");
    single.addObject().putObject("SpecialToken").put("id", "<s>");
    single.addObject().putObject("Sequence").put("id", "A");
    ObjectNode model = root.putObject("model").put("type", "BPE");
    ObjectNode vocab = model.putObject("vocab");
    for (int i = 0; i < 40; i++) {
      vocab.put(Character.toString('!' + i), i);
    }
    model.putArray("merges").addArray().add("!").add("!");
    return root.toString();
  }

  private static byte[] sentencePiece() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (int i = 0; i < 290; i++) {
      String text = i == 0 ? "<unk>" : i < 257 ? "<0x%02X>".formatted(i - 1) : "\u2581t" + i;
      byte[] utf8 = utf8(text);
      ByteBuffer piece = ByteBuffer.allocate(9 + utf8.length).order(ByteOrder.LITTLE_ENDIAN);
      piece.put((byte) 0x0a).put((byte) utf8.length).put(utf8);
      piece.put((byte) 0x15).putFloat(-i);
      piece.put((byte) 0x18).put((byte) (i == 0 ? 2 : i < 257 ? 6 : 1));
      out.write(0x0a);
      out.write(piece.position());
      out.write(piece.array(), 0, piece.position());
    }
    out.writeBytes(new byte[] {0x12, 2, 0x18, 2}); // the trainer's part: a BPE
    return out.toByteArray();
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
