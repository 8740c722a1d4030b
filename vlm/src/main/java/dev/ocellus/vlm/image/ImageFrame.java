package dev.ocellus.vlm.image;

import java.time.Duration;

/**
 * One image of an animation as it is seen, already drawn over the ones before it.
 *
 * @param duration how long it is shown; zero for a still image
 */
public record ImageFrame(RgbImage image, Duration duration) {}
