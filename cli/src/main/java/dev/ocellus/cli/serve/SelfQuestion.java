package dev.ocellus.cli.serve;

import dev.ocellus.server.options.ServerOptions;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/**
 * Asks a server of this process about an image. Over a socket, since the classes of an HTTP client
 * are not what is to be learnt.
 */
final class SelfQuestion {
  /** One red pixel. */
  private static final String IMAGE =
      "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC";

  private final int port;
  private final ServerOptions options;

  SelfQuestion(int port, ServerOptions options) {
    this.port = port;
    this.options = options;
  }

  /** Everything that the server replies, from its status on. */
  String ask(boolean stream) throws IOException {
    String body =
        """
        {"stream": %s, "max_tokens": 16, "messages": [{"role": "user", "content": [
          {"type": "image_url", "image_url": {"url": "data:image/png;base64,%s"}},
          {"type": "text", "text": "What is this?"}]}]}\
        """
            .formatted(stream, IMAGE);
    String key =
        options.access().apiKeys().isEmpty()
            ? ""
            : "Authorization: Bearer " + options.access().apiKeys().getFirst() + "\r\n";
    try (Socket socket = new Socket(address(), port)) {
      String request =
          "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%sContent-Length: %d\r\n\r\n%s"
              .formatted(key, body.length(), body);
      socket.getOutputStream().write(request.getBytes(StandardCharsets.UTF_8));
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  private InetAddress address() throws IOException {
    InetAddress listening = InetAddress.getByName(options.listen().host());
    return listening.isAnyLocalAddress() ? InetAddress.getLoopbackAddress() : listening;
  }
}
