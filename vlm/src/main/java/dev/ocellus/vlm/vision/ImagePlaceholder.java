package dev.ocellus.vlm.vision;

/**
 * How the place of an image or video is written.
 *
 * @param marker what chat templates write there
 * @param before text that the model wants in front, in the marker's stead. It is tokenized in one
 *     piece with what stands before it, since both may share a token; control tokens are allowed
 * @param after text that it wants behind, likewise
 * @param written the marker with all that belongs around it, to be written into the text of a
 *     message where a template has no place for it
 */
public record ImagePlaceholder(String marker, String before, String after, String written) {
  /** A marker with nothing around it, that stands on a line of its own in text. */
  public static ImagePlaceholder of(String marker) {
    return new ImagePlaceholder(marker, "", "", marker + "\n");
  }

  /** The same with text around what replaces the marker. */
  public ImagePlaceholder between(String before, String after) {
    return new ImagePlaceholder(marker, before, after, written);
  }

  /** The same, written otherwise into the text of a message. */
  public ImagePlaceholder written(String text) {
    return new ImagePlaceholder(marker, before, after, text);
  }
}
