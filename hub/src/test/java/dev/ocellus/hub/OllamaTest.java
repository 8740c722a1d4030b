package dev.ocellus.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import dev.ocellus.hub.HubException.Kind;
import dev.ocellus.io.Sha256;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Ollama's registry and store. */
final class OllamaTest {
  private static final String PREFIX = "application/vnd.ollama.image.";

  @TempDir Path folder;
  private final TestHub server = new TestHub();
  private final Map<String, byte[]> layers = new LinkedHashMap<>();
  private boolean wantsToken;
  private String token = "";

  @BeforeEach
  void model() {
    layers.put("model", gguf("blk.0.attn_q.weight"));
    layers.put("projector", gguf("v.blk.0.attn_q.weight"));
    layers.put("template", "{{ .Prompt }}".getBytes(StandardCharsets.UTF_8));
    server.apiTrick = this::answer;
  }

  @AfterEach
  void close() {
    server.close();
  }

  /** A GGUF file of one tensor. */
  private static byte[] gguf(String tensor) {
    ByteBuffer b = ByteBuffer.allocate(1024).order(ByteOrder.LITTLE_ENDIAN);
    b.put("GGUF".getBytes(StandardCharsets.UTF_8)).putInt(3).putLong(1).putLong(1);
    string(b, "general.architecture");
    b.putInt(8);
    string(b, "llama");
    string(b, tensor);
    b.putInt(1).putLong(8).putInt(0).putLong(0);
    b.position(Math.ceilDiv(b.position(), 32) * 32 + 32);
    byte[] bytes = new byte[b.position()];
    b.flip().get(bytes);
    return bytes;
  }

  private static void string(ByteBuffer b, String text) {
    b.putLong(text.length()).put(text.getBytes(StandardCharsets.UTF_8));
  }

  private boolean answer(HttpExchange exchange) throws IOException {
    String path = exchange.getRequestURI().getPath();
    if (path.equals("/token")) {
      assertThat(exchange.getRequestURI().getQuery())
          .isEqualTo("service=s&scope=repository:x:pull");
      TestHub.text(exchange, 200, "{\"token\":\"abc\"}");
    } else if (wantsToken
        && !"Bearer abc".equals(exchange.getRequestHeaders().getFirst("Authorization"))) {
      exchange
          .getResponseHeaders()
          .add(
              "WWW-Authenticate",
              "Bearer realm=\"%s/token\",service=\"s\",scope=\"repository:x:pull\""
                  .formatted(server.address()));
      TestHub.status(exchange, 401);
    } else if (path.equals("/v2/library/llava/manifests/7b")) {
      TestHub.text(exchange, 200, manifest());
    } else if (path.startsWith("/v2/library/llava/blobs/sha256:")) {
      token = String.valueOf(exchange.getRequestHeaders().getFirst("Authorization"));
      String hash = path.substring(path.indexOf("sha256:") + 7);
      exchange.getResponseHeaders().add("Location", server.storeAddress() + "/" + hash);
      TestHub.status(exchange, 307);
    } else {
      TestHub.status(exchange, 404);
    }
    return true;
  }

  private String hash(String layer) {
    return Sha256.hex(Objects.requireNonNull(layers.get(layer)));
  }

  private String manifest() {
    StringBuilder all = new StringBuilder();
    layers.forEach((kind, bytes) -> {
      server.files.put(Sha256.hex(bytes), bytes);
      all.append(all.isEmpty() ? "" : ",")
          .append(
              "{\"mediaType\":\"%s%s\",\"digest\":\"sha256:%s\",\"size\":%d}"
                  .formatted(PREFIX, kind, Sha256.hex(bytes), bytes.length));
    });
    return "{\"schemaVersion\":2,\"layers\":[" + all + "]}";
  }

  private HubSettings settings() {
    return HubSettings.from(Map.of(), folder)
        .withOllama(folder.resolve("models"), server.address())
        .withConnections(2, Duration.ofSeconds(5));
  }

  private ModelFiles pull(HubSettings settings) throws IOException {
    try (ModelHub hub = ModelHub.open(settings, new Backoff(wait -> {}))) {
      return hub.get("ollama:llava:7b", PullListener.NONE);
    }
  }

  @Test
  void laysFilesOutAsOllamaDoes() throws IOException {
    wantsToken = true;
    ModelFiles files = pull(settings());
    Path blobs = folder.resolve("models/blobs");
    assertThat(files.model()).isEqualTo(blobs.resolve("sha256-" + hash("model")));
    assertThat(files.mmproj()).contains(blobs.resolve("sha256-" + hash("projector")));
    assertThat(folder.resolve("models/manifests/registry.ollama.ai/library/llava/7b"))
        .hasContent(manifest());
    assertThat(blobs.resolve("sha256-" + hash("template"))).exists();
    assertThat(token).isEqualTo("Bearer abc");
    assertThat(server.storeHeaders).noneMatch(h -> h.containsKey("Authorization"));
  }

  @Test
  void readsAStoreInPlace() throws IOException {
    ModelFiles pulled = pull(settings());
    server.close();
    assertThat(pull(settings().withOffline(true))).isEqualTo(pulled);
    assertThat(pull(settings())).isEqualTo(pulled);
  }

  @Test
  void refusesAModelWithItsImageEncoderInside() {
    layers.remove("projector");
    layers.put("model", gguf("v.blk.0.attn_q.weight"));
    assertRefused("Ollama's own names");
  }

  @Test
  void refusesWhatOnlyOllamaReadsBeforeAnythingIsFetched() {
    layers.put("adapter", new byte[] {1});
    assertRefused("adapter");
    layers.remove("adapter");
    layers.put("tensor", layers.remove("model"));
    assertRefused("no GGUF");
    assertThat(server.fetched).isEmpty();
    assertThat(folder.resolve("models")).doesNotExist();
  }

  private void assertRefused(String why) {
    assertThatThrownBy(() -> pull(settings()))
        .isInstanceOfSatisfying(
            HubException.class, e -> assertThat(e.kind()).isEqualTo(Kind.UNSUPPORTED))
        .hasMessageContaining(why);
  }

  @Test
  void saysThatThereIsNoSuchModel() {
    assertThatThrownBy(
            () -> {
              try (ModelHub hub = ModelHub.open(settings())) {
                hub.get("ollama:none", PullListener.NONE);
              }
            })
        .isInstanceOfSatisfying(
            HubException.class, e -> assertThat(e.kind()).isEqualTo(Kind.NOT_FOUND))
        .hasMessageContaining("ollama:none:latest");
  }

  @Test
  void listsVerifiesAndRemoves() throws IOException {
    pull(settings());
    try (ModelHub hub = ModelHub.open(settings())) {
      List<StoredModel> stored = hub.stored();
      assertThat(stored).extracting(StoredModel::name).containsExactly("ollama:llava:7b");
      StoredModel model = stored.getFirst();
      assertThat(model.files())
          .extracting(StoredModel.StoredFile::name)
          .containsExactly("model", "projector", "template");
      assertThat(hub.verify(model, PullListener.NONE)).isEmpty();
      Files.write(model.files().getFirst().blob(), new byte[] {1, 2, 3});
      assertThat(hub.verify(model, PullListener.NONE)).singleElement().asString().contains("hash");
      assertThat(hub.remove(model)).isPositive();
      assertThat(hub.stored()).isEmpty();
      assertThat(model.files()).noneMatch(f -> Files.exists(f.blob()));
    }
  }
}
