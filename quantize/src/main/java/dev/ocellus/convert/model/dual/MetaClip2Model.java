package dev.ocellus.convert.model.dual;

import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.tokenizer.TokenizerConverter;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;

/**
 * MetaCLIP 2 (arXiv:2507.22062) as {@code MetaClip2Model} of transformers holds it: CLIP for texts
 * of all languages, with XLM-V's tokenizer, whose end token speaks for a text whatever its id.
 */
public final class MetaClip2Model extends ClipModel {
  public MetaClip2Model(Context context) throws IOException {
    super(context, "metaclip_2_vision_model", "metaclip_2_text_model");
  }

  @Override
  protected void more(GgufWriter out) {
    requireSquareCrop();
    out.string("clip.text.pooling", "eos");
    out.u32("clip.text.eos_token_id", text.integer("eos_token_id"));
  }

  @Override
  public void tokenizer(GgufWriter out) throws IOException {
    new TokenizerConverter(context.folder(), text.integer("vocab_size"), null).writeDual(out);
  }
}
