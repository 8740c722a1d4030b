package dev.ocellus.server.image;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import org.jspecify.annotations.Nullable;

/**
 * One GET over a connection to an address that the caller has chosen. The JDK's client looks hosts
 * up by itself, when and how often it likes, so it cannot be held to an address that was checked.
 *
 * <p>Everything is bounded: the time of all together, the length of the header and of the body.
 */
final class HttpGet {
  private static final int MAX_LINE = 8192;
  private static final int MAX_LINES = 100;

  private final URI uri;
  private final InetSocketAddress address;
  private final long maxBytes;
  private final Deadline deadline;

  /**
   * What came back.
   *
   * @param location where to go on, if that is the answer
   */
  record Answer(byte[] body, @Nullable String location) {}

  HttpGet(URI uri, InetSocketAddress address, long maxBytes, Deadline deadline) {
    this.uri = uri;
    this.address = address;
    this.maxBytes = maxBytes;
    this.deadline = deadline;
  }

  Answer send() throws IOException {
    try (Socket socket = new Socket()) {
      socket.connect(address, deadline.millisLeft());
      // limits of a single read do not bound a handshake of many
      var late = new CompletableFuture<@Nullable Void>();
      late.completeOnTimeout(null, deadline.millisLeft(), TimeUnit.MILLISECONDS)
          .thenRun(() -> close(socket));
      try {
        return exchangeOver(socket);
      } finally {
        late.cancel(false);
      }
    }
  }

  private Answer exchangeOver(Socket socket) throws IOException {
    if ("https".equalsIgnoreCase(uri.getScheme())) {
      try (Socket secure = secured(socket)) {
        return exchange(secure);
      }
    }
    return exchange(socket);
  }

  private static void close(Socket socket) {
    try {
      socket.close();
    } catch (IOException e) { // whoever reads from it is told
    }
  }

  /** With the certificate checked against the host's name, not the address. */
  private Socket secured(Socket socket) throws IOException {
    socket.setSoTimeout(deadline.millisLeft());
    var factory = (SSLSocketFactory) SSLSocketFactory.getDefault();
    var secure = (SSLSocket) factory.createSocket(socket, uri.getHost(), address.getPort(), true);
    SSLParameters parameters = secure.getSSLParameters();
    parameters.setEndpointIdentificationAlgorithm("HTTPS");
    if (uri.getHost().chars().anyMatch(Character::isLetter) && !uri.getHost().startsWith("[")) {
      parameters.setServerNames(List.of(new SNIHostName(uri.getHost())));
    }
    secure.setSSLParameters(parameters);
    secure.startHandshake();
    return secure;
  }

  private Answer exchange(Socket socket) throws IOException {
    socket.getOutputStream().write(request().getBytes(StandardCharsets.US_ASCII));
    var in = new Timed(socket);
    String status = line(in);
    if (!status.matches("HTTP/1\\.[01] \\d\\d\\d.*")) {
      throw new IOException("no HTTP answer");
    }
    Map<String, String> headers = headers(in);
    int code = Integer.parseInt(status.substring(9, 12));
    String location = headers.get("location");
    if (code >= 301 && code <= 308 && location != null) {
      return new Answer(new byte[0], location);
    }
    if (code != 200) {
      throw new IOException("status " + code);
    }
    return new Answer(body(in, headers), null);
  }

  private String request() {
    URI ascii = URI.create(uri.toASCIIString());
    String path =
        ascii.getRawPath() == null || ascii.getRawPath().isEmpty() ? "/" : ascii.getRawPath();
    String query = ascii.getRawQuery() == null ? "" : "?" + ascii.getRawQuery();
    String host = uri.getPort() < 0 ? uri.getHost() : uri.getHost() + ":" + uri.getPort();
    return ("GET %s%s HTTP/1.1\r\nHost: %s\r\nUser-Agent: ocellus\r\nAccept: image/*\r\n"
            + "Accept-Encoding: identity\r\nConnection: close\r\n\r\n")
        .formatted(path, query, host);
  }

  private static Map<String, String> headers(InputStream in) throws IOException {
    Map<String, String> headers = new HashMap<>();
    for (int i = 0; i < MAX_LINES; i++) {
      String line = line(in);
      if (line.isEmpty()) {
        return headers;
      }
      int colon = line.indexOf(':');
      if (colon > 0) {
        headers.put(
            line.substring(0, colon).toLowerCase(Locale.ROOT), line.substring(colon + 1).strip());
      }
    }
    throw new IOException("too many headers");
  }

  private static String line(InputStream in) throws IOException {
    var line = new StringBuilder();
    for (int c = in.read(); c != '\n'; c = in.read()) {
      if (c < 0) {
        throw new EOFException("cut off");
      }
      if (line.length() == MAX_LINE) {
        throw new IOException("a line is too long");
      }
      line.append((char) c);
    }
    return line.toString().stripTrailing();
  }

  private byte[] body(InputStream in, Map<String, String> headers) throws IOException {
    if (headers
        .getOrDefault("transfer-encoding", "")
        .toLowerCase(Locale.ROOT)
        .endsWith("chunked")) {
      return chunks(in);
    }
    String length = headers.get("content-length");
    if (length == null) {
      return bounded(in.readNBytes((int) Math.min(maxBytes + 1, Integer.MAX_VALUE - 8)));
    }
    long expected;
    try {
      expected = Long.parseLong(length);
    } catch (NumberFormatException e) {
      throw new IOException("the length is no number", e);
    }
    if (expected < 0 || expected > maxBytes) {
      throw new IOException("too long");
    }
    byte[] body = in.readNBytes((int) expected);
    if (body.length < expected) {
      throw new EOFException("cut off");
    }
    return body;
  }

  private byte[] chunks(InputStream in) throws IOException {
    var body = new ByteArrayOutputStream();
    while (true) {
      long size;
      try {
        size = Long.parseLong(line(in).replaceFirst(";.*", "").strip(), 16);
      } catch (NumberFormatException e) {
        throw new IOException("the size of a chunk is no number", e);
      }
      if (size == 0) {
        return body.toByteArray();
      }
      if (size < 0 || body.size() + size > maxBytes) {
        throw new IOException("too long");
      }
      byte[] chunk = in.readNBytes((int) size);
      if (chunk.length < size || !line(in).isEmpty()) {
        throw new EOFException("cut off");
      }
      body.write(chunk);
    }
  }

  private byte[] bounded(byte[] body) throws IOException {
    if (body.length > maxBytes) {
      throw new IOException("too long");
    }
    return body;
  }

  /** Reads no longer than the deadline, whatever the server sends and when. */
  private final class Timed extends InputStream {
    private final Socket socket;
    private final InputStream in;
    private final byte[] buffer = new byte[8192];
    private int at;
    private int end;

    Timed(Socket socket) throws IOException {
      this.socket = socket;
      this.in = socket.getInputStream();
    }

    private boolean fill() throws IOException {
      if (at == end) {
        socket.setSoTimeout(deadline.millisLeft());
        at = 0;
        end = Math.max(0, in.read(buffer));
      }
      return at < end;
    }

    @Override
    public int read() throws IOException {
      return fill() ? buffer[at++] & 0xff : -1;
    }

    @Override
    public int read(byte[] to, int offset, int length) throws IOException {
      if (length == 0) {
        return 0;
      }
      if (!fill()) {
        return -1;
      }
      int n = Math.min(length, end - at);
      System.arraycopy(buffer, at, to, offset, n);
      at += n;
      return n;
    }
  }
}
