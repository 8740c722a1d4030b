package dev.ocellus.vlm.generation;

import dev.ocellus.OcellusException;
import java.util.List;
import java.util.function.Supplier;

/**
 * How images are drawn.
 *
 * @param seed of the first image; the next ones have the next seeds, so that each can be drawn
 *     again alone
 * @param temperature 0 for the likeliest code always, 1 for the model's own distribution
 * @param topK draws among so many likeliest codes only; 0 for all
 * @param guidance how far away from what is drawn without the text: 1 for the text alone
 * @param count images at once, 1 to 64
 */
public record DrawOptions(long seed, double temperature, int topK, double guidance, int count) {
  private static final int MAX_COUNT = 64;

  public DrawOptions {
    require(temperature >= 0 && temperature <= 100, "temperature", "0 to 100", temperature);
    require(topK >= 0, "topK", "at least 0", topK);
    require(guidance >= 0 && guidance <= 1000, "guidance", "0 to 1000", guidance);
    require(count >= 1 && count <= MAX_COUNT, "count", "1 to " + MAX_COUNT, count);
  }

  private static void require(boolean ok, String what, String expected, Number found) {
    if (!ok) {
      throw new IllegalArgumentException(
          "%s: expected %s, found %s".formatted(what, expected, found));
    }
  }

  /** One image from the model's own distribution, with the guidance that Janus' authors use. */
  public static DrawOptions seeded(long seed) {
    return new DrawOptions(seed, 1, 0, 5, 1);
  }

  public DrawOptions withTemperature(double value) {
    return new DrawOptions(seed, value, topK, guidance, count);
  }

  public DrawOptions withTopK(int value) {
    return new DrawOptions(seed, temperature, value, guidance, count);
  }

  public DrawOptions withGuidance(double value) {
    return new DrawOptions(seed, temperature, topK, value, count);
  }

  public DrawOptions withCount(int value) {
    return new DrawOptions(seed, temperature, topK, guidance, value);
  }

  /** Told of every code that was drawn; may throw to stop. */
  @FunctionalInterface
  public interface Listener {
    Listener NONE = (done, total) -> {};

    /**
     * @param done codes of each image so far
     * @param total codes of an image
     * @throws OcellusException to stop
     */
    void drawn(int done, int total);

    /**
     * The same, and what has been drawn, for showing images that are not finished ({@link
     * VqModel#decodePartly}, {@link PixelModel#imagePartly}).
     *
     * @param soFar makes copies of each image's codes, of which those from {@code done} on mean
     *     nothing yet
     * @throws OcellusException to stop
     */
    default void drawn(int done, int total, Supplier<List<int[]>> soFar) {
      drawn(done, total);
    }
  }
}
