package dev.ocellus.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.Setting;
import dev.ocellus.server.options.ListenOptions;
import dev.ocellus.server.options.ServerOptions;
import dev.ocellus.server.options.TlsException;
import dev.ocellus.server.options.TlsFiles;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.time.Duration;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** HTTPS, with keys that are made here. */
class TlsTest {
  private static final String ANSWER = "There is a large red circle in the center.";
  private static final char[] PASSWORD = "password".toCharArray();

  @TempDir static Path folder;

  private static final Map<String, KeyStore> STORES = new HashMap<>();

  /** A key and a certificate for this machine, which the JDK's tool makes. */
  private static synchronized KeyStore store(String algorithm) throws Exception {
    KeyStore known = STORES.get(algorithm);
    if (known != null) {
      return known;
    }
    Path file = folder.resolve(algorithm + ".p12");
    Process keytool =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-alias",
                "a",
                "-keyalg",
                algorithm,
                "-dname",
                "CN=localhost",
                "-ext",
                "san=dns:localhost,ip:127.0.0.1",
                "-validity",
                "2",
                "-storetype",
                "PKCS12",
                "-keystore",
                file.toString(),
                "-storepass",
                new String(PASSWORD))
            .redirectErrorStream(true)
            .start();
    String said = new String(keytool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(keytool.waitFor()).as(said).isZero();
    KeyStore store = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(file)) {
      store.load(in, PASSWORD);
    }
    STORES.put(algorithm, store);
    return store;
  }

  private static String pem(String kind, byte[] der) {
    return "-----BEGIN %s-----\n%s\n-----END %s-----\n"
        .formatted(kind, Base64.getMimeEncoder().encodeToString(der), kind);
  }

  private static Path certificate(String algorithm) throws Exception {
    Certificate certificate = store(algorithm).getCertificate("a");
    return Files.writeString(
        folder.resolve(algorithm + ".crt"), pem("CERTIFICATE", certificate.getEncoded()));
  }

  private static Path key(String algorithm) throws Exception {
    byte[] der = store(algorithm).getKey("a", PASSWORD).getEncoded();
    return Files.writeString(folder.resolve(algorithm + ".key"), pem("PRIVATE KEY", der));
  }

  private static ServerOptions options(Path certificate, Path key) {
    ServerOptions options = TestServer.options();
    ListenOptions listen = options.listen();
    return options.withListen(listen.withTls(new TlsFiles(certificate, key)));
  }

  private static SSLContext trusting(String algorithm) throws Exception {
    KeyStore trusted = KeyStore.getInstance("PKCS12");
    trusted.load(null, null);
    trusted.setCertificateEntry("a", store(algorithm).getCertificate("a"));
    var managers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    managers.init(trusted);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, managers.getTrustManagers(), null);
    return context;
  }

  private static HttpRequest question(OcellusServer server, String more) {
    return HttpRequest.newBuilder(
            URI.create("https://localhost:" + server.port() + "/v1/chat/completions"))
        .timeout(Duration.ofMinutes(2))
        .POST(HttpRequest.BodyPublishers.ofString(TestServer.question(more)))
        .build();
  }

  @ParameterizedTest
  @ValueSource(strings = {"RSA", "EC", "Ed25519"})
  void answersWholeAndInAStream(String algorithm) throws Exception {
    try (OcellusServer server =
            OcellusServer.start(options(certificate(algorithm), key(algorithm)));
        HttpClient client = HttpClient.newBuilder().sslContext(trusting(algorithm)).build()) {
      var whole = client.send(question(server, ""), HttpResponse.BodyHandlers.ofString());
      assertThat(whole.body()).contains(ANSWER);
      assertThat(whole.sslSession().orElseThrow().getProtocol()).isEqualTo("TLSv1.3");
      var stream =
          client.send(question(server, "\"stream\": true,"), HttpResponse.BodyHandlers.ofString());
      assertThat(stream.body().lines().filter(line -> line.startsWith("data: ")).count())
          .isGreaterThanOrEqualTo(4);
      assertThat(stream.body()).endsWith("data: [DONE]\n\n");
    }
  }

  @Test
  void noticesWhoLeavesAndWhoSpeaksSomethingElse() throws Exception {
    try (OcellusServer server = OcellusServer.start(options(certificate("EC"), key("EC")))) {
      try (Socket plain = new Socket("127.0.0.1", server.port())) {
        plain.getOutputStream().write("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes());
        String reply = new String(plain.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(reply).doesNotContain("200");
      }
      String body = CancellationTest.endless("\"stream\": true,");
      try (var socket =
          (SSLSocket) trusting("EC").getSocketFactory().createSocket("localhost", server.port())) {
        socket
            .getOutputStream()
            .write(
                CancellationTest.request(server, "/v1/chat/completions", body)
                    .getBytes(StandardCharsets.UTF_8));
        CancellationTest.awaitRunning(server);
      }
      CancellationTest.awaitNothingRunning(server);
    }
  }

  @Test
  void cutsOffWhoNeverShakesHands() throws Exception {
    ServerOptions options = options(certificate("EC"), key("EC"));
    Duration minute = Duration.ofMinutes(1);
    var listen = options.listen().withTimes(Duration.ofMillis(300), minute, minute);
    try (OcellusServer server = OcellusServer.start(options.withListen(listen));
        Socket silent = new Socket("127.0.0.1", server.port())) {
      assertThat(silent.getInputStream().read()).isEqualTo(-1);
    }
  }

  private static Path file(String name, String text) throws IOException {
    return Files.writeString(folder.resolve(name), text);
  }

  @ParameterizedTest
  @CsvSource({
    "ENCRYPTED PRIVATE KEY, has a password",
    "RSA PRIVATE KEY, older form",
    "EC PRIVATE KEY, older form",
    "CERTIFICATE, found a certificate",
    "PRIVATE KEY, found none that can be read",
    "SOMETHING, found none"
  })
  void saysWhatAKeyFileIsInstead(String kind, String word) throws Exception {
    Path key = file("other.key", pem(kind, new byte[] {1, 2, 3}));
    Path certificate = certificate("EC");
    assertThatThrownBy(() -> OcellusServer.start(options(certificate, key)))
        .isInstanceOfSatisfying(
            TlsException.class, e -> assertThat(e.settings()).containsExactly(Setting.TLS_KEY))
        .hasMessageContaining(key.toString())
        .hasMessageContaining(word);
  }

  @Test
  void saysWhatIsWrongWithTheFiles() throws Exception {
    Path certificate = certificate("EC");
    Path key = key("EC");
    refuses(folder.resolve("no.crt"), key, "no such file for the certificate");
    refuses(certificate, folder.resolve("no.key"), "no such file for the key");
    refuses(folder, key, "cannot be read");
    refuses(file("empty.crt", ""), key, "found none");
    refuses(certificate, file("empty.key", ""), "found none");
    refuses(file("bad.crt", "no certificate"), key, "certificates in PEM");
    refuses(key, certificate, "certificates in PEM");
    String half = Files.readString(key).substring(0, 60);
    refuses(certificate, file("half.key", half), "found none");
    String wrong = "-----BEGIN PRIVATE KEY-----\nQUJ*\n-----END PRIVATE KEY-----\n";
    refuses(certificate, file("wrong.key", wrong), "base64");
    refuses(certificate, key("RSA"), "does not belong");
    forget("EC"); // so that there is another key of the same kind
    refuses(certificate, key("EC"), "does not belong");
  }

  private static synchronized void forget(String algorithm) throws IOException {
    STORES.remove(algorithm);
    Files.delete(folder.resolve(algorithm + ".p12"));
  }

  private static void refuses(Path certificate, Path key, String word) {
    assertThatThrownBy(() -> OcellusServer.start(options(certificate, key)))
        .isInstanceOf(TlsException.class)
        .hasMessageContaining(word);
  }

  @Test
  void takesAChain() throws Exception {
    Path chain =
        file(
            "chain.crt",
            Files.readString(certificate("RSA")) + Files.readString(certificate("Ed25519")));
    try (OcellusServer server = OcellusServer.start(options(chain, key("RSA")))) {
      assertThat(server.port()).isPositive();
    }
  }
}
