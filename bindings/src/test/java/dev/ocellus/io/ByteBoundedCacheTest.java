package dev.ocellus.io;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ByteBoundedCacheTest {
  private final ByteBoundedCache<String, byte[]> cache =
      new ByteBoundedCache<>(10, bytes -> bytes.length);

  @Test
  void keepsWhatWasUsedLast() {
    cache.put("a", new byte[4]);
    cache.put("b", new byte[4]);
    assertThat(cache.find("a")).hasSize(4);
    cache.put("c", new byte[4]);
    assertThat(cache.find("b")).isNull();
    assertThat(cache.find("a")).isNotNull();
    assertThat(cache.find("c")).isNotNull();
    assertThat(cache.bytes()).isEqualTo(8);
  }

  @Test
  void countsAValueThatIsReplacedOnce() {
    cache.put("a", new byte[4]);
    cache.put("a", new byte[9]);
    assertThat(cache.bytes()).isEqualTo(9);
    cache.put("a", new byte[1]);
    assertThat(cache.bytes()).isEqualTo(1);
  }

  @Test
  void leavesWhatIsThereForWhatNeverFits() {
    cache.put("a", new byte[4]);
    cache.put("b", new byte[11]);
    assertThat(cache.find("b")).isNull();
    assertThat(cache.find("a")).isNotNull();
  }

  @Test
  void isEmptyWhenCleared() {
    cache.put("a", new byte[4]);
    cache.clear();
    assertThat(cache.find("a")).isNull();
    assertThat(cache.bytes()).isZero();
    cache.put("b", new byte[10]);
    assertThat(cache.bytes()).isEqualTo(10);
  }
}
