package dev.ocellus.hub;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Where models come from, and where they are kept.
 *
 * @param endpoint the hub, without a slash at its end
 * @param cache root of huggingface_hub's cache, {@code …/huggingface/hub}
 * @param token sent to the hub, and to no other host
 * @param offline whether only what is on the disk counts
 * @param ollamaStore Ollama's folder with {@code manifests} and {@code blobs}
 * @param ollamaRegistry what stands for Ollama's usual registry
 * @param connections how many parts of a file are fetched at once
 * @param stall how long nothing may come before a connection counts as broken
 * @param proxies proxies by the scheme of an address
 */
public record HubSettings(
    URI endpoint,
    Path cache,
    Optional<String> token,
    boolean offline,
    Path ollamaStore,
    URI ollamaRegistry,
    int connections,
    Duration stall,
    Proxies proxies) {
  private static final int MAX_CONNECTIONS = 16;
  private static final Set<String> TRUE = Set.of("1", "on", "yes", "true");
  private static final int DEFAULT_CONNECTIONS = 4;
  private static final Duration DEFAULT_STALL = Duration.ofSeconds(30);

  /** Checks the numbers. */
  public HubSettings {
    if (connections < 1 || connections > MAX_CONNECTIONS) {
      throw new IllegalArgumentException(
          "connections: expected 1 to %d, found %d".formatted(MAX_CONNECTIONS, connections));
    }
    if (stall.isNegative() || stall.isZero()) {
      throw new IllegalArgumentException("stall: expected a positive time, found " + stall);
    }
  }

  /** As this process's environment says: see {@link #from}. */
  public static HubSettings fromEnvironment() {
    return from(System.getenv(), Path.of(System.getProperty("user.home")));
  }

  /**
   * As these variables say, in the order of huggingface_hub: {@code HF_ENDPOINT} (before it {@code
   * MODEL_ENDPOINT} of llama.cpp), {@code HF_HUB_CACHE}, {@code HUGGINGFACE_HUB_CACHE}, {@code
   * HF_HOME}, {@code XDG_CACHE_HOME}, {@code HF_TOKEN}, {@code HUGGING_FACE_HUB_TOKEN}, {@code
   * HF_TOKEN_PATH}, {@code HF_HUB_DISABLE_IMPLICIT_TOKEN}, {@code HF_HUB_OFFLINE}; {@code
   * OLLAMA_MODELS}; and for proxies {@code HTTPS_PROXY}, {@code HTTP_PROXY}, {@code ALL_PROXY},
   * {@code NO_PROXY}.
   *
   * @throws HubException if a variable holds what it can't
   */
  public static HubSettings from(Map<String, String> environment, Path home) {
    Variables variables = new Variables(environment, home);
    Path hfHome =
        variables
            .path("HF_HOME")
            .orElseGet(() ->
                variables
                    .path("XDG_CACHE_HOME")
                    .orElse(home.resolve(".cache"))
                    .resolve("huggingface"));
    Path cache =
        variables
            .path("HF_HUB_CACHE")
            .or(() -> variables.path("HUGGINGFACE_HUB_CACHE"))
            .orElse(hfHome.resolve("hub"));
    URI endpoint =
        variables
            .address("MODEL_ENDPOINT")
            .or(() -> variables.address("HF_ENDPOINT"))
            .orElse(URI.create("https://huggingface.co"));
    return new HubSettings(
        endpoint,
        cache,
        variables.token(hfHome),
        variables.isTrue("HF_HUB_OFFLINE") || variables.isTrue("TRANSFORMERS_OFFLINE"),
        variables.path("OLLAMA_MODELS").orElse(home.resolve(".ollama").resolve("models")),
        URI.create("https://" + OllamaName.DEFAULT_HOST),
        DEFAULT_CONNECTIONS,
        DEFAULT_STALL,
        Proxies.from(environment));
  }

  /** The same with another place for HuggingFace's files. */
  public HubSettings withCache(Path other) {
    return new HubSettings(
        endpoint, other, token, offline, ollamaStore, ollamaRegistry, connections, stall, proxies);
  }

  /** The same with another hub. */
  public HubSettings withEndpoint(URI other) {
    return new HubSettings(
        other, cache, token, offline, ollamaStore, ollamaRegistry, connections, stall, proxies);
  }

  /** The same with another token, or none. */
  public HubSettings withToken(Optional<String> other) {
    return new HubSettings(
        endpoint, cache, other, offline, ollamaStore, ollamaRegistry, connections, stall, proxies);
  }

  /** The same, fetching nothing or fetching again. */
  public HubSettings withOffline(boolean other) {
    return new HubSettings(
        endpoint, cache, token, other, ollamaStore, ollamaRegistry, connections, stall, proxies);
  }

  /** The same with another store and registry of Ollama. */
  public HubSettings withOllama(Path store, URI registry) {
    return new HubSettings(
        endpoint, cache, token, offline, store, registry, connections, stall, proxies);
  }

  /** The same with other limits of a connection. */
  public HubSettings withConnections(int n, Duration otherStall) {
    return new HubSettings(
        endpoint, cache, token, offline, ollamaStore, ollamaRegistry, n, otherStall, proxies);
  }

  /** Shows no token. */
  @Override
  public String toString() {
    return "HubSettings[endpoint=%s, cache=%s, token=%s, offline=%s, ollamaStore=%s]"
        .formatted(endpoint, cache, token.isPresent() ? "set" : "none", offline, ollamaStore);
  }

  /** Variables of an environment; an empty one is none. */
  private record Variables(Map<String, String> environment, Path home) {
    Optional<String> text(String name) {
      return Optional.ofNullable(environment.get(name))
          .map(String::strip)
          .filter(v -> !v.isEmpty());
    }

    Optional<Path> path(String name) {
      return text(name)
          .map(v -> v.equals("~") || v.startsWith("~/") ? home + v.substring(1) : v)
          .map(Path::of);
    }

    Optional<URI> address(String name) {
      return text(name).map(v -> HttpAddress.parse(name, v));
    }

    boolean isTrue(String name) {
      return text(name).map(v -> TRUE.contains(v.toLowerCase(Locale.ROOT))).orElse(false);
    }

    Optional<String> token(Path hfHome) {
      if (isTrue("HF_HUB_DISABLE_IMPLICIT_TOKEN")) {
        return Optional.empty();
      }
      return text("HF_TOKEN")
          .or(() -> text("HUGGING_FACE_HUB_TOKEN"))
          .or(() -> read(path("HF_TOKEN_PATH").orElse(hfHome.resolve("token"))))
          .map(token -> token.replaceAll("[\\r\\n]", ""));
    }

    private static Optional<String> read(Path file) {
      try {
        return Files.isRegularFile(file)
            ? Optional.of(Files.readString(file).strip()).filter(t -> !t.isEmpty())
            : Optional.empty();
      } catch (IOException e) {
        throw new HubException(
            HubException.Kind.NOT_ALLOWED,
            "The file of the hub's token, %s, cannot be read: %s".formatted(file, e.getMessage()),
            e);
      }
    }
  }
}
