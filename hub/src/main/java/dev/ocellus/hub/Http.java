package dev.ocellus.hub;

import java.io.IOException;
import java.io.InputStream;
import java.net.Authenticator;
import java.net.ConnectException;
import java.net.URI;
import java.net.UnknownHostException;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * Asks servers. Redirects are followed here and not by the client, so that a token goes to the
 * server that it was meant for and to no other; answers that ask to try again are waited for.
 */
final class Http implements AutoCloseable {
  private static final int MAX_REDIRECTS = 8;
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(15);

  /** Largest answer that is held in memory: lists of files, errors. */
  private static final int MAX_TEXT = 64 << 20;

  private static final int TIMEOUT = 408;
  private static final int RATE_LIMITED = 429;
  private static final int SERVER_ERROR = 500;
  private static final int REDIRECT = 300;
  private static final int CLIENT_ERROR = 400;
  private static final int NOT_MODIFIED = 304;

  private final HttpClient client;
  private final HubSettings settings;
  private final Backoff backoff;

  Http(HubSettings settings, Backoff backoff) {
    this.settings = settings;
    this.backoff = backoff;
    HttpClient.Builder builder =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1) // one connection a part, which is what is wanted
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(CONNECT_TIMEOUT)
            .proxy(settings.proxies().selector());
    Authenticator authenticator = settings.proxies().authenticator();
    if (authenticator != null) {
      builder.authenticator(authenticator);
    }
    this.client = builder.build();
  }

  /** The waits between tries. */
  Backoff backoff() {
    return backoff;
  }

  /** An answer whose body is still to be read. */
  record Answer(URI address, HttpResponse<InputStream> response) implements AutoCloseable {
    int status() {
      return response.statusCode();
    }

    Optional<String> header(String name) {
      return response.headers().firstValue(name);
    }

    InputStream body() {
      return response.body();
    }

    /** The body as text, up to a size. */
    byte[] bytes() throws IOException {
      byte[] bytes = response.body().readNBytes(MAX_TEXT + 1);
      if (bytes.length > MAX_TEXT) {
        throw new HubException(
            HubException.Kind.PROTOCOL, "%s: the answer is too long".formatted(address.getHost()));
      }
      return bytes;
    }

    boolean isOk() {
      return status() >= 200 && status() < REDIRECT;
    }

    @Override
    public void close() throws IOException {
      response.body().close();
    }
  }

  /** One request in a few tries. */
  @FunctionalInterface
  interface Use<T> {
    T of(Answer answer) throws IOException;
  }

  /**
   * Asks until there is an answer that stays the same when asked again, and reads it.
   *
   * @param token sent to the address' server only
   * @throws HubException of kind NETWORK or RATE_LIMITED, when it never comes
   */
  <T> T get(URI address, Map<String, String> headers, Optional<String> token, Use<T> use) {
    Backoff.Tries tries = backoff.begin();
    while (true) {
      try (Answer answer = once(address, headers, token)) {
        if (!isTransient(answer.status())) {
          return use.of(answer);
        }
        if (!tries.again(retryAfter(answer))) {
          throw unavailable(answer);
        }
      } catch (IOException e) {
        if (!isWorthAnotherTry(e) || !tries.again(Optional.empty())) {
          throw unreachable(address, e);
        }
      }
    }
  }

  /** Asks once; redirects are followed. The answer is to be closed. */
  Answer once(URI address, Map<String, String> headers, Optional<String> token) throws IOException {
    URI at = address;
    for (int hop = 0; hop <= MAX_REDIRECTS; hop++) {
      HttpRequest.Builder request =
          HttpRequest.newBuilder(at).timeout(settings.stall()).header("User-Agent", "ocellus");
      headers.forEach(request::header);
      if (HttpAddress.isSameServer(address, at)) {
        token.ifPresent(t -> request.header("Authorization", "Bearer " + t));
      }
      Answer answer = new Answer(at, send(request.GET().build()));
      String location = answer.header("Location").orElse("");
      if (!isRedirect(answer.status()) || location.isEmpty()) {
        return answer;
      }
      answer.close();
      at = next(at, location);
    }
    throw new HubException(
        HubException.Kind.PROTOCOL,
        "%s sends from one address to the next without end".formatted(address.getHost()));
  }

  private HttpResponse<InputStream> send(HttpRequest request) throws IOException {
    try {
      return client.send(request, HttpResponse.BodyHandlers.ofInputStream());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw (CancellationException) new CancellationException("interrupted").initCause(e);
    } catch (IllegalArgumentException e) { // a token or a header with characters that none may have
      throw new HubException(
          HubException.Kind.NOT_ALLOWED,
          "The request cannot be sent; is the token of the hub damaged?",
          e);
    }
  }

  private static URI next(URI from, String location) {
    URI to = HttpAddress.redirect(from, location);
    if (to == null || HttpAddress.isDowngrade(from, to)) {
      throw new HubException(
          HubException.Kind.PROTOCOL,
          "%s sends to an address that is not followed: %s"
              .formatted(from.getHost(), location.replaceFirst("[?#].*", "")));
    }
    return to;
  }

  private static boolean isRedirect(int status) {
    return status >= REDIRECT && status < CLIENT_ERROR && status != NOT_MODIFIED;
  }

  static boolean isTransient(int status) {
    return status == TIMEOUT || status == RATE_LIMITED || status >= SERVER_ERROR;
  }

  /** Not so if the name is unknown, or the other side is not who it says. */
  private static boolean isWorthAnotherTry(IOException e) {
    return !hasCause(e, UnknownHostException.class)
        && !hasCause(e, java.nio.channels.UnresolvedAddressException.class)
        && !hasCause(e, SSLException.class)
        && !(e instanceof ConnectException && !(e instanceof HttpConnectTimeoutException));
  }

  private static boolean hasCause(Throwable e, Class<? extends Throwable> kind) {
    for (Throwable at = e; at != null; at = at.getCause()) {
      if (kind.isInstance(at)) {
        return true;
      }
    }
    return false;
  }

  /** What the server asked to wait, if it did so in seconds. */
  static Optional<Duration> retryAfter(Answer answer) {
    return answer
        .header("Retry-After")
        .filter(text -> text.matches("[0-9]{1,6}"))
        .map(text -> Duration.ofSeconds(Long.parseLong(text)));
  }

  /** The error of a server that never had time. */
  static HubException unavailable(Answer answer) {
    String host = answer.address().getHost();
    return answer.status() == RATE_LIMITED
        ? new HubException(
            HubException.Kind.RATE_LIMITED,
            "%s refuses more requests for now (429). Wait a while, or use a token, which is allowed more."
                .formatted(host))
        : new HubException(
            HubException.Kind.NETWORK,
            "%s is not available: it answers with status %d".formatted(host, answer.status()));
  }

  /** The error of a server that was not reached. */
  HubException unreachable(URI address, IOException e) {
    String host = address.getHost();
    String through =
        settings
            .proxies()
            .of(address)
            .map(proxy -> " through the proxy " + proxy.getHost())
            .orElse("");
    return new HubException(
        HubException.Kind.NETWORK,
        "No answer from %s%s: %s".formatted(host, through, reason(e)),
        e);
  }

  /** Why, in words; some exceptions of the client have none. */
  static String reason(Throwable e) {
    if (hasCause(e, UnknownHostException.class)
        || hasCause(e, java.nio.channels.UnresolvedAddressException.class)) {
      return "the name of the host is unknown; is there a network?";
    }
    return switch (e) {
      case HttpConnectTimeoutException t -> "no connection in time";
      case HttpTimeoutException t -> "nothing came in time";
      case ConnectException c -> "the connection was refused; is there a network?";
      default -> {
        @Nullable String message = e.getMessage();
        yield message == null ? e.getClass().getSimpleName() : message;
      }
    };
  }

  @Override
  public void close() {
    client.shutdownNow();
  }
}
