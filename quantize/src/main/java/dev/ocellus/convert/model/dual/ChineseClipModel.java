package dev.ocellus.convert.model.dual;

import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.NameTable;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.convert.tokenizer.TokenizerConverter;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** Chinese-CLIP (arXiv:2211.01335) as {@code ChineseCLIPModel} of transformers holds it. */
public final class ChineseClipModel extends ClipModel {
  static final NameTable NAMES =
      TOWER.with(
          "visual_projection visual_projection",
          "text_projection text_projection",
          "text.embeddings.word_embeddings t.token_embd",
          "text.embeddings.position_embeddings t.position_embd",
          "text.embeddings.LayerNorm t.embd_ln",
          "text.encoder.layer.#.attention.self.query t.blk.#.attn_q",
          "text.encoder.layer.#.attention.self.key t.blk.#.attn_k",
          "text.encoder.layer.#.attention.self.value t.blk.#.attn_v",
          "text.encoder.layer.#.attention.output.dense t.blk.#.attn_out",
          "text.encoder.layer.#.attention.output.LayerNorm t.blk.#.attn_ln",
          "text.encoder.layer.#.intermediate.dense t.blk.#.ffn_up",
          "text.encoder.layer.#.output.dense t.blk.#.ffn_down",
          "text.encoder.layer.#.output.LayerNorm t.blk.#.ffn_ln");

  static final String TYPES = "text.embeddings.token_type_embeddings.weight";

  public ChineseClipModel(Context context) throws IOException {
    super(context, "chinese_clip_vision_model", "chinese_clip_text_model");
  }

  @Override
  protected String projector() {
    return "chinese_clip";
  }

  @Override
  protected void more(GgufWriter out) {
    requireSquareCrop();
  }

  /** A pooler that some checkpoints hold is not used. */
  @Override
  protected Optional<String> own(String name) {
    return super.own(name)
        .filter(n -> !n.startsWith("text.pooler.") && !n.endsWith("token_type_ids"));
  }

  @Override
  protected List<TargetTensor> map(String name, LazyTensor tensor) {
    if (name.equals(TYPES)) {
      return List.of(firstType(tensor));
    }
    return named(NAMES, name, tensor);
  }

  /** All tokens of a text are of the first type. */
  static TargetTensor firstType(LazyTensor types) {
    return new TargetTensor("t.token_types.weight", types.slice(0, 1).reshape(types.size(1)));
  }

  @Override
  public void tokenizer(GgufWriter out) throws IOException {
    new TokenizerConverter(context.folder(), text.integer("vocab_size"), null).writeWordPiece(out);
  }
}
