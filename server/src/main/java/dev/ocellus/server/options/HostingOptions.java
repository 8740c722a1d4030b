package dev.ocellus.server.options;

import java.time.Duration;

/**
 * How models are kept and shared.
 *
 * @param memoryBytes what all loaded models may take together, as far as their files and their KV
 *     caches tell; the one used longest ago is unloaded for another. 0 for no limit
 * @param maxQueued requests that may wait for a model; more are refused at once
 * @param maxQueuedPerClient of these, those of one client
 * @param maxIdle after which a model that nobody uses is unloaded; zero for never
 * @param drainTime for answers that are being generated when the server is stopped
 */
public record HostingOptions(
    long memoryBytes, int maxQueued, int maxQueuedPerClient, Duration maxIdle, Duration drainTime) {
  public HostingOptions {
    if (memoryBytes < 0 || maxQueued < 1 || maxQueuedPerClient < 1) {
      throw new IllegalArgumentException(
          "memory must not be negative and queues hold at least one request: %d, %d, %d"
              .formatted(memoryBytes, maxQueued, maxQueuedPerClient));
    }
    if (maxIdle.isNegative() || drainTime.isNegative()) {
      throw new IllegalArgumentException(
          "times must not be negative: %s, %s".formatted(maxIdle, drainTime));
    }
  }

  /** No memory limit, 256 requests in line, never unloaded for being idle, 30 s to finish. */
  public static HostingOptions defaults() {
    return new HostingOptions(0, 256, 256, Duration.ZERO, Duration.ofSeconds(30));
  }

  public HostingOptions withMemoryBytes(long bytes) {
    return new HostingOptions(bytes, maxQueued, maxQueuedPerClient, maxIdle, drainTime);
  }

  public HostingOptions withMaxQueued(int all, int perClient) {
    return new HostingOptions(memoryBytes, all, perClient, maxIdle, drainTime);
  }

  public HostingOptions withMaxIdle(Duration idle) {
    return new HostingOptions(memoryBytes, maxQueued, maxQueuedPerClient, idle, drainTime);
  }

  public HostingOptions withDrainTime(Duration time) {
    return new HostingOptions(memoryBytes, maxQueued, maxQueuedPerClient, maxIdle, time);
  }
}
