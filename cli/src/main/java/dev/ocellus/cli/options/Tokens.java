package dev.ocellus.cli.options;

import dev.ocellus.gguf.GgufFile;
import dev.ocellus.llama.LlamaModel;
import dev.ocellus.llama.Vocab;
import dev.ocellus.vlm.model.ModelKind;
import dev.ocellus.vlm.model.ModelRegistry;
import dev.ocellus.vlm.model.TextVocabulary;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Set;

/** The tokens of any model that reads texts. */
public abstract sealed class Tokens implements AutoCloseable {
  /** Kinds whose texts libllama does not read. */
  private static final Set<ModelKind> OF_ONE_FILE =
      EnumSet.of(
          ModelKind.DUAL_ENCODER,
          ModelKind.CAPTIONER,
          ModelKind.QUESTION_ANSWERER,
          ModelKind.MATCHER);

  private Tokens() {}

  /** Opens the vocabulary of a file; its weights are not read. */
  public static Tokens open(Path path) throws IOException {
    try (GgufFile file = GgufFile.open(path)) {
      if (OF_ONE_FILE.contains(ModelKind.of(file.metadata()))) {
        return new OfOneFile(TextVocabulary.of(file.metadata()));
      }
      ModelRegistry.require(file, ModelKind.TEXT);
    }
    return new OfTextModel(LlamaModel.loadTokenizer(path));
  }

  public abstract int[] encode(String text, boolean parseSpecial);

  /** What the token stands for; a part of a character shows as U+FFFD. */
  public abstract String piece(int token);

  /** The token as the vocabulary writes it. */
  public abstract String text(int token);

  public abstract boolean isControl(int token);

  @Override
  public abstract void close();

  private static final class OfTextModel extends Tokens {
    private final LlamaModel model;
    private final Vocab vocab;

    OfTextModel(LlamaModel model) {
      this.model = model;
      vocab = model.vocab();
    }

    @Override
    public int[] encode(String text, boolean parseSpecial) {
      return vocab.tokenize(text, parseSpecial);
    }

    @Override
    public String piece(int token) {
      return new String(vocab.piece(token, true), StandardCharsets.UTF_8);
    }

    @Override
    public String text(int token) {
      return vocab.text(token);
    }

    @Override
    public boolean isControl(int token) {
      return vocab.isControl(token);
    }

    @Override
    public void close() {
      model.close();
    }
  }

  private static final class OfOneFile extends Tokens {
    private final TextVocabulary vocabulary;

    OfOneFile(TextVocabulary vocabulary) {
      this.vocabulary = vocabulary;
    }

    @Override
    public int[] encode(String text, boolean parseSpecial) {
      return vocabulary.encode(text);
    }

    @Override
    public String piece(int token) {
      return vocabulary.token(token);
    }

    @Override
    public String text(int token) {
      return vocabulary.token(token);
    }

    @Override
    public boolean isControl(int token) {
      return vocabulary.isControl(token);
    }

    @Override
    public void close() {
      // metadata alone, of a file that is closed
    }
  }
}
