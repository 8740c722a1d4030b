package dev.ocellus.langchain4j;

import dev.langchain4j.data.image.Image;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.output.Response;
import dev.langchain4j.model.scoring.ScoringModel;
import dev.ocellus.OcellusException;
import dev.ocellus.vlm.embedding.DualEncoder;
import dev.ocellus.vlm.embedding.Vectors;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.imagetext.ImageTextMatcher;
import java.util.ArrayList;
import java.util.List;

/**
 * How well images fit a query, as a scoring model of LangChain4j: for ranking again what a store of
 * images gave. A segment stands for the image whose address its metadata have under {@link
 * #IMAGE_KEY}; its text, which none of these models compares with a query, does not count.
 *
 * <p>Scores are the probabilities of a match (0 to 1) of a model that was trained for that, such as
 * BLIP, or the cosines (−1 to 1) of a dual encoder, which are faster and say less. Those of two
 * models cannot be compared. Thread-safe.
 *
 * <p>Segments without an image are refused with {@link UnsupportedFeatureException}, images that
 * cannot be read with {@link InvalidRequestException}.
 */
public final class OcellusImageScoringModel implements ScoringModel {
  /** Where the metadata of a segment have the address of its image. */
  public static final String IMAGE_KEY = "image";

  private final Scorer scorer;
  private final Images images;

  /** Scores of images for a query, in their order. */
  private interface Scorer {
    List<Double> score(List<RgbImage> images, String query);
  }

  private OcellusImageScoringModel(Scorer scorer, ImageLoader imageLoader) {
    this.scorer = scorer;
    this.images = new Images(imageLoader);
  }

  /** With images at {@code data:} and {@code file:} addresses. */
  public static OcellusImageScoringModel of(ImageTextMatcher matcher) {
    return of(matcher, ImageLoader.NONE);
  }

  /**
   * By the probability of a match, computed for each image together with the query.
   *
   * @param matcher not closed with this
   * @param imageLoader brings images of other addresses
   */
  public static OcellusImageScoringModel of(ImageTextMatcher matcher, ImageLoader imageLoader) {
    return new OcellusImageScoringModel(
        (images, query) ->
            images.stream().map(image -> matcher.match(image, query).probability()).toList(),
        imageLoader);
  }

  /** With images at {@code data:} and {@code file:} addresses. */
  public static OcellusImageScoringModel of(DualEncoder encoder) {
    return of(encoder, ImageLoader.NONE);
  }

  /**
   * By the cosine of the vectors of image and query.
   *
   * @param encoder not closed with this
   * @param imageLoader brings images of other addresses
   */
  public static OcellusImageScoringModel of(DualEncoder encoder, ImageLoader imageLoader) {
    return new OcellusImageScoringModel(
        (images, query) -> {
          float[] text = encoder.embedText(query);
          return encoder.embedImages(images).stream()
              .map(image -> Vectors.dot(image, text))
              .toList();
        },
        imageLoader);
  }

  @Override
  public Response<List<Double>> scoreAll(List<TextSegment> segments, String query) {
    List<RgbImage> all = new ArrayList<>();
    try {
      for (TextSegment segment : segments) {
        all.add(images.decode(Image.builder().url(address(segment)).build()));
      }
      return Response.from(scorer.score(all, query));
    } catch (OcellusException | IllegalArgumentException e) {
      throw new InvalidRequestException(e.getMessage(), e);
    }
  }

  private static String address(TextSegment segment) {
    String address = segment.metadata().getString(IMAGE_KEY);
    if (address == null) {
      throw new UnsupportedFeatureException(
          "Only images are scored: the metadata of a segment need the address of one under '%s'"
              .formatted(IMAGE_KEY));
    }
    return address;
  }
}
