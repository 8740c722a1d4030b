package dev.ocellus.server.image;

import dev.ocellus.server.api.ApiException;
import dev.ocellus.server.options.RemoteImages;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.UnknownHostException;
import java.util.Locale;

/**
 * Fetches images over HTTP. A host is looked up once for each request, every address that it has
 * must be allowed, and the connection is made to the address that was checked, so that no later
 * answer of a name server matters. Where a server refers to another URL, that one is checked in the
 * same way.
 *
 * <p>Messages to clients say no more than that a URL is not allowed or cannot be fetched: what
 * exactly happened would tell about the server's network.
 */
public final class ImageFetcher {
  private final RemoteImages options;
  private final HostLookup lookup;
  private final AddressPolicy policy;

  public ImageFetcher(RemoteImages options) {
    this(options, new SystemLookup(), AddressPolicy.PUBLIC);
  }

  /** With another resolver and other addresses, for tests. */
  ImageFetcher(RemoteImages options, HostLookup lookup, AddressPolicy policy) {
    this.options = options;
    this.lookup = lookup;
    this.policy = policy;
  }

  /** Whether anything is fetched at all. */
  boolean isOn() {
    return options.allowed();
  }

  /**
   * The bytes of an image.
   *
   * @param maxBytes most bytes to read
   * @throws ApiException if the URL is not allowed or cannot be fetched
   */
  public byte[] fetch(String url, long maxBytes) {
    if (!options.allowed()) {
      throw ApiException.invalid(
          "image_url",
          "this server fetches no images; send the image itself as a data: URL in base64");
    }
    var deadline = new Deadline(options.maxTime());
    URI uri = parsed(url);
    for (int hops = 0; hops <= options.maxRedirects(); hops++) {
      HttpGet.Answer answer = get(uri, maxBytes, deadline);
      String location = answer.location();
      if (location == null) {
        return answer.body();
      }
      uri = next(uri, location);
    }
    throw refused("too many redirects");
  }

  private HttpGet.Answer get(URI uri, long maxBytes, Deadline deadline) {
    InetSocketAddress address = checked(uri, deadline);
    try {
      return new HttpGet(uri, address, maxBytes, deadline).send();
    } catch (IOException e) {
      throw notFetched(e);
    }
  }

  private URI next(URI from, String location) {
    try {
      return parsed(from.resolve(new URI(location)).toString());
    } catch (URISyntaxException | IllegalArgumentException e) {
      throw refused("the redirect is no URL");
    }
  }

  private URI parsed(String url) {
    URI uri;
    try {
      uri = new URI(url);
    } catch (URISyntaxException e) {
      throw refused("it is not a URL");
    }
    String scheme = uri.getScheme() == null ? "" : uri.getScheme().toLowerCase(Locale.ROOT);
    if (!scheme.equals("http") && !scheme.equals("https")) {
      throw refused("only http and https are fetched");
    }
    if (uri.getHost() == null || uri.getRawUserInfo() != null) {
      throw refused("a host is expected, and no user");
    }
    if (!options.ports().contains(port(uri))) {
      throw refused("the port is not allowed");
    }
    boolean known =
        options.hosts().isEmpty()
            || options.hosts().stream().anyMatch(host -> host.equalsIgnoreCase(uri.getHost()));
    if (!known) {
      throw refused("the host is not allowed");
    }
    return uri;
  }

  static int port(URI uri) {
    int port = uri.getPort();
    return port >= 0 ? port : "https".equalsIgnoreCase(uri.getScheme()) ? 443 : 80;
  }

  /** The address to connect to. One that is not allowed among several is reason to refuse all. */
  private InetSocketAddress checked(URI uri, Deadline deadline) {
    String host = uri.getHost();
    if (host.startsWith("[")) {
      host = host.substring(1, host.length() - 1);
    }
    InetAddress[] addresses;
    try {
      addresses = lookup.lookUp(host, deadline);
    } catch (UnknownHostException e) {
      throw refused("the host is not known");
    } catch (IOException e) {
      throw notFetched(e);
    }
    for (InetAddress address : addresses) {
      if (!policy.allows(address)) {
        throw refused("the host is not allowed");
      }
    }
    return new InetSocketAddress(addresses[0], port(uri));
  }

  private static ApiException notFetched(IOException cause) {
    return new ApiException(
        ApiException.Kind.INVALID, "the image could not be fetched from its URL", cause);
  }

  private static ApiException refused(String why) {
    return ApiException.invalid("image_url", "the URL of the image is not fetched: " + why);
  }
}
