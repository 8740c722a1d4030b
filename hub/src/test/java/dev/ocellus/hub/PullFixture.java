package dev.ocellus.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import dev.ocellus.hub.HubException.Kind;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** A hub with a small model, and pulls from it in small parts. */
abstract class PullFixture {
  private static final int SMALL_PART = 1000;
  static final String MODEL = "model-Q4_K_M.gguf";

  @TempDir Path folder;
  final TestHub hub = new TestHub();
  final byte[] weights = random(20_000, 1);
  final List<String> notes = new ArrayList<>();
  final List<Duration> waits = new ArrayList<>();

  @BeforeEach
  void files() {
    hub.files.put(MODEL, weights);
    hub.files.put("mmproj-F16.gguf", random(3000, 2));
    hub.files.put("README.md", random(100, 3));
  }

  @AfterEach
  void close() {
    hub.close();
  }

  static byte[] random(int n, long seed) {
    byte[] bytes = new byte[n];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  HubSettings settings() {
    return HubSettings.from(Map.of(), folder)
        .withEndpoint(hub.address())
        .withToken(Optional.of("hf_secret"))
        .withConnections(3, Duration.ofSeconds(5));
  }

  PullListener listener() {
    return new PullListener() {
      @Override
      public boolean progress(String file, long done, long total) {
        return true;
      }

      @Override
      public void note(String text) {
        notes.add(text);
      }
    };
  }

  ModelFiles pull(HubSettings settings) {
    return pull(settings, "org/repo", listener());
  }

  ModelFiles pull(HubSettings settings, String name, PullListener listener) {
    try (Http http = new Http(settings, new Backoff(waits::add))) {
      Download download = new Download(http, settings, listener, SMALL_PART);
      return new HubRepository(http, settings, download, listener)
          .get(HubName.parse(name), PullOptions.defaults());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static void assertFails(ThrowingCallable pull, Kind kind, String... words) {
    assertThatThrownBy(pull)
        .isInstanceOfSatisfying(
            HubException.class, e -> assertThat(e.kind()).as(e.getMessage()).isEqualTo(kind))
        .hasMessageContainingAll(words);
  }

  Path repository() {
    return settings().cache().resolve("models--org--repo");
  }

  /** Names in the blobs folder that are no whole file. */
  List<String> unfinished() throws IOException {
    try (Stream<Path> all = Files.list(repository().resolve("blobs"))) {
      return all.map(p -> p.getFileName().toString()).filter(n -> n.contains(".")).toList();
    }
  }

  byte[] bytes(HttpExchange exchange) {
    return hub.file(exchange.getRequestURI().getPath().substring(1));
  }

  static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(60, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
