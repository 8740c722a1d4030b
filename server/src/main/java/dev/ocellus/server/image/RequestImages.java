package dev.ocellus.server.image;

import dev.ocellus.server.api.ApiException;
import dev.ocellus.server.options.RequestLimits;
import dev.ocellus.vlm.chat.Content;
import dev.ocellus.vlm.image.ImageLimits;
import dev.ocellus.vlm.image.codec.DataUrl;
import dev.ocellus.vlm.json.ImageLoader;

/**
 * The images of one request: data URLs, bare base64, or URLs where they are fetched. Paths and
 * {@code file:} URLs are refused, whatever they name. For one request each.
 */
public final class RequestImages implements ImageLoader {
  private final RequestLimits limits;
  private final ImageFetcher fetcher;
  private final PixelBudget budget;
  private int nImages;

  /**
   * @param budget of all requests together
   */
  public RequestImages(RequestLimits limits, ImageFetcher fetcher, PixelBudget budget) {
    this.limits = limits;
    this.fetcher = fetcher;
    this.budget = budget;
  }

  @Override
  public Content.Image load(String reference) {
    if (++nImages > limits.maxImages()) {
      throw new ApiException(
          ApiException.Kind.INVALID,
          "a request may have at most %d images".formatted(limits.maxImages()));
    }
    byte[] file = bytes(reference);
    return new Content.Image(budget.decode(file, limits.image()), "");
  }

  @Override
  public ImageLimits limits() {
    return limits.image();
  }

  private byte[] bytes(String reference) {
    if (startsWith(reference, "http:") || startsWith(reference, "https:")) {
      return fetcher.fetch(reference, limits.image().maxBytes());
    }
    try {
      if (DataUrl.is(reference)) {
        return DataUrl.bytes(reference);
      }
      if (reference.length() > 40 && reference.indexOf(':') < 0 && reference.indexOf('.') < 0) {
        return DataUrl.base64(reference); // as llama-server and Ollama take them
      }
    } catch (IllegalArgumentException e) {
      throw ApiException.invalid("image_url", String.valueOf(e.getMessage()));
    }
    throw ApiException.invalid(
        "image_url",
        "expected an image as a data: URL in base64%s; no files are read here"
            .formatted(fetchesUrls() ? ", or an http(s) URL" : ""));
  }

  private boolean fetchesUrls() {
    return fetcher.isOn();
  }

  private static boolean startsWith(String text, String beginning) {
    return text.regionMatches(true, 0, beginning, 0, beginning.length());
  }
}
