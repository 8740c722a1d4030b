package dev.ocellus.convert.model;

import dev.ocellus.convert.common.OutputType;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.TextModel;
import dev.ocellus.convert.tokenizer.TokenizerConverter;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;

/** The language model of PaddleOCR-VL: ERNIE 4.5 (arXiv:2510.14528) with 3D positions. */
final class PaddleOcrText extends TextModel {
  /** Where the configuration does not say. */
  private static final int[] USUAL_SECTIONS = {16, 24, 24, 0};

  PaddleOcrText(Context context) {
    super(context);
    if (config.flag("use_bias", false)) {
      throw config.invalid("use_bias", "false, as libllama computes none", "true");
    }
  }

  @Override
  public String architecture() {
    return "paddleocr";
  }

  /** The class ties them where a configuration has no section for the text, whatever it says. */
  @Override
  protected boolean tiesEmbeddings() {
    return context.folder().config().findSection("text_config", "").isEmpty()
        || super.tiesEmbeddings();
  }

  /** Its files say whether a space goes in front of a text, as Llama's do. */
  @Override
  public void tokenizer(GgufWriter out) throws IOException {
    new TokenizerConverter(context.folder(), nVocab(), context.preTokenizer()).writeLlama(out);
  }

  @Override
  public void parameters(GgufWriter out, OutputType type) {
    super.parameters(out, type);
    if (!rope.hasSections()) {
      out.ints("paddleocr.rope.dimension_sections", USUAL_SECTIONS);
    }
  }
}
