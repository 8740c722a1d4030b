package dev.ocellus.hub;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.LongBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A process that is killed in the middle of a pull, and the next one, which goes on. */
final class KilledPullTest {
  private static final int PARTS = 6;
  private static final int PART = 8 << 20;

  @TempDir Path folder;

  /** Pulls, in a process of its own: endpoint, home. */
  static final class Puller {
    private Puller() {}

    public static void main(String[] args) throws Exception {
      try (ModelHub hub = ModelHub.open(settings(args[0], Path.of(args[1])))) {
        hub.get("hf://org/repo", PullListener.NONE);
      }
    }
  }

  private static HubSettings settings(String endpoint, Path home) {
    return HubSettings.from(Map.of("HF_ENDPOINT", endpoint), home);
  }

  @Test
  void theNextPullFetchesOnlyTheRest() throws Exception {
    byte[] weights = PullFixture.random(PARTS * PART, 4);
    CountDownLatch half = new CountDownLatch(1);
    CountDownLatch killed = new CountDownLatch(1);
    AtomicInteger requests = new AtomicInteger();
    try (TestHub hub = new TestHub()) {
      hub.files.put("model.gguf", weights);
      hub.storeTrick =
          exchange -> {
            if (requests.incrementAndGet() <= PARTS / 2) {
              return false;
            }
            TestHub.cut(exchange, weights, PART / 2);
            half.countDown();
            await(killed);
            return true;
          };
      Process process = start(hub);
      await(half);
      awaitBytes(3L * PART + PART / 4);
      process.destroyForcibly().waitFor();
      killed.countDown();
      long there = bytes();
      assertThat(folder.resolve(".cache/huggingface/hub/models--org--repo/snapshots"))
          .doesNotExist();

      hub.storeTrick = exchange -> false;
      hub.fetched.clear();
      try (ModelHub again = ModelHub.open(settings(hub.address().toString(), folder))) {
        ModelFiles files = again.get("hf://org/repo", PullListener.NONE);
        assertThat(Files.readAllBytes(files.model())).isEqualTo(weights);
      }
      assertThat(hub.fetched.stream().mapToLong(KilledPullTest::length).sum())
          .isEqualTo(weights.length - there);
    }
  }

  /** Bytes that a request asks for. */
  private static long length(String request) {
    String[] range = request.replaceFirst(".*bytes=", "").split("-");
    return Long.parseLong(range[1]) - Long.parseLong(range[0]) + 1;
  }

  private Process start(TestHub hub) throws Exception {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-cp",
            System.getProperty("java.class.path"),
            Puller.class.getName(),
            hub.address().toString(),
            folder.toString())
        .inheritIO()
        .start();
  }

  /** Until the record of the parts says that so much is there. */
  private void awaitBytes(long n) throws Exception {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (bytes() < n) {
      assertThat(System.nanoTime()).as("the pull did not come so far").isLessThan(end);
      Thread.onSpinWait();
    }
  }

  /** What the record of the parts says. */
  private long bytes() throws IOException {
    Path blobs = folder.resolve(".cache/huggingface/hub/models--org--repo/blobs");
    try (Stream<Path> all = Files.list(blobs)) {
      Path state = all.filter(p -> p.toString().endsWith(".state")).findFirst().orElseThrow();
      LongBuffer marks = ByteBuffer.wrap(Files.readAllBytes(state)).asLongBuffer();
      long sum = 0;
      for (int i = 3; i < marks.limit(); i++) {
        sum += marks.get(i);
      }
      return sum;
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(120, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
