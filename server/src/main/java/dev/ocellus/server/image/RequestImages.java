package dev.ocellus.server.image;

import dev.ocellus.server.api.ApiException;
import dev.ocellus.server.options.RequestLimits;
import dev.ocellus.vlm.chat.Content;
import dev.ocellus.vlm.image.ImageLimits;
import dev.ocellus.vlm.json.ImageLoader;
import java.util.Base64;
import java.util.Locale;

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
    if (startsWith(reference, "data:")) {
      return inline(reference);
    }
    if (startsWith(reference, "http:") || startsWith(reference, "https:")) {
      return fetcher.fetch(reference, limits.image().maxBytes());
    }
    if (reference.length() > 40 && reference.indexOf(':') < 0 && reference.indexOf('.') < 0) {
      return decoded(reference); // as llama-server and Ollama take them
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

  private static byte[] inline(String url) {
    int comma = url.indexOf(',');
    String header = comma < 0 ? "" : url.substring(0, comma).toLowerCase(Locale.ROOT);
    if (!header.endsWith(";base64")) {
      throw ApiException.invalid(
          "image_url", "expected data:image/TYPE;base64,DATA, found another data: URL");
    }
    return decoded(url.substring(comma + 1));
  }

  /** With either alphabet, and lines perhaps; anything else in it means that it is damaged. */
  private static byte[] decoded(String base64) {
    String text =
        base64.chars().anyMatch(c -> c <= ' ') ? base64.replaceAll("[ \\t\\r\\n]", "") : base64;
    boolean forUrls = text.indexOf('-') >= 0 || text.indexOf('_') >= 0;
    try {
      return (forUrls ? Base64.getUrlDecoder() : Base64.getDecoder()).decode(text);
    } catch (IllegalArgumentException e) {
      throw ApiException.invalid("image_url", "the image is not valid base64: " + e.getMessage());
    }
  }
}
