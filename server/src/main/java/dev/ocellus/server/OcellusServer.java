package dev.ocellus.server;

import dev.ocellus.server.net.HelidonServer;
import dev.ocellus.server.options.ServerOptions;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.time.Duration;

/**
 * A server over HTTP that speaks the APIs of OpenAI, Anthropic, Ollama and llama-server.
 *
 * <pre>{@code
 * var options = ServerOptions.of(List.of(ModelSource.chat("tiny", DemoModel.files())));
 * try (var server = OcellusServer.start(options)) {
 *   System.out.println("http://127.0.0.1:" + server.port());
 *   …
 * }
 * }</pre>
 */
public final class OcellusServer implements AutoCloseable {
  private static final System.Logger LOGGER = System.getLogger(OcellusServer.class.getName());
  private static final long LOOK_MILLIS = 1000;

  /** For answers that are complete when the server is stopped, and on their way. */
  private static final Duration TIME_TO_SEND = Duration.ofSeconds(2);

  private final OcellusApi api;
  private final HelidonServer http;
  private final Thread housekeeper;

  private OcellusServer(OcellusApi api, HelidonServer http) {
    this.api = api;
    this.http = http;
    this.housekeeper = Thread.ofVirtual().name("ocellus-housekeeper").start(this::keepHouse);
  }

  /**
   * Begins to listen. Models are loaded when they are asked for.
   *
   * @throws IOException if the address is taken or is none of this machine
   * @throws dev.ocellus.server.options.TlsException if the certificate or its key cannot be used
   */
  public static OcellusServer start(ServerOptions options) throws IOException {
    return start(new OcellusApi(options), options);
  }

  static OcellusServer start(OcellusApi api, ServerOptions options) throws IOException {
    try {
      return new OcellusServer(
          api, HelidonServer.start(api, options.listen(), options.limits().maxBodyBytes()));
    } catch (Throwable e) {
      api.close();
      throw e;
    }
  }

  private void keepHouse() {
    try {
      while (true) {
        Thread.sleep(LOOK_MILLIS);
        try {
          api.unloadUnused();
        } catch (RuntimeException | OutOfMemoryError e) { // it looks again
          LOGGER.log(Level.WARNING, "models that nobody uses could not be unloaded", e);
        }
      }
    } catch (InterruptedException e) { // the server is closed
    }
  }

  /** The port that it listens on. */
  public int port() {
    return http.port();
  }

  /** What it serves. */
  public OcellusApi api() {
    return api;
  }

  /** Open connections. */
  int nConnections() {
    return http.nConnections();
  }

  /** Answers what is being asked, as far as there is time for it, and closes. */
  public void drainAndClose() {
    api.drain();
    http.awaitAnswers(TIME_TO_SEND);
    close();
  }

  /** Cuts all connections and frees all models. */
  @Override
  public void close() {
    housekeeper.interrupt();
    http.close();
    api.close();
  }
}
