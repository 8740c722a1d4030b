package dev.ocellus.vlm.grammar;

import dev.ocellus.llama.LlamaModel;
import dev.ocellus.llama.Vocab;
import java.io.IOException;
import java.nio.file.Path;

/** The vocabulary of Phi-3: 32,064 tokens, among them one for each byte. */
public final class TestVocabulary implements AutoCloseable {
  private final LlamaModel model;

  private TestVocabulary(LlamaModel model) {
    this.model = model;
  }

  public static TestVocabulary open() throws IOException {
    return open(Path.of("src/test/resources/vocab/phi-3.gguf"));
  }

  public static TestVocabulary open(Path file) throws IOException {
    return new TestVocabulary(LlamaModel.loadVocabulary(file));
  }

  public Vocab vocab() {
    return model.vocab();
  }

  public GrammarVocabulary tokens() {
    Vocab vocab = vocab();
    return new GrammarVocabulary(
        vocab.nTokens(), token -> vocab.piece(token, false), vocab::isEndOfGeneration);
  }

  @Override
  public void close() {
    model.close();
  }
}
