package dev.ocellus.convert.model;

import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.NameTable;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.convert.model.base.TextModel;
import dev.ocellus.convert.tokenizer.TokenizerConverter;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.util.List;

/**
 * InternLM2 (arXiv:2403.17297): Llama with other names, and one matrix for queries, keys and
 * values, group by group: the queries that share a key, the key, the value.
 */
final class InternLm2Text extends TextModel {
  private static final NameTable INTERNLM2_NAMES =
      NameTable.of(
          "model.tok_embeddings token_embd",
          "model.norm output_norm",
          "output output",
          "model.layers.#.attention_norm blk.#.attn_norm",
          "model.layers.#.attention.wo blk.#.attn_output",
          "model.layers.#.ffn_norm blk.#.ffn_norm",
          "model.layers.#.feed_forward.w1 blk.#.ffn_gate",
          "model.layers.#.feed_forward.w2 blk.#.ffn_down",
          "model.layers.#.feed_forward.w3 blk.#.ffn_up",
          "model.layers.#.attention.wqkv blk.#.attn_qkv");

  InternLm2Text(Context context) {
    super(context);
  }

  @Override
  public String architecture() {
    return "internlm2";
  }

  @Override
  protected NameTable names() {
    return INTERNLM2_NAMES;
  }

  @Override
  protected List<TargetTensor> map(String name, LazyTensor tensor) {
    String target = gguf(name);
    if (!target.contains("attn_qkv")) {
      return List.of(new TargetTensor(target, tensor));
    }
    long head = headDim();
    long perGroup = nHead / nHeadKv + 2L;
    if (tensor.rank() != 2 || tensor.size(0) != nHeadKv * perGroup * head) {
      throw new ConversionException(
          "Tensor %s: expected %d rows for %d heads in %d groups. Configuration and tensors are not of one checkpoint."
              .formatted(tensor, nHeadKv * perGroup * head, nHead, nHeadKv));
    }
    long queries = perGroup - 2;
    LazyTensor q =
        heads(tensor, nHead, i -> i / queries * perGroup + i % queries); // head i is that one
    LazyTensor k = heads(tensor, nHeadKv, i -> i * perGroup + queries);
    LazyTensor v = heads(tensor, nHeadKv, i -> i * perGroup + queries + 1);
    return List.of(
        new TargetTensor(target.replace("attn_qkv", "attn_q"), interleaved(q, nHead)),
        new TargetTensor(target.replace("attn_qkv", "attn_k"), interleaved(k, nHeadKv)),
        new TargetTensor(target.replace("attn_qkv", "attn_v"), v));
  }

  private LazyTensor heads(LazyTensor t, int n, java.util.function.LongUnaryOperator source) {
    return t.rearrange(headDim() * t.size(1), source, n * (long) headDim(), t.size(1));
  }

  @Override
  public void tokenizer(GgufWriter out) throws IOException {
    new TokenizerConverter(context.folder(), nVocab(), context.preTokenizer()).writeInternLm2(out);
  }
}
