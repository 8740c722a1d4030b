package dev.ocellus.server;

import dev.ocellus.server.api.ApiException;
import dev.ocellus.server.api.ApiException.Kind;
import dev.ocellus.server.http.HttpCall;
import dev.ocellus.server.options.ServerOptions;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** Who may do what: keys, web pages of others, names of this server. */
final class Access {
  private static final String ALL = "*";

  private final List<byte[]> keys;
  private final List<String> origins;
  private final List<String> hosts;
  private final boolean checksHost;

  Access(ServerOptions options) {
    this.keys = options.access().apiKeys().stream().map(Access::hash).toList();
    this.origins = options.access().origins();
    this.hosts =
        options.access().hosts().stream().map(host -> host.toLowerCase(Locale.ROOT)).toList();
    this.checksHost = isLoopback(options.listen().host());
  }

  private static boolean isLoopback(String host) {
    try {
      return InetAddress.getByName(host).isLoopbackAddress();
    } catch (UnknownHostException e) {
      return false;
    }
  }

  private static byte[] hash(String key) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * Refuses a request that comes from a browser that was led here by somebody else's page.
   *
   * @throws ApiException if it does
   */
  void checkOrigin(HttpCall call) {
    String host = call.header("Host").orElse("");
    if (checksHost && !isOwn(hostName(host))) {
      throw new ApiException(
          Kind.FORBIDDEN, "this server listens on this machine only, and is not called that");
    }
    Optional<String> origin = call.header("Origin");
    if (origin.isPresent() && !isSame(origin.get(), host) && !allows(origin.get())) {
      throw new ApiException(Kind.FORBIDDEN, "web pages of this origin may not use this server");
    }
  }

  private boolean isOwn(String name) {
    return name.equals("localhost")
        || name.endsWith(".localhost")
        || name.equals("[::1]")
        || name.matches("127\\.\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}")
        || hosts.contains(name);
  }

  private static String hostName(String host) {
    int end = host.startsWith("[") ? host.indexOf(']') + 1 : host.indexOf(':');
    return (end > 0 ? host.substring(0, end) : host).toLowerCase(Locale.ROOT);
  }

  private static boolean isSame(String origin, String host) {
    return origin.equalsIgnoreCase("http://" + host) || origin.equalsIgnoreCase("https://" + host);
  }

  private boolean allows(String origin) {
    return origins.contains(ALL) || origins.contains(origin);
  }

  /**
   * Refuses a request without one of the keys. How long that takes tells nothing about them: hashes
   * of one length are compared, all of them.
   *
   * @throws ApiException if there is none, or a wrong one
   */
  void checkKey(HttpCall call) {
    if (keys.isEmpty()) {
      return;
    }
    Optional<String> given = key(call);
    boolean known = false;
    byte[] hash = hash(given.orElse(""));
    for (byte[] key : keys) {
      known |= MessageDigest.isEqual(key, hash);
    }
    if (!known) {
      throw new ApiException(
          Kind.UNAUTHENTICATED,
          given.isEmpty()
              ? "an API key is needed: Authorization: Bearer KEY"
              : "the API key is not known here");
    }
  }

  private static Optional<String> key(HttpCall call) {
    Optional<String> bearer =
        call.header("Authorization")
            .filter(value -> value.regionMatches(true, 0, "Bearer ", 0, 7))
            .map(value -> value.substring(7).strip());
    return bearer.or(() -> call.header("X-Api-Key"));
  }

  /** What a browser has to be told for the page that asks; nothing for most. */
  Map<String, String> corsHeaders(HttpCall call) {
    Optional<String> origin = call.header("Origin").filter(this::allows);
    if (origin.isEmpty()) {
      return Map.of();
    }
    Map<String, String> headers = new LinkedHashMap<>();
    headers.put("Access-Control-Allow-Origin", origins.contains(ALL) ? ALL : origin.get());
    headers.put("Vary", "Origin");
    return headers;
  }

  /** What a browser asks before it sends a request; the answer is the same for all. */
  Map<String, String> preflightHeaders(HttpCall call) {
    Map<String, String> headers = new LinkedHashMap<>(corsHeaders(call));
    if (!headers.isEmpty()) {
      headers.put("Access-Control-Allow-Methods", "GET, POST, DELETE");
      headers.put(
          "Access-Control-Allow-Headers",
          call.header("Access-Control-Request-Headers")
              .filter(names -> names.matches("[A-Za-z0-9, _-]{1,1000}"))
              .orElse("Authorization, Content-Type"));
      headers.put("Access-Control-Max-Age", "600");
    }
    return headers;
  }
}
