package dev.ocellus.tests.synthetic;

import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.gguf.TensorType;
import java.util.Map;

/** Sizes of a Qwen2 text model (arXiv:2407.10671), whose output matrix is its embedding matrix. */
record TextPreset(
    int nLayer, int nEmbd, int nHead, int nHeadKv, int nFf, int nVocab, int nCtxTrain) {
  /** {@code 0.5b} is Qwen2-0.5B's shape; {@code wide} has its vocabulary and next to no layers. */
  static final Map<String, TextPreset> BY_NAME =
      Map.of(
          "0.5b", new TextPreset(24, 896, 14, 2, 4864, 151_936, 32_768),
          "wide", new TextPreset(1, 64, 4, 2, 128, 151_936, 2048),
          "tiny", new TextPreset(2, 64, 4, 2, 128, 512, 2048));

  GgufWriter model(TensorType type, long seed) {
    var writer = new GgufWriter();
    writer
        .string("general.architecture", "qwen2")
        .string("general.name", "synthetic")
        .string("general.description", "random weights, for benchmarks")
        .u32("general.file_type", FileType.of(type))
        .u32("qwen2.context_length", nCtxTrain)
        .u32("qwen2.embedding_length", nEmbd)
        .u32("qwen2.block_count", nLayer)
        .u32("qwen2.feed_forward_length", nFf)
        .u32("qwen2.attention.head_count", nHead)
        .u32("qwen2.attention.head_count_kv", nHeadKv)
        .f32("qwen2.attention.layer_norm_rms_epsilon", 1e-6f)
        .f32("qwen2.rope.freq_base", 1e6f);
    new SyntheticTokenizer(nVocab).addTo(writer);
    int nKv = nEmbd / nHead * nHeadKv;
    var random = new RandomTensors(writer, type, seed);
    random.matrix("token_embd.weight", nEmbd, nVocab);
    random.ones("output_norm.weight", nEmbd);
    for (int i = 0; i < nLayer; i++) {
      String block = "blk." + i + ".";
      random.ones(block + "attn_norm.weight", nEmbd);
      random.matrix(block + "attn_q.weight", nEmbd, nEmbd);
      random.vector(block + "attn_q.bias", nEmbd);
      random.matrix(block + "attn_k.weight", nEmbd, nKv);
      random.vector(block + "attn_k.bias", nKv);
      random.matrix(block + "attn_v.weight", nEmbd, nKv);
      random.vector(block + "attn_v.bias", nKv);
      random.matrix(block + "attn_output.weight", nEmbd, nEmbd);
      random.ones(block + "ffn_norm.weight", nEmbd);
      random.matrix(block + "ffn_gate.weight", nEmbd, nFf);
      random.matrix(block + "ffn_up.weight", nEmbd, nFf);
      random.matrix(block + "ffn_down.weight", nFf, nEmbd);
    }
    return writer;
  }
}
