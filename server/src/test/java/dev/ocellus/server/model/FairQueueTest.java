package dev.ocellus.server.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class FairQueueTest {
  @Test
  void clientsTakeTurns() {
    FairQueue<String> queue = new FairQueue<>(100, 100);
    for (int i = 0; i < 4; i++) {
      queue.offer("greedy", "g" + i);
    }
    queue.offer("modest", "m0");
    queue.offer("other", "o0");
    queue.offer("modest", "m1");
    List<String> order = new ArrayList<>();
    while (queue.size() > 0) {
      order.add(queue.take());
    }
    assertThat(order).containsExactly("g0", "m0", "o0", "g1", "m1", "g2", "g3");
  }

  @Test
  void isBounded() {
    FairQueue<String> queue = new FairQueue<>(3, 2);
    assertThat(queue.offer("a", "1")).isTrue();
    assertThat(queue.offer("a", "2")).isTrue();
    assertThat(queue.offer("a", "3")).isFalse();
    assertThat(queue.offer("b", "4")).isTrue();
    assertThat(queue.offer("c", "5")).isFalse();
    assertThat(queue.remove("a", "1")).isTrue();
    assertThat(queue.remove("a", "1")).isFalse();
    assertThat(queue.offer("c", "5")).isTrue();
  }

  @Test
  void givesOutWhatIsThereWhenClosed() {
    FairQueue<String> queue = new FairQueue<>(3, 3);
    queue.offer("a", "1");
    queue.close();
    assertThat(queue.offer("a", "2")).isFalse();
    assertThat(queue.take()).isEqualTo("1");
    assertThat(queue.take()).isNull();
  }
}
