package dev.ocellus.hub;

import java.io.IOException;
import java.net.Authenticator;
import java.net.InetSocketAddress;
import java.net.PasswordAuthentication;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Proxies as curl and Python's requests read them from the environment, in small or capital
 * letters.
 *
 * @param http for addresses without encryption
 * @param https for the others
 * @param direct ends of host names that need no proxy; {@code *} for all
 */
public record Proxies(Optional<URI> http, Optional<URI> https, List<String> direct) {
  private static final int DEFAULT_PORT = 80;

  /** No proxies. */
  public static Proxies none() {
    return new Proxies(Optional.empty(), Optional.empty(), List.of());
  }

  /** From {@code HTTPS_PROXY}, {@code HTTP_PROXY}, {@code ALL_PROXY} and {@code NO_PROXY}. */
  public static Proxies from(Map<String, String> environment) {
    Optional<URI> all = address(environment, "ALL_PROXY");
    return new Proxies(
        address(environment, "HTTP_PROXY").or(() -> all),
        address(environment, "HTTPS_PROXY").or(() -> all),
        value(environment, "NO_PROXY")
            .map(hosts -> List.of(hosts.strip().toLowerCase(Locale.ROOT).split("\\s*,\\s*")))
            .orElse(List.of()));
  }

  private static Optional<URI> address(Map<String, String> environment, String name) {
    return value(environment, name)
        .map(text -> HttpAddress.parse(name, text.contains("://") ? text : "http://" + text));
  }

  private static Optional<String> value(Map<String, String> environment, String name) {
    return Optional.ofNullable(environment.get(name.toLowerCase(Locale.ROOT)))
        .or(() -> Optional.ofNullable(environment.get(name)))
        .filter(text -> !text.isBlank());
  }

  /** The proxy for an address. */
  Optional<URI> of(URI address) {
    String host = String.valueOf(address.getHost()).toLowerCase(Locale.ROOT);
    for (String end : direct) {
      String bare = end.replaceFirst("^\\*?\\.", "").replaceFirst(":[0-9]+$", "");
      if (end.equals("*") || host.equals(bare) || (!bare.isEmpty() && host.endsWith("." + bare))) {
        return Optional.empty();
      }
    }
    return "https".equalsIgnoreCase(address.getScheme()) ? https : http;
  }

  /** For Java's client. */
  ProxySelector selector() {
    return new ProxySelector() {
      @Override
      public List<Proxy> select(URI address) {
        return List.of(Proxies.this.of(address).map(Proxies::proxy).orElse(Proxy.NO_PROXY));
      }

      @Override
      public void connectFailed(URI address, SocketAddress proxy, IOException e) {
        // the request fails with the same reason
      }
    };
  }

  private static Proxy proxy(URI address) {
    int port = address.getPort() >= 0 ? address.getPort() : DEFAULT_PORT;
    return new Proxy(Proxy.Type.HTTP, InetSocketAddress.createUnresolved(address.getHost(), port));
  }

  /** User and password that stand in a proxy's address, for that proxy alone; null for none. */
  @Nullable Authenticator authenticator() {
    if (http.map(URI::getRawUserInfo).isEmpty() && https.map(URI::getRawUserInfo).isEmpty()) {
      return null;
    }
    return new Authenticator() {
      @Override
      protected @Nullable PasswordAuthentication getPasswordAuthentication() {
        return getRequestorType() == RequestorType.PROXY
            ? https.or(() -> http).map(URI::getRawUserInfo).map(Proxies::password).orElse(null)
            : null;
      }
    };
  }

  private static PasswordAuthentication password(String userInfo) {
    String[] parts = userInfo.split(":", 2);
    return new PasswordAuthentication(
        decoded(parts[0]), (parts.length > 1 ? decoded(parts[1]) : "").toCharArray());
  }

  private static String decoded(String text) {
    return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
  }
}
