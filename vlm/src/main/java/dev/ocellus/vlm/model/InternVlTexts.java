package dev.ocellus.vlm.model;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.fusion.TextFormat;
import dev.ocellus.vlm.fusion.TextIds;
import dev.ocellus.vlm.model.tower.QLlama;
import dev.ocellus.vlm.nn.AttentionMask;
import dev.ocellus.vlm.nn.Projection;
import dev.ocellus.vlm.tokenizer.LlamaTokenizer;
import dev.ocellus.vlm.vision.ConfigReader;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Texts of InternVL 1.0: between the tokens that begin and end them, behind {@code
 * clip.text.prefix} where they are encoded for themselves. A caption is asked for by {@code
 * clip.text.caption_prompt}, or by another prompt in its place, which is no part of it.
 *
 * <p>The references are {@code InternVLTokenizer} of <a
 * href="https://github.com/OpenGVLab/InternVL/blob/v1.0/clip_benchmark/clip_benchmark/models/internvl_huggingface/__init__.py">internvl_huggingface</a>,
 * {@code FlickrDataset} of <a
 * href="https://github.com/OpenGVLab/InternVL/blob/v1.0/internvl_g/internvl/train/dataset.py">dataset.py</a>,
 * whose texts for matching have no prefix, and <a
 * href="https://github.com/OpenGVLab/InternVL/blob/v1.0/internvl_g/eval/evaluate_caption.py">evaluate_caption.py</a>.
 *
 * @param contextLength most tokens of a text
 */
record InternVlTexts(LlamaTokenizer tokenizer, String prefix, String prompt, int contextLength)
    implements TextFormat {
  private static final int MAX_TOKENS = 1 << 12;

  /** Tokens at the ends of a text. */
  private static final int N_ENDS = 2;

  /** Of texts that are encoded, as long as the file says. */
  static InternVlTexts of(GgufMetadata metadata, QLlama language) {
    var c = new ConfigReader(metadata, "clip.text.");
    return of(metadata, language, c.integer("context_length", N_ENDS, MAX_TOKENS));
  }

  /** Of captions, of any length. */
  static InternVlTexts of(GgufMetadata metadata, QLlama language, int contextLength) {
    String kind = metadata.string("tokenizer.ggml.model", "clip");
    if (!kind.equals("llama")) {
      throw new ConfigReader(metadata, "tokenizer.ggml.").invalid("model", "llama", kind);
    }
    LlamaTokenizer tokenizer = LlamaTokenizer.of(metadata);
    DualConfig.requireRows(tokenizer, language.nTokens());
    return new InternVlTexts(
        tokenizer,
        metadata.string("clip.text.prefix", ""),
        metadata.string("clip.text.caption_prompt", "English caption:"),
        contextLength);
  }

  @Override
  public TextIds whole(String text) {
    int[] words = encode(text);
    int n = Math.min(words.length, contextLength - N_ENDS);
    int[] ids = new int[n + N_ENDS];
    ids[0] = tokenizer.bos();
    System.arraycopy(words, 0, ids, 1, n);
    ids[n + 1] = end();
    return new TextIds(ids, words.length - n);
  }

  @Override
  public TextIds alone(String text) {
    return whole(prefix + text);
  }

  @Override
  public TextIds beginning(String asked) {
    TextIds whole = whole(asked.isEmpty() ? prompt : asked);
    int[] ids = whole.ids();
    return new TextIds(Arrays.copyOf(ids, ids.length - 1), whole.nDropped());
  }

  @Override
  public String shown(int[] beginning) {
    return "";
  }

  @Override
  public int size() {
    return tokenizer.size();
  }

  @Override
  public int end() {
    return tokenizer.eos();
  }

  @Override
  public String piece(int id, boolean first) {
    return new String(bytes(id, first), StandardCharsets.UTF_8);
  }

  @Override
  public byte[] bytes(int id, boolean first) {
    return tokenizer.bytes(id, first);
  }

  @Override
  public String token(int id) {
    return tokenizer.token(id);
  }

  @Override
  public int[] encode(String text) {
    return tokenizer.encode(text);
  }

  /** QLLaMA over texts alone: the state of the end token, projected. */
  record Vectors(QLlama language, Projection projection) {
    static Vectors of(Weights weights, QLlama language, int dimension) {
      return new Vectors(
          language, Projection.of(weights.at("text_projection"), language.width(), dimension));
    }

    /**
     * Vectors of any length, [dimension, batch].
     *
     * @param ids [n · batch] of texts of n tokens with padding
     * @param ends the row of each end token
     */
    Tensor forward(QLlama.Tables graph, Tensor ids, Tensor ends, int n) {
      var causal = AttentionMask.of(graph.table("causal", AttentionMask.causal(n), n, n));
      Tensor x = language.embed(ids).reshape(language.width(), n, ids.size(0) / n);
      x = language.forward(graph, x, causal, null).named("text.last_hidden");
      Tensor pooled = x.reshape(x.size(0), ids.size(0)).getRows(ends).named("text.pooled");
      return projection.forward(pooled).named("text.features");
    }
  }
}
