package dev.ocellus.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.hub.HubException.Kind;
import dev.ocellus.io.Sha256;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Pulls from a hub that works, and what earlier ones have left. */
final class PullTest extends PullFixture {
  @Test
  void laysFilesOutAsHuggingfaceHubDoes() throws IOException {
    ModelFiles files = pull(settings());

    Path snapshot = repository().resolve("snapshots").resolve(TestHub.COMMIT);
    assertThat(files.model()).isEqualTo(snapshot.resolve(MODEL));
    assertThat(files.mmproj()).contains(snapshot.resolve("mmproj-F16.gguf"));
    assertThat(Files.readAllBytes(files.model())).isEqualTo(weights);
    assertThat(Files.readSymbolicLink(files.model()))
        .isEqualTo(Path.of("../../blobs/" + Sha256.hex(weights)));
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
      String hash = Sha256.hex(hub.file(name));
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
    Path partial = repository().resolve("blobs").resolve(Sha256.hex(weights) + FileLocks.PARTIAL);
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
        repository().resolve("blobs").resolve(Sha256.hex(weights) + FileLocks.PARTIAL + ".state");
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
