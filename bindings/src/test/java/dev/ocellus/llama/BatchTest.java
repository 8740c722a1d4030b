package dev.ocellus.llama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.ffi.llama_batch;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

class BatchTest {
  @Test
  void staysWhileItIsDecoded() throws InterruptedException {
    Batch batch = Batch.ofTokens(4);
    batch.add(7, 0, 0, true);
    Thread closer = Thread.ofPlatform().unstarted(batch::close);
    int token =
        batch.use(struct -> {
          closer.start();
          while (closer.getState() != Thread.State.WAITING) {
            assertThat(closer.getState()).isNotEqualTo(Thread.State.TERMINATED);
            Thread.onSpinWait();
          }
          return llama_batch.token(struct).reinterpret(4).get(ValueLayout.JAVA_INT, 0);
        });
    assertThat(token).isEqualTo(7);
    closer.join();
    assertThatThrownBy(() -> batch.use(struct -> 0))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("Batch has been closed");
  }
}
