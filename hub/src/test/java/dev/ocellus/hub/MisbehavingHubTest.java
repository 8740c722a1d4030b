package dev.ocellus.hub;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import dev.ocellus.hub.HubException.Kind;
import dev.ocellus.io.Sha256;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Pulls from a hub that misbehaves in every way. */
final class MisbehavingHubTest extends PullFixture {
  @Test
  void goesOnWhereABrokenConnectionEnded() throws IOException {
    AtomicInteger cuts = new AtomicInteger();
    hub.storeTrick =
        exchange -> {
          if (cuts.getAndIncrement() % 2 == 0) {
            TestHub.cut(exchange, bytes(exchange), 300);
            return true;
          }
          return false;
        };
    assertThat(Files.readAllBytes(pull(settings()).model())).isEqualTo(weights);
    assertThat(hub.fetched).anyMatch(r -> r.matches("/" + MODEL + " bytes=\\d+300-.*"));
  }

  @Test
  void refusesBytesOfAnotherHash() throws IOException {
    byte[] other = random(weights.length, 7);
    hub.storeTrick =
        exchange -> {
          if (exchange.getRequestURI().getPath().endsWith(MODEL)) {
            TestHub.give(exchange, other);
            return true;
          }
          return false;
        };
    assertFails(() -> pull(settings()), Kind.DAMAGED, MODEL, "SHA-256");
    assertThat(unfinished()).isEmpty();
    assertThat(repository().resolve("blobs").resolve(Sha256.hex(weights))).doesNotExist();
  }

  @Test
  void refusesAFileThatHasAnotherSizeNow() {
    byte[] other = random(weights.length + 1, 7);
    hub.storeTrick =
        exchange -> {
          TestHub.give(exchange, other);
          return true;
        };
    assertFails(() -> pull(settings()), Kind.DAMAGED, "20001", "20000");
  }

  @Test
  void refusesARangeThatWasNotAskedFor() {
    hub.storeTrick =
        exchange -> {
          exchange.getResponseHeaders().add("Content-Range", "bytes 5-9/20000");
          exchange.sendResponseHeaders(206, 5);
          exchange.getResponseBody().write(new byte[5]);
          return true;
        };
    assertFails(() -> pull(settings()), Kind.NETWORK, "bytes 5-9/20000");
  }

  @Test
  void takesTheWholeFileFromAServerWithoutRanges() throws IOException {
    AtomicInteger cuts = new AtomicInteger();
    hub.storeTrick =
        exchange -> {
          byte[] bytes = bytes(exchange);
          exchange.sendResponseHeaders(200, bytes.length);
          boolean cut = bytes.length > 5000 && cuts.incrementAndGet() == 2;
          exchange.getResponseBody().write(bytes, 0, cut ? 100 : bytes.length);
          return true;
        };
    assertThat(
            Files.readAllBytes(pull(settings().withConnections(1, Duration.ofSeconds(5))).model()))
        .isEqualTo(weights);
  }

  @Test
  void waitsAsLongAsTheServerAsks() {
    AtomicInteger requests = new AtomicInteger();
    hub.apiTrick =
        exchange -> {
          if (requests.incrementAndGet() > 2) {
            return false;
          }
          exchange.getResponseHeaders().add("Retry-After", "7");
          TestHub.status(exchange, 429);
          return true;
        };
    pull(settings());
    assertThat(waits).startsWith(Duration.ofSeconds(7), Duration.ofSeconds(7));
  }

  @Test
  void givesUpWhenTheServerNeverHasTime() {
    hub.apiTrick =
        exchange -> {
          TestHub.status(exchange, 429);
          return true;
        };
    assertFails(() -> pull(settings()), Kind.RATE_LIMITED, "429", "token");
    assertThat(waits).hasSize(5);
  }

  @Test
  void tellsAGatedModelFromAMissingOne() {
    hub.apiTrick = exchange -> refuse(exchange, 403, "GatedRepo");
    assertFails(() -> pull(settings()), Kind.NOT_ALLOWED, "org/repo", "accept its terms");
    hub.apiTrick = exchange -> refuse(exchange, 401, "");
    assertFails(() -> pull(settings()), Kind.NOT_ALLOWED, "token");
    assertFails(
        () -> pull(settings().withToken(Optional.empty())), Kind.NOT_FOUND, "private", "HF_TOKEN");
    hub.apiTrick = exchange -> refuse(exchange, 404, "RepoNotFound");
    assertFails(() -> pull(settings()), Kind.NOT_FOUND, "no such repository");
  }

  private static boolean refuse(HttpExchange exchange, int status, String code) throws IOException {
    if (!code.isEmpty()) {
      exchange.getResponseHeaders().add("X-Error-Code", code);
    }
    TestHub.status(exchange, status);
    return true;
  }

  @Test
  void breaksAConnectionOverWhichNothingComes() throws IOException {
    CountDownLatch end = new CountDownLatch(1);
    AtomicInteger requests = new AtomicInteger();
    hub.storeTrick =
        exchange -> {
          if (requests.incrementAndGet() > 1) {
            return false;
          }
          TestHub.cut(exchange, bytes(exchange), 10);
          await(end);
          return true;
        };
    try {
      HubSettings hasty = settings().withConnections(1, Duration.ofMillis(300));
      assertThat(Files.readAllBytes(pull(hasty).model())).isEqualTo(weights);
    } finally {
      end.countDown();
    }
  }

  @Test
  void refusesAListThatLeadsOutOfTheCache() {
    hub.files.put("../../../evil.gguf", random(10, 5));
    assertFails(() -> pull(settings()), Kind.PROTOCOL, "evil");
  }

  @Test
  void refusesAnAnswerThatIsNoJson() {
    hub.apiTrick =
        exchange -> {
          TestHub.text(exchange, 200, "<html>Please sign in to the wireless network</html>");
          return true;
        };
    assertFails(() -> pull(settings()), Kind.PROTOCOL, "sign-in page");
  }

  @Test
  void refusesToGoRoundInCircles() {
    hub.apiTrick =
        exchange -> {
          exchange.getResponseHeaders().add("Location", exchange.getRequestURI().toString());
          TestHub.status(exchange, 302);
          return true;
        };
    assertFails(() -> pull(settings()), Kind.PROTOCOL, "without end");
  }
}
