package dev.ocellus.server.page;

import dev.ocellus.server.api.ApiException;
import dev.ocellus.server.http.HttpCall;
import dev.ocellus.server.http.HttpReply;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Serves the page at the root. What may be served is listed here; no path of a request ever becomes
 * one of a file.
 */
public final class WebPage {
  /**
   * Scripts and styles are this server's own files, and nothing is loaded from anywhere else. What
   * is pasted becomes a blob or a data URL.
   */
  private static final String POLICY =
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:;"
          + " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

  private static final Map<String, String> TYPES =
      Map.of(
          "index.html", "text/html; charset=utf-8",
          "style.css", "text/css; charset=utf-8",
          "app.js", "text/javascript; charset=utf-8",
          "api.js", "text/javascript; charset=utf-8",
          "markdown.js", "text/javascript; charset=utf-8",
          "view.js", "text/javascript; charset=utf-8",
          "icon.svg", "image/svg+xml");

  private final Map<String, byte[]> files = new LinkedHashMap<>();

  /** Reads the files. */
  public WebPage() {
    for (String name : TYPES.keySet()) {
      try (InputStream in = WebPage.class.getResourceAsStream(name)) {
        if (in == null) {
          throw new IOException("the page lacks " + name);
        }
        files.put(name, in.readAllBytes());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  /** The page for browsers. Ollama's clients look here, too, to see whether it is running. */
  public HttpReply root(HttpCall call) {
    boolean browser = call.header("Accept").orElse("").contains("text/html");
    return browser
        ? file("index.html")
        : HttpReply.of(
            200, "text/plain; charset=utf-8", "Ollama is running".getBytes(StandardCharsets.UTF_8));
  }

  /** A file of the page. */
  public HttpReply file(HttpCall call) {
    return file(call.path().substring(call.path().lastIndexOf('/') + 1));
  }

  private HttpReply file(String name) {
    byte[] bytes = files.get(name);
    if (bytes == null) {
      throw new ApiException(ApiException.Kind.NOT_FOUND, "there is nothing at this path");
    }
    return HttpReply.of(200, TYPES.getOrDefault(name, ""), bytes)
        .with(
            Map.of(
                "Content-Security-Policy", POLICY,
                "Cache-Control", "no-cache",
                "Referrer-Policy", "no-referrer",
                "Cross-Origin-Opener-Policy", "same-origin"));
  }
}
