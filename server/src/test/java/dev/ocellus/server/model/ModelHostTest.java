package dev.ocellus.server.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.compute.OutOfDeviceMemoryException;
import dev.ocellus.server.api.ApiException;
import dev.ocellus.server.options.HostingOptions;
import dev.ocellus.server.options.ModelSource;
import dev.ocellus.vlm.DemoModel;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.options.LoadOptions;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ModelHostTest {
  @TempDir Path folder;

  private static ModelSource chat(String name) throws Exception {
    return ModelSource.chat(name, DemoModel.files());
  }

  private static ModelHost host(long memory, String... names) throws Exception {
    var sources = new java.util.ArrayList<ModelSource>();
    for (String name : names) {
      sources.add(chat(name));
    }
    return new ModelHost(sources, HostingOptions.defaults().withMemoryBytes(memory));
  }

  private static long oneAndAHalf() throws Exception {
    return MemoryEstimate.bytes(chat("any")) * 3 / 2;
  }

  @Test
  void estimatesWeightsAndCache() throws Exception {
    LoadOptions files = DemoModel.files();
    long weights = Files.size(files.model()) + Files.size(files.mmproj());
    long alone = MemoryEstimate.bytes(chat("any"));
    long four =
        MemoryEstimate.bytes(
            ModelSource.chat("any", files.withSessions(files.sessions().withParallel(4))));
    assertThat(alone).isGreaterThan(weights);
    assertThat(four - weights).isEqualTo(4 * (alone - weights));
  }

  @Test
  void loadsWhatIsAskedForAndUnloadsWhatWasUsedLongestAgo() throws Exception {
    try (ModelHost host = host(oneAndAHalf(), "a", "b")) {
      HostedModel a = host.find("a");
      HostedModel b = host.find("b");
      assertThat(host.state(a)).isEqualTo(HostedModel.State.UNLOADED);
      host.chat(a).close();
      assertThat(host.state(a)).isEqualTo(HostedModel.State.LOADED);
      host.chat(b).close();
      assertThat(host.state(a)).isEqualTo(HostedModel.State.UNLOADED);
      assertThat(host.state(b)).isEqualTo(HostedModel.State.LOADED);
    }
  }

  @Test
  void waitsForMemoryThatIsInUse() throws Exception {
    try (ModelHost host = host(oneAndAHalf(), "a", "b");
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Lease<ChatEngine> a = host.chat(host.find("a"));
      Future<Lease<ChatEngine>> b = threads.submit(() -> host.chat(host.find("b")));
      a.close();
      try (Lease<ChatEngine> loaded = b.get()) {
        assertThat(loaded.loadMillis()).isPositive();
      }
      assertThat(host.state(host.find("a"))).isEqualTo(HostedModel.State.UNLOADED);
    }
  }

  @Test
  void loadsOnceHoweverManyAsk() throws Exception {
    try (ModelHost host = host(0, "a");
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Lease<ChatEngine>>> all =
          java.util.stream.IntStream.range(0, 20)
              .mapToObj(i -> threads.submit(() -> host.chat(host.find("a"))))
              .toList();
      ChatEngine first = all.getFirst().get().engine();
      for (Future<Lease<ChatEngine>> lease : all) {
        assertThat(lease.get().engine()).isSameAs(first);
        lease.get().close();
      }
    }
  }

  @Test
  void refusesAModelThatNeverFits() throws Exception {
    try (ModelHost host = host(1000, "a")) {
      assertThatThrownBy(() -> host.chat(host.find("a")))
          .isInstanceOfSatisfying(ApiException.class, e -> assertThat(e.status()).isEqualTo(503));
    }
  }

  @Test
  void saysThatAModelCannotBeLoadedAndGoesOn() throws Exception {
    Path broken = Files.write(folder.resolve("broken.gguf"), new byte[1000]);
    var sources = List.of(ModelSource.chat("broken", LoadOptions.of(broken)), chat("good"));
    try (ModelHost host = new ModelHost(sources, HostingOptions.defaults())) {
      assertThatThrownBy(() -> host.chat(host.find("broken")))
          .isInstanceOfSatisfying(
              ApiException.class,
              e -> {
                assertThat(e.status()).isEqualTo(500);
                assertThat(e.text()).contains("broken").doesNotContain(folder.toString());
              });
      assertThat(host.state(host.find("broken"))).isEqualTo(HostedModel.State.UNLOADED);
      host.chat(host.find("good")).close();
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void saysThatThereIsNoMemoryForAModelAndLoadsItWhenThereIs(boolean heap) throws Exception {
    var fails = new AtomicBoolean(true);
    ModelLoader loader =
        (source, options) -> {
          if (fails.getAndSet(false)) {
            if (heap) {
              throw new OutOfMemoryError("Java heap space");
            }
            throw new OutOfDeviceMemoryException("no memory for the KV cache");
          }
          LoadOptions load = ((ModelSource.Chat) source.load()).options();
          return new ChatEngine(VisionLanguageModel.open(load), options);
        };
    try (ModelHost host = new ModelHost(List.of(chat("a")), HostingOptions.defaults(), loader)) {
      HostedModel a = host.find("a");
      assertThatThrownBy(() -> host.chat(a))
          .isInstanceOfSatisfying(ApiException.class, e -> assertThat(e.status()).isEqualTo(503))
          .hasMessageContaining("no memory");
      assertThat(host.state(a)).isEqualTo(HostedModel.State.UNLOADED);
      host.chat(a).close();
      assertThat(host.state(a)).isEqualTo(HostedModel.State.LOADED);
    }
  }

  @Test
  void findsModelsByTheirNames() throws Exception {
    try (ModelHost host = host(0, "a", "b")) {
      assertThat(host.chatModel(Optional.empty()).name()).isEqualTo("a");
      assertThat(host.chatModel(Optional.of("b:latest")).name()).isEqualTo("b");
      assertThatThrownBy(() -> host.find("c")).hasMessageContaining("a, b");
      assertThatThrownBy(() -> host.embeddingModel(Optional.empty()))
          .hasMessageContaining("no model that embeds");
      assertThatThrownBy(() -> host.embeddingModel(Optional.of("a")))
          .hasMessageContaining("no embeddings");
    }
  }

  @Test
  void drainsWhatIsBeingAnswered() throws Exception {
    try (ModelHost host = host(0, "a")) {
      Lease<ChatEngine> lease = host.chat(host.find("a"));
      var options = GenerationOptions.greedy().withMaxTokens(20).withIgnoreEos(true);
      try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
          Generation generation =
              lease.engine().start("me", List.of(List.of(Message.user("hi"))), List.of(options))) {
        Future<?> drained = threads.submit(() -> host.drain(Duration.ofSeconds(60)));
        while (!generation.isFinished()) {
          Event event = generation.next(1000);
          assertThat(event).isNotInstanceOf(Event.Failed.class);
        }
        lease.close();
        drained.get();
      }
      assertThatThrownBy(() -> host.chat(host.find("a"))).hasMessageContaining("stopped");
    }
  }

  @Test
  void unloadsOnlyWhatNobodyUses() throws Exception {
    try (ModelHost host = host(0, "a")) {
      HostedModel a = host.find("a");
      try (Lease<ChatEngine> lease = host.chat(a)) {
        assertThat(host.unloadIdle(a)).isFalse();
        assertThat(lease.engine().parallel()).isEqualTo(1);
      }
      assertThat(host.unloadIdle(a)).isTrue();
      assertThat(host.unloadIdle(a)).isFalse();
    }
  }
}
