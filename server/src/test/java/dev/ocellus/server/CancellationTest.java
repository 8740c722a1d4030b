package dev.ocellus.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.server.model.ModelHost;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/** Clients that leave. */
class CancellationTest {
  private static final String CHAT = "/v1/chat/completions";

  static String request(OcellusServer server, String path, String body) {
    return "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
        .formatted(path, server.port(), body.getBytes(StandardCharsets.UTF_8).length, body);
  }

  /** An answer that goes on until the context is full. */
  static String endless(String more) {
    return "{\"temperature\": 5, \"top_k\": 0, \"top_p\": 1, \"min_p\": 0, \"grammar\":"
        + " \"root ::= [a-z ]{4000}\", "
        + more
        + " \"messages\": [{\"role\": \"user\", \"content\": \"hi\"}]}";
  }

  private static int running(OcellusServer server) {
    ModelHost.Work work = server.api().host().work();
    return work.queued() + work.running();
  }

  static void awaitNothingRunning(OcellusServer server) throws InterruptedException {
    long end = System.nanoTime() + 60_000_000_000L; // a failure of the test, no measure
    while (running(server) > 0 && System.nanoTime() < end) {
      Thread.sleep(10);
    }
    assertThat(running(server)).isZero();
  }

  static void awaitRunning(OcellusServer server) throws InterruptedException {
    long end = System.nanoTime() + 60_000_000_000L;
    while (running(server) == 0 && System.nanoTime() < end) {
      Thread.sleep(5);
    }
    assertThat(running(server)).isPositive();
  }

  @Test
  void aClientThatLeavesEndsItsAnswer() throws Exception {
    try (OcellusServer server = TestServer.start(TestServer.options())) {
      for (String stream : new String[] {"\"stream\": false,", "\"stream\": true,"}) {
        try (Socket socket = new Socket("127.0.0.1", server.port())) {
          socket
              .getOutputStream()
              .write(request(server, CHAT, endless(stream)).getBytes(StandardCharsets.UTF_8));
          awaitRunning(server);
        }
        awaitNothingRunning(server);
      }
      assertThat(TestServer.get(server, "/metrics").body()).contains("ocellus_cancelled_total 2");
    }
  }

  @Test
  void aThousandClientsThatLeaveLeaveNothingBehind() throws Exception {
    try (OcellusServer server = TestServer.start(TestServer.options())) {
      TestServer.post(server, CHAT, TestServer.question(""));
      byte[] image =
          request(server, CHAT, TestServer.question("\"stream\": true,"))
              .getBytes(StandardCharsets.UTF_8);
      byte[] text =
          request(
                  server,
                  "/api/chat",
                  "{\"model\": \""
                      + TestServer.CHAT
                      + "\", \"messages\":"
                      + " [{\"role\": \"user\", \"content\": \"hi\"}]}")
              .getBytes(StandardCharsets.UTF_8);
      try (var threads = Executors.newFixedThreadPool(8, Thread.ofVirtual().factory())) {
        var all = new java.util.ArrayList<Future<?>>();
        for (int i = 0; i < 1000; i++) {
          int n = i;
          all.add(
              threads.submit(() -> {
                try (Socket socket = new Socket("127.0.0.1", server.port())) {
                  socket.getOutputStream().write(n % 3 == 0 ? image : text);
                  if (n % 2 == 0) {
                    socket.getInputStream().read(new byte[64]);
                  }
                } catch (IOException e) {
                  throw new java.io.UncheckedIOException(e);
                }
                return null;
              }));
        }
        for (Future<?> one : all) {
          one.get();
        }
      }
      awaitNothingRunning(server);
      long end = System.nanoTime() + 60_000_000_000L;
      while (server.nConnections() > 0 && System.nanoTime() < end) {
        Thread.sleep(10);
      }
      assertThat(server.nConnections()).isZero();
      String metrics = TestServer.get(server, "/metrics").body();
      assertThat(metrics).contains("ocellus_requests_active 1\n"); // this one
      assertThat(TestServer.post(server, CHAT, TestServer.question("")).body())
          .contains("There is a large red circle in the center.");
    }
  }

  @Test
  void anAnswerThatTakesTooLongIsEnded() throws Exception {
    var options = TestServer.options();
    var limits = options.limits().withMaxTime(java.time.Duration.ofMillis(200));
    try (OcellusServer server = TestServer.start(options.withLimits(limits))) {
      var answer = TestServer.post(server, CHAT, endless(""));
      assertThat(answer.statusCode()).isEqualTo(408);
      awaitNothingRunning(server);
    }
  }

  @Test
  void aServerThatIsStoppedFinishesItsAnswers() throws Exception {
    OcellusServer server = TestServer.start(TestServer.options());
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var answer = threads.submit(() -> TestServer.post(server, CHAT, TestServer.question("")));
      awaitRunning(server);
      server.drainAndClose();
      assertThat(answer.get().body()).contains("There is a large red circle in the center.");
    }
  }

  @Test
  void whatTakesLongerThanDrainingIsCancelled() throws Exception {
    var options = TestServer.options();
    OcellusServer server =
        TestServer.start(
            options.withHosting(options.hosting().withDrainTime(java.time.Duration.ofMillis(50))));
    try (Socket socket = new Socket("127.0.0.1", server.port())) {
      socket
          .getOutputStream()
          .write(request(server, CHAT, endless("")).getBytes(StandardCharsets.UTF_8));
      awaitRunning(server);
      server.drainAndClose();
      assertThat(running(server)).isZero();
    }
  }
}
