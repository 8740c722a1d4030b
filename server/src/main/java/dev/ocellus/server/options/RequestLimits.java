package dev.ocellus.server.options;

import dev.ocellus.vlm.image.ImageLimits;
import java.time.Duration;

/**
 * How much one request may ask for.
 *
 * @param maxBodyBytes length of a request's body
 * @param maxMessages messages of a conversation
 * @param maxImages images of a request
 * @param image what one image may be
 * @param maxTokens tokens of an answer, whatever the request says; -1 for as many as the context
 *     holds
 * @param maxChoices answers to one request ({@code n})
 * @param maxTime from the request to the end of its answer
 */
public record RequestLimits(
    int maxBodyBytes,
    int maxMessages,
    int maxImages,
    ImageLimits image,
    int maxTokens,
    int maxChoices,
    Duration maxTime) {
  public RequestLimits {
    if (maxBodyBytes < 1 || maxMessages < 1 || maxImages < 0 || maxChoices < 1) {
      throw new IllegalArgumentException(
          "limits of a request must be positive, but they are %d bytes, %d messages, %d images, %d choices"
              .formatted(maxBodyBytes, maxMessages, maxImages, maxChoices));
    }
    if (maxTokens < -1 || maxTokens == 0) {
      throw new IllegalArgumentException(
          "max tokens: expected -1 (no limit) or at least 1, found " + maxTokens);
    }
    if (!maxTime.isPositive()) {
      throw new IllegalArgumentException("the time of a request must be positive: " + maxTime);
    }
  }

  /** 32 MiB, 4096 messages, 64 images of 20 MiB and 40 megapixels, 8 choices, 10 minutes. */
  public static RequestLimits defaults() {
    return new RequestLimits(
        32 << 20,
        4096,
        64,
        new ImageLimits(20L << 20, 40_000_000, 16_384, 256),
        -1,
        8,
        Duration.ofMinutes(10));
  }

  public RequestLimits withMaxBodyBytes(int bytes) {
    return new RequestLimits(bytes, maxMessages, maxImages, image, maxTokens, maxChoices, maxTime);
  }

  public RequestLimits withMaxImages(int images) {
    return new RequestLimits(
        maxBodyBytes, maxMessages, images, image, maxTokens, maxChoices, maxTime);
  }

  public RequestLimits withImage(ImageLimits limits) {
    return new RequestLimits(
        maxBodyBytes, maxMessages, maxImages, limits, maxTokens, maxChoices, maxTime);
  }

  public RequestLimits withMaxTokens(int tokens) {
    return new RequestLimits(
        maxBodyBytes, maxMessages, maxImages, image, tokens, maxChoices, maxTime);
  }

  public RequestLimits withMaxTime(Duration time) {
    return new RequestLimits(
        maxBodyBytes, maxMessages, maxImages, image, maxTokens, maxChoices, time);
  }
}
