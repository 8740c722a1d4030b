package dev.ocellus.convert.model.caption;

import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.tokenizer.WordPieceVocabulary;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;

/**
 * InstructBLIP (arXiv:2305.06500): BLIP-2 with a tokenizer of its own for the Q-Former, in the
 * folder {@code qformer_tokenizer}.
 */
public final class InstructBlipVision extends Blip2Vision {
  public InstructBlipVision(Context context) throws IOException {
    super(context, "instructblip_vision_model", "instructblip_qformer");
  }

  @Override
  protected String projector() {
    return "instructblip";
  }

  @Override
  public void tokenizer(GgufWriter out) throws IOException {
    new WordPieceVocabulary(
            context.folder().file("qformer_tokenizer"), queries.integer("vocab_size"))
        .write(out);
  }
}
