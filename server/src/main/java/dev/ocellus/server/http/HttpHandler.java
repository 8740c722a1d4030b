package dev.ocellus.server.http;

/** Answers requests; thread-safe. */
@FunctionalInterface
public interface HttpHandler {
  /** The reply. Whatever goes wrong with the request is a reply, too. */
  HttpReply handle(HttpCall call);
}
