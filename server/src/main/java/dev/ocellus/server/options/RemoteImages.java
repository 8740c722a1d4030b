package dev.ocellus.server.options;

import java.time.Duration;
import java.util.Set;

/**
 * Whether images are fetched from URLs that a request gives. Addresses that are not public are
 * refused in any case.
 *
 * @param allowed whether anything is fetched at all
 * @param hosts the only hosts to fetch from; none for all
 * @param ports the only ports to connect to
 * @param maxRedirects how often a server may refer to another URL, which is checked as the first
 * @param maxTime for one image, from looking up its host to its last byte
 */
public record RemoteImages(
    boolean allowed, Set<String> hosts, Set<Integer> ports, int maxRedirects, Duration maxTime) {
  /** Nothing is fetched. */
  public static final RemoteImages OFF =
      new RemoteImages(false, Set.of(), Set.of(80, 443), 3, Duration.ofSeconds(10));

  public RemoteImages {
    hosts = Set.copyOf(hosts);
    ports = Set.copyOf(ports);
    if (maxRedirects < 0 || !maxTime.isPositive()) {
      throw new IllegalArgumentException(
          "redirects must not be negative and the time positive: %d, %s"
              .formatted(maxRedirects, maxTime));
    }
  }

  /** From any public host. */
  public static RemoteImages fromAnywhere() {
    return new RemoteImages(true, OFF.hosts, OFF.ports, OFF.maxRedirects, OFF.maxTime);
  }

  /** From these hosts, as far as their addresses are public. */
  public static RemoteImages from(Set<String> hosts) {
    return new RemoteImages(true, hosts, OFF.ports, OFF.maxRedirects, OFF.maxTime);
  }
}
