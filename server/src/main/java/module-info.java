/** The server, its handlers for servers of others, and its page. */
module dev.ocellus.server {
  requires static org.jspecify;
  requires transitive dev.ocellus.vlm;
  requires com.fasterxml.jackson.databind;
  requires io.helidon.webserver;
  requires io.helidon.common.buffers;
  requires io.helidon.common.concurrency.limits;
  requires io.helidon.common.socket;
  requires io.helidon.common.tls;
  requires io.helidon.http;

  exports dev.ocellus.server;
  exports dev.ocellus.server.http;
  exports dev.ocellus.server.options;
}
