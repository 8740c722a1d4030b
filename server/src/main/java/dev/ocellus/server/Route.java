package dev.ocellus.server;

import dev.ocellus.server.api.ErrorForm;
import dev.ocellus.server.http.HttpCall;
import dev.ocellus.server.http.HttpReply;
import java.io.IOException;

/**
 * A place of the server.
 *
 * @param method HTTP's
 * @param path the whole path, or its beginning and a star
 * @param form how errors are written
 * @param open whether no key is asked for
 * @param work what answers
 */
record Route(String method, String path, ErrorForm form, boolean open, Work work) {
  /** Answers, or throws what is made an error of. */
  @FunctionalInterface
  interface Work {
    HttpReply handle(HttpCall call) throws IOException;
  }

  boolean isAt(String wanted) {
    return path.endsWith("*")
        ? wanted.length() >= path.length()
            && wanted.startsWith(path.substring(0, path.length() - 1))
        : path.equals(wanted);
  }
}
