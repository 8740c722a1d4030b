package dev.ocellus.server.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.ocellus.server.api.ApiException;
import dev.ocellus.server.options.RemoteImages;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A host that is called {@code images.example} stands for a public one; it is at 127.0.0.2. */
class ImageFetcherTest {
  private static final byte[] IMAGE = "an image".getBytes(StandardCharsets.UTF_8);

  private final List<String> lookedUp = new ArrayList<>();
  private final CountDownLatch end = new CountDownLatch(1);
  private HttpServer server;
  private int port;

  @BeforeEach
  void start() throws IOException {
    server = HttpServer.create(new InetSocketAddress("127.0.0.2", 0), 0);
    server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    port = server.getAddress().getPort();
    server.createContext("/image", call -> reply(call, 200, IMAGE));
    server.createContext("/missing", call -> reply(call, 404, IMAGE));
    server.createContext("/inside", call -> redirect(call, "http://metadata.example/secret"));
    server.createContext(
        "/decimal", call -> redirect(call, "http://2130706433:" + port + "/image"));
    server.createContext("/file", call -> redirect(call, "file:///etc/passwd"));
    server.createContext("/again", call -> redirect(call, "/image"));
    server.createContext("/ever", call -> redirect(call, "/ever"));
    server.createContext("/large", call -> reply(call, 200, new byte[10_000]));
    server.createContext(
        "/endless",
        call -> {
          call.sendResponseHeaders(200, 0);
          byte[] block = new byte[8192];
          for (int i = 0; i < 100; i++) {
            call.getResponseBody().write(block);
          }
          call.close();
        });
    server.createContext(
        "/slow",
        call -> {
          call.sendResponseHeaders(200, 100);
          try {
            end.await();
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
          call.close();
        });
    server.start();
  }

  @AfterEach
  void stop() {
    end.countDown();
    server.stop(0);
  }

  private static void reply(HttpExchange call, int status, byte[] body) throws IOException {
    call.sendResponseHeaders(status, body.length);
    call.getResponseBody().write(body);
    call.close();
  }

  private static void redirect(HttpExchange call, String to) throws IOException {
    call.getResponseHeaders().set("Location", to);
    call.sendResponseHeaders(302, -1);
    call.close();
  }

  /** As the system's, and with names of the test's own. */
  private InetAddress[] lookUp(String host, Deadline deadline) throws IOException {
    lookedUp.add(host);
    return switch (host) {
      case "images.example" -> new InetAddress[] {InetAddress.getByName("127.0.0.2")};
      case "metadata.example" -> new InetAddress[] {InetAddress.getByName("169.254.169.254")};
      case "mixed.example" ->
          new InetAddress[] {InetAddress.getByName("127.0.0.2"), InetAddress.getByName("10.0.0.1")};
      case "none.example" -> throw new UnknownHostException(host);
      default -> InetAddress.getAllByName(host);
    };
  }

  private ImageFetcher fetcher(Duration time) {
    var options = new RemoteImages(true, Set.of(), Set.of(80, 443, port), 3, time);
    return new ImageFetcher(
        options,
        this::lookUp,
        address ->
            address.getHostAddress().equals("127.0.0.2") || AddressPolicy.PUBLIC.allows(address));
  }

  private byte[] fetch(String url) {
    return fetcher(Duration.ofSeconds(20)).fetch(url, 1000);
  }

  private String url(String host, String path) {
    return "http://" + host + ":" + port + path;
  }

  @Test
  void fetchesFromAPublicAddress() {
    assertThat(fetch(url("images.example", "/image"))).isEqualTo(IMAGE);
    assertThat(lookedUp).containsExactly("images.example");
  }

  @Test
  void followsRedirectsThatAreAllowed() {
    assertThat(fetch(url("images.example", "/again"))).isEqualTo(IMAGE);
  }

  @ParameterizedTest
  @ValueSource(strings = {"/inside", "/decimal", "/file", "/ever"})
  void checksRedirectsAgain(String path) {
    assertThatThrownBy(() -> fetch(url("images.example", path)))
        .isInstanceOf(ApiException.class)
        .hasMessageContaining("not fetched");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "127.0.0.1",
        "localhost",
        "2130706433",
        "127.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[0:0:0:0:0:ffff:7f00:1]",
        "169.254.169.254",
        "0.0.0.0",
        "metadata.example",
        "mixed.example",
        "none.example"
      })
  void refusesHostsWithAddressesThatAreNotPublic(String host) {
    assertThatThrownBy(() -> fetch(url(host, "/image")))
        .isInstanceOf(ApiException.class)
        .hasMessageContaining("not fetched");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "ftp://images.example/image",
        "file:///etc/passwd",
        "http://user@images.example/image",
        "http://images.example:22/image",
        "http:///image",
        "http://",
        "gopher://images.example/",
        "http://[::1",
        "http://images.example\\@127.0.0.1/"
      })
  void refusesUrlsOfOtherKinds(String url) {
    assertThatThrownBy(() -> fetch(url))
        .isInstanceOf(ApiException.class)
        .hasMessageContaining("not fetched");
    assertThat(lookedUp).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"/large", "/endless", "/missing"})
  void boundsWhatItReads(String path) {
    assertThatThrownBy(() -> fetch(url("images.example", path)))
        .isInstanceOf(ApiException.class)
        .hasMessageContaining("could not be fetched");
  }

  @Test
  void boundsTheTime() {
    assertThatThrownBy(
            () -> fetcher(Duration.ofMillis(300)).fetch(url("images.example", "/slow"), 1000))
        .isInstanceOf(ApiException.class)
        .hasMessageContaining("could not be fetched");
  }

  private InetAddress[] lookUpAtTheEnd(String host) throws UnknownHostException {
    try {
      end.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    throw new UnknownHostException(host);
  }

  /** More names that are never answered than there are threads for them. */
  @Test
  void boundsTheTimeOfLookups() {
    var options = new RemoteImages(true, Set.of(), Set.of(port), 3, Duration.ofMillis(200));
    var fetcher =
        new ImageFetcher(options, new SystemLookup(this::lookUpAtTheEnd), address -> true);
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var all = new ArrayList<Future<byte[]>>();
      for (int i = 0; i < 20; i++) {
        String url = url("slow" + i + ".example", "/image");
        all.add(threads.submit(() -> fetcher.fetch(url, 1000)));
      }
      for (Future<byte[]> one : all) {
        assertThatThrownBy(one::get)
            .hasCauseInstanceOf(ApiException.class)
            .hasMessageContaining("could not be fetched");
      }
    }
  }

  @Test
  void asksTheSystemForAddresses() throws Exception {
    InetAddress[] found =
        new SystemLookup().lookUp("127.0.0.2", new Deadline(Duration.ofMinutes(1)));
    assertThat(found).containsExactly(InetAddress.getByName("127.0.0.2"));
    var unknown =
        new SystemLookup(host -> {
          throw new UnknownHostException(host);
        });
    assertThatThrownBy(() -> unknown.lookUp("x.example", new Deadline(Duration.ofMinutes(1))))
        .isInstanceOf(UnknownHostException.class);
  }

  /** A byte at a time comes before the time of each read is over, but not of all together. */
  @Test
  void boundsTheTimeOfAHandshake() throws Exception {
    try (var slow = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.2"));
        var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      threads.submit(() -> {
        try (Socket client = slow.accept()) {
          client.getOutputStream().write(new byte[] {22, 3, 3, 63, -1}); // a record of 16383 bytes
          while (true) {
            client.getOutputStream().write(2);
            Thread.sleep(20);
          }
        }
      });
      var options =
          new RemoteImages(true, Set.of(), Set.of(slow.getLocalPort()), 3, Duration.ofMillis(400));
      var fetcher = new ImageFetcher(options, this::lookUp, address -> true);
      String url = "https://images.example:" + slow.getLocalPort() + "/image";
      assertThatThrownBy(() -> fetcher.fetch(url, 1000))
          .isInstanceOf(ApiException.class)
          .hasMessageContaining("could not be fetched");
    }
  }

  @Test
  void fetchesNothingUnlessToldTo() {
    assertThatThrownBy(
            () -> new ImageFetcher(RemoteImages.OFF).fetch(url("images.example", "/image"), 1000))
        .isInstanceOf(ApiException.class)
        .hasMessageContaining("fetches no images");
  }

  @Test
  void keepsToTheHostsThatAreNamed() {
    var options =
        new RemoteImages(true, Set.of("other.example"), Set.of(port), 3, Duration.ofSeconds(5));
    var fetcher = new ImageFetcher(options, this::lookUp, address -> true);
    assertThatThrownBy(() -> fetcher.fetch(url("images.example", "/image"), 1000))
        .hasMessageContaining("the host is not allowed");
  }
}
