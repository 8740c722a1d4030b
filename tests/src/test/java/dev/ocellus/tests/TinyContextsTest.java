package dev.ocellus.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.llama.Batch;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.llama.LlamaContext;
import dev.ocellus.llama.LlamaModel;
import dev.ocellus.llama.ModelOptions;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** Contexts of tiny models: what their memory can do, and what batches they take. */
class TinyContextsTest {
  @TempDir private Path folder;

  /** Recurrent states are those behind the last token. */
  @ParameterizedTest
  @FieldSource("dev.ocellus.tests.TinyTextModel#ARCHITECTURES")
  void onlyRecurrentMemoryCannotForgetItsEnd(String architecture) throws IOException {
    Path file = TinyTextModel.write(folder.resolve("model.gguf"), architecture);
    boolean hybrid = TinyTextModel.HYBRID.contains(architecture);
    try (LlamaModel model = LlamaModel.load(file, ModelOptions.defaults());
        LlamaContext context =
            model.newContext(
                ContextOptions.defaults().withContext(64).withSequences(2).withThreads(1, 1));
        Batch batch = Batch.ofTokens(8)) {
      for (int i = 0; i < 8; i++) {
        batch.add(100 + i, i, 0, i == 7);
      }
      context.decode(batch, new CancellationFlag());
      assertThat(model.canRollBack()).isEqualTo(!hybrid);
      assertThat(model.canSaveState() || !hybrid).isTrue();
      assertThat(context.removeFrom(0, 8)).isTrue(); // nothing
      assertThat(context.removeFrom(0, 5)).isEqualTo(!hybrid);
      if (hybrid) {
        assertThatThrownBy(() -> context.share(0, 1, 5)).isInstanceOf(IllegalStateException.class);
      }
      assertThat(context.removeFrom(0, 0)).isTrue();
    }
  }

  @Test
  void embeddingsNeedAsManyPositionsAsTheModelHasAxes() throws IOException {
    Path file = TinyTextModel.write(folder.resolve("model.gguf"), "qwen2vl");
    try (LlamaModel model = LlamaModel.load(file, ModelOptions.defaults());
        LlamaContext context = model.newContext(ContextOptions.defaults().withContext(64));
        Batch batch = Batch.ofEmbeddings(4, model.nEmbdInput(), 1)) {
      batch.add(new float[model.nEmbdInput()], 0, new int[] {0}, 0, true);
      assertThatIllegalArgumentException()
          .isThrownBy(() -> context.decode(batch, new CancellationFlag()))
          .withMessageContaining("positions");
    }
  }

  @Test
  void aBatchCanBeDecodedAgain() throws IOException {
    Path file = TinyTextModel.write(folder.resolve("model.gguf"), "qwen2vl");
    try (LlamaModel model = LlamaModel.load(file, ModelOptions.defaults());
        LlamaContext context =
            model.newContext(ContextOptions.defaults().withContext(64).withThreads(1, 1));
        Batch batch = Batch.ofEmbeddings(5, model.nEmbdInput(), 4)) {
      float[] rows = new float[4 * model.nEmbdInput()];
      for (int i = 0; i < rows.length; i++) {
        rows[i] = (float) Math.sin(i);
      }
      for (int i = 0; i < 4; i++) {
        batch.add(rows, i, new int[] {i, i / 2, i % 2, 0}, 0, i == 3);
      }
      float[] first = new float[model.vocab().nTokens()];
      float[] second = new float[first.length];
      context.decode(batch, new CancellationFlag());
      context.logits(3, first);
      context.clear();
      context.decode(batch, new CancellationFlag());
      context.logits(3, second);
      assertThat(second).containsExactly(first);
    }
  }
}
