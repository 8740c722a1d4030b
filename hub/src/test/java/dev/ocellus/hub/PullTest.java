package dev.ocellus.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import dev.ocellus.hub.HubException.Kind;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Pulls from a hub that works, and from one that misbehaves in every way. */
final class PullTest {
  private static final int SMALL_PART = 1000;
  private static final String MODEL = "model-Q4_K_M.gguf";

  @TempDir Path folder;
  private final TestHub hub = new TestHub();
  private final byte[] weights = random(20_000, 1);
  private final List<String> notes = new ArrayList<>();
  private final List<Duration> waits = new ArrayList<>();

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

  private HubSettings settings() {
    return HubSettings.from(Map.of(), folder)
        .withEndpoint(hub.address())
        .withToken(Optional.of("hf_secret"))
        .withConnections(3, Duration.ofSeconds(5));
  }

  private PullListener listener() {
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

  private ModelFiles pull(HubSettings settings) {
    return pull(settings, "org/repo", listener());
  }

  private ModelFiles pull(HubSettings settings, String name, PullListener listener) {
    try (Http http = new Http(settings, new Backoff(waits::add))) {
      Download download = new Download(http, settings, listener, SMALL_PART);
      return new HubRepository(http, settings, download, listener)
          .get(HubName.parse(name), PullOptions.defaults());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void assertFails(ThrowingCallable pull, Kind kind, String... words) {
    assertThatThrownBy(pull)
        .isInstanceOfSatisfying(
            HubException.class, e -> assertThat(e.kind()).as(e.getMessage()).isEqualTo(kind))
        .hasMessageContainingAll(words);
  }

  private Path repository() {
    return settings().cache().resolve("models--org--repo");
  }

  /** Names in the blobs folder that are no whole file. */
  private List<String> unfinished() throws IOException {
    try (Stream<Path> all = Files.list(repository().resolve("blobs"))) {
      return all.map(p -> p.getFileName().toString()).filter(n -> n.contains(".")).toList();
    }
  }

  @Test
  void laysFilesOutAsHuggingfaceHubDoes() throws IOException {
    ModelFiles files = pull(settings());

    Path snapshot = repository().resolve("snapshots").resolve(TestHub.COMMIT);
    assertThat(files.model()).isEqualTo(snapshot.resolve(MODEL));
    assertThat(files.mmproj()).contains(snapshot.resolve("mmproj-F16.gguf"));
    assertThat(Files.readAllBytes(files.model())).isEqualTo(weights);
    assertThat(Files.readSymbolicLink(files.model()))
        .isEqualTo(Path.of("../../blobs/" + TestHub.sha256(weights)));
    assertThat(repository().resolve("refs/main")).hasContent(TestHub.COMMIT);
    assertThat(settings().cache().resolve("CACHEDIR.TAG")).exists();
    assertThat(snapshot.resolve("README.md")).doesNotExist();
    assertThat(unfinished()).isEmpty();
  }

  @Test
  void fetchesLargeFilesInPartsAndNothingTwice() {
    pull(settings());
    assertThat(hub.fetched).filteredOn(r -> r.startsWith("/" + MODEL)).hasSize(20);
    hub.fetched.clear();
    pull(settings());
    assertThat(hub.fetched).isEmpty();
  }

  @Test
  void usesWhatHuggingfaceHubHasFetched() throws IOException {
    Path blobs = Files.createDirectories(repository().resolve("blobs"));
    Path snapshot =
        Files.createDirectories(repository().resolve("snapshots").resolve(TestHub.COMMIT));
    for (String name : List.of(MODEL, "mmproj-F16.gguf")) {
      String hash = TestHub.sha256(hub.file(name));
      Files.write(blobs.resolve(hash), hub.file(name));
      Files.createSymbolicLink(snapshot.resolve(name), Path.of("../../blobs/" + hash));
    }
    Files.createDirectories(repository().resolve("refs"));
    Files.writeString(repository().resolve("refs/main"), TestHub.COMMIT);

    assertThat(pull(settings().withOffline(true)).model()).exists();
    pull(settings());
    assertThat(hub.fetched).isEmpty();
  }

  @Test
  void theTokenGoesToNoOtherHost() {
    AtomicInteger withToken = new AtomicInteger();
    hub.apiTrick =
        exchange -> {
          if ("Bearer hf_secret".equals(exchange.getRequestHeaders().getFirst("Authorization"))) {
            withToken.incrementAndGet();
          }
          return false;
        };
    pull(settings());
    assertThat(withToken).hasPositiveValue();
    assertThat(hub.storeHeaders)
        .isNotEmpty()
        .noneMatch(headers -> headers.containsKey("Authorization"));
    assertThat(settings().toString()).doesNotContain("hf_secret");
  }

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

  private byte[] bytes(HttpExchange exchange) {
    return hub.file(exchange.getRequestURI().getPath().substring(1));
  }

  @Test
  void aLaterPullFetchesOnlyTheRest() throws IOException {
    AtomicInteger requests = new AtomicInteger();
    hub.storeTrick =
        exchange -> {
          if (requests.incrementAndGet() > 5) {
            TestHub.status(exchange, 503);
            return true;
          }
          return false;
        };
    assertFails(() -> pull(settings()), Kind.NETWORK, "503");
    assertThat(repository().resolve("snapshots")).doesNotExist();
    assertThat(unfinished()).hasSize(2); // the bytes, and how far they go

    hub.storeTrick = exchange -> false;
    hub.fetched.clear();
    assertThat(Files.readAllBytes(pull(settings()).model())).isEqualTo(weights);
    assertThat(hub.fetched).filteredOn(r -> r.startsWith("/" + MODEL)).hasSize(15);
    assertThat(unfinished()).isEmpty();
  }

  @Test
  void startsAnewWhenWhatWasThereIsDamaged() throws IOException {
    aPullThatEndsEarly();
    Path partial =
        repository().resolve("blobs").resolve(TestHub.sha256(weights) + FileLocks.PARTIAL);
    byte[] damaged = Files.readAllBytes(partial);
    damaged[10] ^= 1;
    Files.write(partial, damaged);

    assertThat(Files.readAllBytes(pull(settings()).model())).isEqualTo(weights);
    assertThat(notes).anyMatch(n -> n.contains("anew"));
  }

  @Test
  void startsAnewWhenTheRecordOfPartsIsDamaged() throws IOException {
    aPullThatEndsEarly();
    Path state =
        repository()
            .resolve("blobs")
            .resolve(TestHub.sha256(weights) + FileLocks.PARTIAL + ".state");
    Files.write(state, random((int) Files.size(state), 9));
    assertThat(Files.readAllBytes(pull(settings()).model())).isEqualTo(weights);
  }

  private void aPullThatEndsEarly() {
    AtomicInteger requests = new AtomicInteger();
    hub.storeTrick =
        exchange -> {
          if (requests.incrementAndGet() > 5) {
            TestHub.status(exchange, 404);
            return true;
          }
          return false;
        };
    assertFails(() -> pull(settings()), Kind.NOT_FOUND, MODEL);
    hub.storeTrick = exchange -> false;
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
    assertThat(repository().resolve("blobs").resolve(TestHub.sha256(weights))).doesNotExist();
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

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(60, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void stopsWhenTheListenerSaysSoAndKeepsWhatCame() throws IOException {
    CountDownLatch stopped = new CountDownLatch(1);
    hub.storeTrick =
        exchange -> {
          TestHub.cut(exchange, bytes(exchange), 10);
          await(stopped);
          return true;
        };
    PullListener stop =
        (file, done, total) -> {
          if (done > 0) {
            stopped.countDown();
          }
          return done == 0;
        };
    assertThatThrownBy(() -> pull(settings(), "org/repo", stop))
        .isInstanceOf(CancellationException.class);
    assertThat(unfinished()).isNotEmpty();
    hub.storeTrick = exchange -> false;
    assertThat(Files.readAllBytes(pull(settings()).model())).isEqualTo(weights);
  }

  @Test
  void twoPullsAtOnceFetchOnce() throws Exception {
    try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<ModelFiles>> both =
          Stream.generate(() -> executor.submit(() -> pull(settings()))).limit(4).toList();
      for (Future<ModelFiles> one : both) {
        assertThat(Files.readAllBytes(one.get().model())).isEqualTo(weights);
      }
    }
    assertThat(hub.fetched).filteredOn(r -> r.startsWith("/" + MODEL)).hasSize(20);
  }

  @Test
  void usesTheCacheWhenTheHubIsGone() {
    ModelFiles before = pull(settings());
    hub.close();
    assertThat(pull(settings())).isEqualTo(before);
    assertThat(notes).anyMatch(n -> n.contains("files of the last pull"));
    assertThat(pull(settings().withOffline(true))).isEqualTo(before);
    assertFails(
        () -> pull(settings().withOffline(true), "org/repo:Q8_0", listener()),
        Kind.OFFLINE,
        "org/repo:Q8_0");
    assertFails(() -> pull(settings(), "org/other", listener()), Kind.NETWORK, "127.0.0.1");
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

  @Test
  void takesACheckpointWhereThereIsNoGguf() throws IOException {
    hub.files.clear();
    for (String name :
        List.of(
            "config.json",
            "model.safetensors",
            "pytorch_model.bin",
            "tokenizer.json",
            "onnx/model.onnx",
            "README.md")) {
      hub.files.put(name, name.getBytes(StandardCharsets.UTF_8));
    }
    ModelFiles files = pull(settings());
    assertThat(files.model()).isDirectory();
    try (Stream<Path> all = Files.list(files.model())) {
      assertThat(all.map(p -> p.getFileName().toString()))
          .containsExactlyInAnyOrder("config.json", "model.safetensors", "tokenizer.json");
    }
  }

  @Test
  void saysWhatThereIsWhereATypeIsMissing() {
    assertFails(() -> pull(settings(), "org/repo:Q2_K", listener()), Kind.CHOICE, "Q2_K", "Q4_K_M");
    assertFails(() -> pull(settings(), "org/repo/none.gguf", listener()), Kind.NOT_FOUND, MODEL);
  }

  @Test
  void saysWhereItCannotWrite() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "");
    assertFails(() -> pull(settings().withCache(file.resolve("hub"))), Kind.DISK, "HF_HUB_CACHE");
  }
}
