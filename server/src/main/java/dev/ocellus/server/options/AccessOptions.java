package dev.ocellus.server.options;

import java.util.List;

/**
 * Who may use a server.
 *
 * @param apiKeys keys, one of which every request has to give; none to ask for none
 * @param origins origins of web pages that browsers may let use the server, such as {@code
 *     https://app.example.org}, or {@code *} for all; none for the server's own page only
 * @param hosts names, besides those of the address that is listened on, under which browsers may
 *     reach the server. A name that is not among them is refused while the server listens on a
 *     loopback address, since a page of somebody else could give its own name that address
 */
public record AccessOptions(List<String> apiKeys, List<String> origins, List<String> hosts) {
  public AccessOptions {
    if (apiKeys.stream().anyMatch(String::isBlank)) {
      throw new IllegalArgumentException("an API key must not be empty");
    }
    apiKeys = List.copyOf(apiKeys);
    origins = List.copyOf(origins);
    hosts = List.copyOf(hosts);
  }

  /** No keys, no other origins. */
  public static AccessOptions defaults() {
    return new AccessOptions(List.of(), List.of(), List.of());
  }

  public AccessOptions withApiKeys(List<String> keys) {
    return new AccessOptions(keys, origins, hosts);
  }

  public AccessOptions withOrigins(List<String> allowed) {
    return new AccessOptions(apiKeys, allowed, hosts);
  }

  public AccessOptions withHosts(List<String> names) {
    return new AccessOptions(apiKeys, origins, names);
  }

  @Override
  public String toString() { // keys stay out of logs
    return "AccessOptions[%d keys, origins=%s, hosts=%s]".formatted(apiKeys.size(), origins, hosts);
  }
}
