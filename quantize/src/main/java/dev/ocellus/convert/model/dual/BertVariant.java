package dev.ocellus.convert.model.dual;

import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.hf.HfConfig;
import dev.ocellus.convert.hf.HfFolder;
import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.convert.tokenizer.TokenizerConverter;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.util.List;

/**
 * A BERT, RoBERTa or XLM-RoBERTa as a text encoder. The last two count positions from behind the
 * padding token's id on; the rows before are left out, and positions count from 0 in every file.
 */
final class BertVariant {
  /** {@code model_type} of those that are known. */
  static final List<String> KNOWN = List.of("bert", "roberta", "xlm-roberta");

  private static final String POSITIONS = "text.embeddings.position_embeddings.weight";

  private final HfConfig config;
  private final boolean isBert;

  BertVariant(HfConfig config) {
    this.config = config;
    isBert = config.findString("model_type").orElse("bert").equals("bert");
    String kind = config.findString("position_embedding_type").orElse("absolute");
    if (!kind.equals("absolute")) {
      throw config.invalid("position_embedding_type", "absolute", "'" + kind + "'");
    }
  }

  private int skipped() {
    return isBert ? 0 : config.integerOr("pad_token_id", 1) + 1;
  }

  /** Most tokens of a text. */
  int contextLength() {
    int rows = config.integer("max_position_embeddings");
    if (rows <= skipped()) {
      throw config.invalid(
          "max_position_embeddings", "more than the %d in front".formatted(skipped()), "" + rows);
    }
    return rows - skipped();
  }

  /**
   * What becomes of a tensor whose name begins with {@code text.}.
   *
   * @param contextLength positions to keep
   */
  TargetTensor target(String name, String gguf, LazyTensor tensor, int contextLength) {
    if (!name.equals(POSITIONS)) {
      return new TargetTensor(gguf, tensor);
    }
    if (tensor.rank() != 2 || tensor.size(0) < skipped() + contextLength) {
      throw new ConversionException(
          "Tensor %s: expected rows for at least %d positions. The checkpoint is damaged."
              .formatted(tensor, skipped() + contextLength));
    }
    return new TargetTensor(gguf, tensor.slice(skipped(), (long) skipped() + contextLength));
  }

  void tokenizer(GgufWriter out, HfFolder folder) throws IOException {
    var tokenizer = new TokenizerConverter(folder, config.integer("vocab_size"), null);
    if (isBert) {
      tokenizer.writeWordPiece(out);
    } else {
      tokenizer.writeRoberta(out);
    }
  }
}
