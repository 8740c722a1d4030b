package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.llama.Batch;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.llama.HiddenStates;
import dev.ocellus.llama.LlamaContext;
import dev.ocellus.llama.LlamaModel;
import dev.ocellus.llama.ModelOptions;
import dev.ocellus.vlm.DemoModel;
import java.io.IOException;
import org.junit.jupiter.api.Test;

/** A context that ends behind the last norm has the same hidden states, and no logits. */
class HeadlessContextTest {
  private static final ContextOptions OPTIONS =
      ContextOptions.defaults().withContext(64).withSequences(2).withThreads(1, 1);

  private record Computed(float[] hidden, float[] logits) {}

  private static Computed computed(LlamaModel model, LlamaContext context) {
    HiddenStates states = new HiddenStates(context);
    states.keep(true);
    float[] hidden = new float[2 * states.width()];
    float[] logits = new float[model.vocab().nTokens()];
    try (Batch batch = Batch.ofTokens(2)) {
      for (int i = 0; i < 3; i++) {
        batch.clear();
        batch.add(5 + i, i, 0, true);
        batch.add(9 - i, i, 1, true);
        context.decode(batch, new CancellationFlag());
      }
    }
    states.row(0, hidden, 0);
    states.row(1, hidden, states.width());
    context.logits(0, logits);
    return new Computed(hidden, logits);
  }

  @Test
  void endsBehindTheLastNorm() throws IOException {
    try (LlamaModel model =
        LlamaModel.load(DemoModel.files().model(), ModelOptions.defaults().withGpuLayers(0))) {
      Computed whole;
      Computed headless;
      try (LlamaContext context = model.newContext(OPTIONS, false, null)) {
        whole = computed(model, context);
      }
      try (LlamaContext context = model.newHeadlessContext(OPTIONS)) {
        headless = computed(model, context);
      }
      assertThat(headless.hidden()).isEqualTo(whole.hidden());
      assertThat(headless.logits()).isNotEqualTo(whole.logits());
    }
  }
}
