package dev.ocellus.hub;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.ocellus.hub.HubException.Kind;
import dev.ocellus.hub.OllamaStore.Layer;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Brings models of Ollama's registry, or of another that speaks its protocol, into its store. */
final class OllamaRegistry {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String MANIFEST = "application/vnd.docker.distribution.manifest.v2+json";
  private static final Pattern PARAMETER = Pattern.compile("([a-z]+)=\"([^\"]*)\"");
  private static final int UNAUTHORIZED = 401;

  private final Http http;
  private final HubSettings settings;
  private final Download download;
  private final PullListener listener;

  OllamaRegistry(Http http, HubSettings settings, Download download, PullListener listener) {
    this.http = http;
    this.settings = settings;
    this.download = download;
    this.listener = listener;
  }

  /** The files of a model: from the store if they are there, else fetched. */
  ModelFiles get(OllamaName name) throws IOException {
    OllamaStore store = new OllamaStore(settings.ollamaStore());
    Optional<ModelFiles> local = store.local(name);
    if (local.isPresent()) {
      return local.get();
    }
    if (settings.offline()) {
      throw new HubException(
          Kind.OFFLINE,
          "%s is not in %s, and nothing may be fetched: offline is set (here, or by HF_HUB_OFFLINE)."
              .formatted(name, settings.ollamaStore()));
    }
    Manifest manifest = manifest(name);
    OllamaStore.requireReadable(manifest.layers(), name);
    try {
      Files.createDirectories(store.blobs());
      for (Layer layer : OllamaStore.needed(manifest.layers())) {
        fetch(name, store, manifest, layer);
      }
      store.keep(name, manifest.bytes());
    } catch (IOException e) {
      throw new HubException(
          Kind.DISK,
          "Ollama's folder of models, %s, cannot be written: %s. Another place can be named with OLLAMA_MODELS."
              .formatted(settings.ollamaStore(), e.getMessage()),
          e);
    }
    return store.files(manifest.layers(), name);
  }

  private void fetch(OllamaName name, OllamaStore store, Manifest manifest, Layer layer)
      throws IOException {
    String shown = name.model() + " (" + layer.kind() + ")";
    RemoteFile file =
        new RemoteFile(
            shown,
            address(name, "blobs/sha256:" + layer.hash()),
            manifest.token(),
            layer.size(),
            Optional.of(new FileHash(layer.hash())));
    FileLocks.with(
        store.blobs().resolve("sha256-" + layer.hash() + ".ocellus.lock"),
        () -> listener.note("waiting for another pull of " + shown),
        () ->
            download.fetch(
                file,
                store.blobs().resolve("sha256-" + layer.hash() + FileLocks.PARTIAL),
                store.blob(layer)));
  }

  /** What the registry says, and the token with which it was said. */
  private record Manifest(byte[] bytes, List<Layer> layers, Optional<String> token) {}

  private Manifest manifest(OllamaName name) {
    URI address = address(name, "manifests/" + name.tag());
    Optional<String> token = Optional.empty();
    byte[] bytes = ask(address, token, name);
    if (bytes.length == 0) {
      token = token(address, name);
      bytes = ask(address, token, name);
    }
    return new Manifest(bytes, OllamaStore.layers(bytes, name.toString()), token);
  }

  private @Nullable String challenge;

  /** The manifest's bytes; none if the registry wants a token first. */
  private byte[] ask(URI address, Optional<String> token, OllamaName name) {
    return http.get(
        address,
        Map.of("Accept", MANIFEST),
        token,
        answer -> {
          if (answer.status() == UNAUTHORIZED && token.isEmpty()) {
            challenge = answer.header("WWW-Authenticate").orElse("");
            return new byte[0];
          }
          if (!answer.isOk()) {
            throw Refusals.of(answer, name.toString(), false);
          }
          return answer.bytes();
        });
  }

  /** A token for everybody, from where the registry says. */
  private Optional<String> token(URI registry, OllamaName name) {
    Map<String, String> parameters = new HashMap<>();
    Matcher m = PARAMETER.matcher(String.valueOf(challenge));
    while (m.find()) {
      parameters.put(m.group(1), m.group(2));
    }
    URI realm = HttpAddress.redirect(registry, parameters.getOrDefault("realm", ":"));
    if (realm == null || HttpAddress.isDowngrade(registry, realm)) {
      throw new HubException(
          Kind.NOT_ALLOWED,
          "%s is not open to everybody on %s; only Ollama itself can sign in there"
              .formatted(name, registry.getHost()));
    }
    String query =
        "?service=%s&scope=%s"
            .formatted(
                encoded(parameters.getOrDefault("service", "")),
                encoded(parameters.getOrDefault("scope", "")));
    return http.get(
        URI.create(realm + query),
        Map.of(),
        Optional.empty(),
        answer -> {
          if (!answer.isOk()) {
            throw Refusals.of(answer, name.toString(), false);
          }
          JsonNode json = JSON.readTree(answer.bytes());
          return Optional.of(json.path("token").asText(json.path("access_token").asText("")));
        });
  }

  private static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }

  private URI address(OllamaName name, String what) {
    String server =
        name.host().map(host -> "https://" + host).orElse(settings.ollamaRegistry().toString());
    return URI.create("%s/v2/%s/%s/%s".formatted(server, name.namespace(), name.model(), what));
  }
}
