package dev.ocellus.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.gguf.GgufFile;
import dev.ocellus.llama.LlamaModel;
import dev.ocellus.llama.ModelOptions;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A thread that is interrupted is told so, stays so, and spoils nothing for others. */
class InterruptTest {
  private static final Path VOCAB = Path.of("src/test/resources/dev/ocellus/llama/vocab.gguf");

  @AfterEach
  void clear() {
    Thread.interrupted();
  }

  @Test
  void openingAFileSaysThatTheThreadWasInterrupted() throws IOException {
    Thread.currentThread().interrupt();
    assertThatThrownBy(() -> GgufFile.open(VOCAB))
        .isInstanceOf(InterruptedIOException.class)
        .hasMessageContaining("vocab.gguf")
        .hasMessageContaining("the thread was interrupted");
    assertThat(Thread.interrupted()).isTrue();
    GgufFile.open(VOCAB).close();
  }

  @Test
  void loadingAModelDoesToo() throws IOException {
    Thread.currentThread().interrupt();
    assertThatThrownBy(() -> LlamaModel.load(VOCAB, ModelOptions.defaults()))
        .isInstanceOf(InterruptedIOException.class);
    assertThat(Thread.interrupted()).isTrue();
    LlamaModel.loadVocabulary(VOCAB).close();
  }
}
