package dev.ocellus.cli.serve;

import dev.ocellus.cli.command.Range;
import dev.ocellus.cli.options.SessionMixin;
import dev.ocellus.server.options.HostingOptions;
import dev.ocellus.server.options.RemoteImages;
import dev.ocellus.server.options.RequestLimits;
import dev.ocellus.server.options.ServerOptions;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What requests to a server may ask for, and how models are kept. */
final class LimitGroup {
  @Option(
      names = "--memory",
      paramLabel = "SIZE",
      description =
          "What all loaded models may take together, such as 24G; those used longest ago are"
              + " unloaded for others. Default: no limit.")
  @Nullable String memory;

  @Option(
      names = "--max-idle",
      paramLabel = "SECONDS",
      description = "Unload a model that nobody has used for so long. Default: 0, never.")
  @Range(min = 0)
  int maxIdle;

  @Option(
      names = "--drain",
      paramLabel = "SECONDS",
      description = "Time for answers that are being generated when the server ends. Default: 30.")
  @Range(min = 0)
  int drain = 30;

  @Option(
      names = "--max-queued",
      paramLabel = "N",
      description = "Requests that may wait for a model; more are refused. Default: 256.")
  @Range(min = 1)
  int maxQueued = 256;

  @Option(
      names = "--max-queued-per-client",
      paramLabel = "N",
      description = "Of these, those of one address. Default: as --max-queued.")
  @Range(min = 1)
  @Nullable Integer maxQueuedPerClient;

  @Option(
      names = "--max-body",
      paramLabel = "SIZE",
      description = "Length of a request with its images. Default: 32M.")
  String maxBody = "32M";

  @Option(
      names = "--max-image-pixels",
      paramLabel = "N",
      description = "Pixels of an image. Default: 40000000.")
  @Range(min = 1)
  long maxPixels = 40_000_000;

  @Option(
      names = "--max-images",
      paramLabel = "N",
      description = "Images of a request. Default: 64.")
  @Range(min = 0)
  int maxImages = 64;

  @Option(
      names = "--max-tokens",
      paramLabel = "N",
      description =
          "Tokens of an answer, whatever the request says. Default: -1, what the context holds.")
  @Range(min = 1, or = -1)
  int maxTokens = -1;

  @Option(
      names = "--max-time",
      paramLabel = "SECONDS",
      description = "Time of a request to the end of its answer. Default: 600.")
  @Range(min = 1)
  int maxTime = 600;

  @Option(
      names = "--image-urls",
      description =
          "Fetch images from http and https URLs of requests, from public addresses only. Default:"
              + " only images in the request itself.")
  boolean imageUrls;

  @Option(
      names = "--image-host",
      paramLabel = "HOST",
      description = "Fetch images from this host only; may be given several times.")
  Set<String> imageHosts = new LinkedHashSet<>();

  ServerOptions apply(ServerOptions options) {
    RequestLimits defaults = RequestLimits.defaults();
    long body = SessionMixin.bytes("--max-body", maxBody);
    if (body > Integer.MAX_VALUE - 16) {
      throw new IllegalArgumentException("--max-body: expected less than 2G, found " + maxBody);
    }
    HostingOptions hosting =
        HostingOptions.defaults()
            .withMemoryBytes(memory == null ? 0 : SessionMixin.bytes("--memory", memory))
            .withMaxIdle(Duration.ofSeconds(maxIdle))
            .withDrainTime(Duration.ofSeconds(drain))
            .withMaxQueued(maxQueued, maxQueuedPerClient == null ? maxQueued : maxQueuedPerClient);
    RemoteImages remote =
        !imageHosts.isEmpty()
            ? RemoteImages.from(imageHosts)
            : imageUrls ? RemoteImages.fromAnywhere() : RemoteImages.OFF;
    return options
        .withHosting(hosting)
        .withRemoteImages(remote)
        .withLimits(
            defaults
                .withMaxBodyBytes((int) body)
                .withMaxImages(maxImages)
                .withMaxTokens(maxTokens)
                .withMaxTime(Duration.ofSeconds(maxTime))
                .withImage(defaults.image().withMaxPixels(maxPixels)));
  }
}
