package dev.ocellus.server.options;

import java.util.List;

/**
 * A server.
 *
 * @param models that it may load; the first that chats and the first that embeds answer requests
 *     that name none
 * @param listen where it listens
 * @param access who may use it
 * @param limits what a request may ask for
 * @param remoteImages whether images are fetched
 * @param hosting how models are kept
 * @param page whether the web page is served
 */
public record ServerOptions(
    List<ModelSource> models,
    ListenOptions listen,
    AccessOptions access,
    RequestLimits limits,
    RemoteImages remoteImages,
    HostingOptions hosting,
    boolean page) {
  public ServerOptions {
    models = List.copyOf(models);
    if (models.isEmpty()) {
      throw new IllegalArgumentException("a server needs a model at least");
    }
    for (int i = 0; i < models.size(); i++) {
      for (int j = 0; j < i; j++) {
        if (models.get(j).isCalled(models.get(i).name())) {
          throw new IllegalArgumentException(
              "two models are called " + models.get(i).name() + "; give them different names");
        }
      }
    }
  }

  /** These models on this machine's port 8080, without keys. */
  public static ServerOptions of(List<ModelSource> models) {
    return new ServerOptions(
        models,
        ListenOptions.defaults(),
        AccessOptions.defaults(),
        RequestLimits.defaults(),
        RemoteImages.OFF,
        HostingOptions.defaults(),
        true);
  }

  public ServerOptions withListen(ListenOptions value) {
    return new ServerOptions(models, value, access, limits, remoteImages, hosting, page);
  }

  public ServerOptions withAccess(AccessOptions value) {
    return new ServerOptions(models, listen, value, limits, remoteImages, hosting, page);
  }

  public ServerOptions withLimits(RequestLimits value) {
    return new ServerOptions(models, listen, access, value, remoteImages, hosting, page);
  }

  public ServerOptions withRemoteImages(RemoteImages value) {
    return new ServerOptions(models, listen, access, limits, value, hosting, page);
  }

  public ServerOptions withHosting(HostingOptions value) {
    return new ServerOptions(models, listen, access, limits, remoteImages, value, page);
  }

  public ServerOptions withPage(boolean value) {
    return new ServerOptions(models, listen, access, limits, remoteImages, hosting, value);
  }
}
