package dev.ocellus.server.api;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ocellus.server.http.HttpReply;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/** Writes events as server-sent events, or as lines of JSON. */
public final class EventStream {
  private static final byte[] COMMENT = ": ping\n\n".getBytes(StandardCharsets.UTF_8);

  private final HttpReply.Sink sink;

  public EventStream(HttpReply.Sink sink) {
    this.sink = sink;
  }

  /** An event without a name. */
  public void data(JsonNode data) throws IOException {
    data(Json.write(data));
  }

  /** An event without a name, of one line. */
  public void data(String line) throws IOException {
    write("data: " + line + "\n\n");
  }

  /** An event with a name. */
  public void event(String name, JsonNode data) throws IOException {
    write("event: " + name + "\ndata: " + Json.write(data) + "\n\n");
  }

  /** Nothing, so that nobody between here and the client gives the connection up. */
  public void ping() throws IOException {
    sink.write(COMMENT);
  }

  /** A line of JSON. */
  public void line(JsonNode data) throws IOException {
    write(Json.write(data) + "\n");
  }

  private void write(String text) throws IOException {
    sink.write(text.getBytes(StandardCharsets.UTF_8));
  }
}
