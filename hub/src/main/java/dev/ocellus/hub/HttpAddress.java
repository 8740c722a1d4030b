package dev.ocellus.hub;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Addresses of servers. */
final class HttpAddress {
  private static final int HTTP = 80;
  private static final int HTTPS = 443;

  private HttpAddress() {}

  /** The address of a server from a setting, without a slash at its end. */
  static URI parse(String setting, String text) {
    URI uri = uri(text.replaceFirst("/+$", ""));
    if (uri == null || !isHttp(uri)) {
      throw new HubException(
          HubException.Kind.NAME,
          "%s: expected an address such as https://example.org, found '%s'"
              .formatted(setting, text));
    }
    return uri;
  }

  /** Where a redirect leads; null if it is no address that can be asked. */
  static @Nullable URI redirect(URI from, String location) {
    URI to = uri(location);
    if (to == null) {
      return null;
    }
    URI absolute = from.resolve(to);
    return isHttp(absolute) ? absolute : null;
  }

  /** Whether both are the same server, so that one may see what the other may. */
  static boolean isSameServer(URI a, URI b) {
    return scheme(a).equals(scheme(b))
        && Objects.requireNonNullElse(a.getHost(), "")
            .equalsIgnoreCase(Objects.requireNonNullElse(b.getHost(), ""))
        && port(a) == port(b);
  }

  /** Whether a redirect would give up encryption. */
  static boolean isDowngrade(URI from, URI to) {
    return scheme(from).equals("https") && !scheme(to).equals("https");
  }

  private static boolean isHttp(URI uri) {
    return (scheme(uri).equals("http") || scheme(uri).equals("https")) && uri.getHost() != null;
  }

  private static String scheme(URI uri) {
    String scheme = uri.getScheme();
    return scheme == null ? "" : scheme.toLowerCase(Locale.ROOT);
  }

  private static int port(URI uri) {
    return uri.getPort() >= 0 ? uri.getPort() : scheme(uri).equals("https") ? HTTPS : HTTP;
  }

  private static @Nullable URI uri(String text) {
    try {
      return new URI(text);
    } catch (URISyntaxException e) {
      return null;
    }
  }
}
