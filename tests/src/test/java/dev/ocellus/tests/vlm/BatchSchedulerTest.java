package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.ggml.MatMul;
import dev.ocellus.ggml.MatMulObserver;
import dev.ocellus.llama.LlamaModel;
import dev.ocellus.llama.ModelOptions;
import dev.ocellus.vlm.decode.KvSequence;
import dev.ocellus.vlm.decode.LlamaDecoder;
import dev.ocellus.vlm.decode.SequencePool;
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
    try (var decoder = new LlamaDecoder(LlamaModel.load(Golden.TEXT, ModelOptions.defaults()));
        SequencePool pool = decoder.newPool(2, Golden.context(64), observer(fails))) {
      KvSequence first = pool.sequences().get(0);
      KvSequence second = pool.sequences().get(1);
      first.decodeTokens(TOKENS, 0, TOKENS.length, 0, 1, NEVER);
      float[] expected = first.logits(0).clone();

      fails.set(true);
      assertThatThrownBy(() -> second.decodeTokens(TOKENS, 0, TOKENS.length, 0, 1, NEVER))
          .isSameAs(ERROR);

      fails.set(false);
      second.removeFrom(0);
      second.decodeTokens(TOKENS, 0, TOKENS.length, 0, 1, NEVER);
      assertThat(second.logits(0)).isEqualTo(expected);
    }
  }
}
