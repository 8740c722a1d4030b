package dev.ocellus.ggml;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class NativeObjectTest {
  /** One whose closing waits for a computation. */
  private static final class Computing extends NativeObject {
    final CountDownLatch isClosing = new CountDownLatch(1);
    final CountDownLatch computed = new CountDownLatch(1);
    final AtomicInteger closings = new AtomicInteger();

    @Override
    protected void beforeClose() {
      closings.incrementAndGet();
      isClosing.countDown();
      try {
        computed.await();
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
      close(); // by what it waited for; comes back at once
    }

    void use() {
      requireOpen();
    }
  }

  /**
   * The second one used to come back at once, and to free what the running computation was using.
   */
  @Test
  void everyoneWhoClosesComesBackWhenItIsClosed() throws InterruptedException {
    Computing object = new Computing();
    Thread first = Thread.ofPlatform().start(object::close);
    object.isClosing.await();
    assertThatThrownBy(object::use).isInstanceOf(IllegalStateException.class);
    List<Thread> others = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      others.add(Thread.ofPlatform().start(object::close));
    }
    for (Thread other : others) {
      while (other.getState() != Thread.State.WAITING) {
        assertThat(other.getState()).isNotEqualTo(Thread.State.TERMINATED);
        Thread.onSpinWait();
      }
    }
    object.computed.countDown();
    first.join();
    for (Thread other : others) {
      other.join();
    }
    assertThat(object.closings).hasValue(1);
    assertThat(object.isClosed()).isTrue();
  }
}
