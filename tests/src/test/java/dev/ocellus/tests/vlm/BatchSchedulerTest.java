package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.ggml.CancellationFlag;
import dev.ocellus.ggml.MatMul;
import dev.ocellus.ggml.MatMulObserver;
import dev.ocellus.llama.LlamaContext;
import dev.ocellus.llama.LlamaModel;
import dev.ocellus.llama.ModelOptions;
import dev.ocellus.vlm.decode.BatchScheduler;
import dev.ocellus.vlm.decode.BatchedSequence;
import dev.ocellus.vlm.decode.PrefixSharing;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What goes wrong on the thread that decodes for several sessions. */
@Timeout(60)
class BatchSchedulerTest {
  private static final int[] TOKENS = {1, 2, 3, 4};
  private static final Error ERROR = new OutOfMemoryError("of the decode thread");
  private static final CancellationFlag NEVER = new CancellationFlag();

  /** Throws on the decode thread when told to. */
  private static MatMulObserver observer(AtomicBoolean fails) {
    return new MatMulObserver() {
      @Override
      public boolean wants(MatMul matMul) {
        if (fails.get()) {
          throw ERROR;
        }
        return false;
      }

      @Override
      public void observe(MatMul matMul) {}
    };
  }

  @Test
  void tellsWhoWaitsOfAnErrorAndGoesOn() throws IOException {
    AtomicBoolean fails = new AtomicBoolean();
    try (LlamaModel model = LlamaModel.load(Golden.TEXT, ModelOptions.defaults());
        LlamaContext context =
            model.newContext(Golden.context(128).withSequences(2), true, observer(fails));
        var scheduler = new BatchScheduler(context)) {
      var sharing = new PrefixSharing(context);
      try (var first = new BatchedSequence(context, scheduler, sharing, 0, 64);
          var second = new BatchedSequence(context, scheduler, sharing, 1, 64)) {
        first.tokens(TOKENS, 0, TOKENS.length, 0, 1, NEVER);
        float[] expected = first.logits(0).clone();

        fails.set(true);
        assertThatThrownBy(() -> second.tokens(TOKENS, 0, TOKENS.length, 0, 1, NEVER))
            .isSameAs(ERROR);

        fails.set(false);
        second.removeFrom(0);
        second.tokens(TOKENS, 0, TOKENS.length, 0, 1, NEVER);
        assertThat(second.logits(0)).isEqualTo(expected);
      }
    }
  }
}
