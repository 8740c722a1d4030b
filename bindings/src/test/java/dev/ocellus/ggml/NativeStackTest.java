package dev.ocellus.ggml;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class NativeStackTest {
  @Test
  void waitsThoughInterruptedAndSaysSoAfterwards() {
    Thread waiting = Thread.currentThread();
    var cameBack = new AtomicBoolean();
    Thread other =
        Thread.ofPlatform()
            .start(() -> {
              while (waiting.getState() != Thread.State.WAITING && !cameBack.get()) {
                Thread.onSpinWait();
              }
            });
    waiting.interrupt();
    NativeStack.waitFor(other);
    boolean ended = !other.isAlive();
    cameBack.set(true);
    assertThat(Thread.interrupted()).isTrue();
    assertThat(ended).isTrue();
  }
}
