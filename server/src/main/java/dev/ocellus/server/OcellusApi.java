package dev.ocellus.server;

import dev.ocellus.server.api.ApiException;
import dev.ocellus.server.api.ApiException.Kind;
import dev.ocellus.server.api.ErrorForm;
import dev.ocellus.server.api.Failures;
import dev.ocellus.server.api.Json;
import dev.ocellus.server.chat.ChatService;
import dev.ocellus.server.chat.Embedder;
import dev.ocellus.server.chat.Metrics;
import dev.ocellus.server.http.HttpCall;
import dev.ocellus.server.http.HttpHandler;
import dev.ocellus.server.http.HttpReply;
import dev.ocellus.server.image.ImageFetcher;
import dev.ocellus.server.image.PixelBudget;
import dev.ocellus.server.model.ModelHost;
import dev.ocellus.server.options.ServerOptions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * All that a server answers, as one handler: {@link OcellusServer} serves it, and so may the server
 * of an application. Keys, limits and the rest of {@link ServerOptions} hold there as well, but for
 * what belongs to listening.
 */
public final class OcellusApi implements HttpHandler, AutoCloseable {
  private final ServerOptions options;
  private final ModelHost host;
  private final Metrics metrics = new Metrics();
  private final Embedder embedder;
  private final Access access;
  private final List<Route> routes;

  /** Loads nothing yet. */
  public OcellusApi(ServerOptions options) {
    this(options, new ImageFetcher(options.remoteImages()));
  }

  OcellusApi(ServerOptions options, ImageFetcher fetcher) {
    this.options = options;
    this.host = new ModelHost(options.models(), options.hosting());
    this.access = new Access(options);
    var service = new ChatService(host, options.limits(), fetcher, new PixelBudget(), metrics);
    this.embedder = new Embedder(service);
    this.routes = Routes.of(service, embedder, options);
  }

  /** The models. */
  ModelHost host() {
    return host;
  }

  @Override
  public HttpReply handle(HttpCall call) {
    metrics.begin();
    String name = "none";
    int status = 500;
    try {
      Route route = find(call);
      name = route == null ? "none" : route.path();
      HttpReply reply = secured(handle(call, route), call);
      status = reply.status();
      return reply;
    } finally {
      metrics.end(name, status);
    }
  }

  private @Nullable Route find(HttpCall call) {
    String method = call.method().equals("HEAD") ? "GET" : call.method();
    return routes.stream()
        .filter(route -> route.isAt(call.path()) && route.method().equals(method))
        .findFirst()
        .orElse(null);
  }

  private HttpReply handle(HttpCall call, @Nullable Route route) {
    ErrorForm form = route == null ? Routes.formOf(call.path()) : route.form();
    try {
      access.checkOrigin(call);
      if (call.method().equals("OPTIONS")) {
        return new HttpReply(204, access.preflightHeaders(call), new HttpReply.Whole(new byte[0]));
      }
      if (route == null || !route.open()) {
        access.checkKey(call);
      }
      if (route == null) {
        throw notFound(call);
      }
      return route.work().handle(call);
    } catch (Throwable e) { // whatever it is, others are still to be served
      ApiException error = Failures.of(e);
      return Json.reply(error.status(), form.write(error)).with(error.headers());
    }
  }

  private ApiException notFound(HttpCall call) {
    boolean otherMethod = routes.stream().anyMatch(route -> route.isAt(call.path()));
    return otherMethod
        ? new ApiException(
            Kind.METHOD, "the method %s is not for this path".formatted(call.method()))
        : new ApiException(Kind.NOT_FOUND, "there is nothing at this path");
  }

  private HttpReply secured(HttpReply reply, HttpCall call) {
    return reply.with(access.corsHeaders(call)).with(Map.of("X-Content-Type-Options", "nosniff"));
  }

  /**
   * Takes no more work, waits for answers that are being generated, and cancels what takes longer
   * than the options allow.
   */
  public void drain() {
    host.drain(options.hosting().drainTime());
  }

  /** Unloads models that nobody has used for as long as the options say; to be called at times. */
  public void unloadUnused() {
    host.unloadUnused();
  }

  /** Loads a model now, so that the first request need not wait. */
  public void preload(String name) {
    var model = host.find(name);
    if (model.source().chats()) {
      host.chat(model).close();
    } else {
      host.embedding(model).close();
    }
  }

  /** Cancels everything and frees all models. */
  @Override
  public void close() {
    host.drain(Duration.ZERO);
    embedder.close();
    host.close();
  }
}
