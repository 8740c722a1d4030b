package dev.ocellus.vlm.image;

import dev.ocellus.io.Sha256;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/**
 * A video as frames of one size, each with the time at which it is shown. Instances are immutable.
 */
public final class Video implements Visual {
  /** Browsers and players show a frame of an animation without a duration for this long. */
  private static final double UNTIMED_SECONDS = 0.1;

  /** Four months; times become positions in a prompt, which are to stay far from overflowing. */
  private static final double MAX_SECONDS = 1e7;

  private final List<RgbImage> frames;
  private final double[] seconds;
  private final double duration;
  private final OptionalDouble rate;
  private final boolean whole;

  private Video(
      List<RgbImage> frames,
      double[] seconds,
      double duration,
      OptionalDouble rate,
      boolean whole) {
    if (frames.isEmpty()) {
      throw new IllegalArgumentException("a video has at least one frame");
    }
    if (!(duration > 0) || Double.isInfinite(duration)) {
      throw new IllegalArgumentException(
          "a video lasts for a positive number of seconds, but %s were given".formatted(duration));
    }
    if (duration > MAX_SECONDS) {
      throw ImageFormatException.unsupported(
          "a video of %.0f seconds is longer than the %.0f that are taken; give it more frames per second"
              .formatted(duration, MAX_SECONDS));
    }
    ImageSize size = frames.getFirst().size();
    for (int i = 0; i < frames.size(); i++) {
      if (!frames.get(i).size().equals(size)) {
        throw new ImageFormatException(
            ImageFormatException.Kind.UNSUPPORTED,
            "frame %d of a video has %s pixels and the first one %s; all frames have to be of one size"
                .formatted(i + 1, frames.get(i).size(), size));
      }
    }
    this.frames = List.copyOf(frames);
    this.seconds = seconds;
    this.duration = duration;
    this.rate = rate;
    this.whole = whole;
  }

  /**
   * Frames that follow each other evenly.
   *
   * @param fps frames per second
   * @throws ImageFormatException if the frames differ in size
   * @throws IllegalArgumentException if there are none, or the rate is not a positive number
   */
  public static Video of(List<RgbImage> frames, double fps) {
    double[] seconds = new double[frames.size()];
    for (int i = 0; i < seconds.length; i++) {
      seconds[i] = i / fps;
    }
    return new Video(frames, seconds, frames.size() / fps, OptionalDouble.of(fps), true);
  }

  /**
   * Frames with the times at which they are shown.
   *
   * @param seconds one for each frame, from 0 on and never going back
   * @param duration of the whole, in seconds: no frame is shown later
   * @throws ImageFormatException if the frames differ in size
   * @throws IllegalArgumentException if there are none, or their times are no such times
   */
  public static Video at(List<RgbImage> frames, double[] seconds, double duration) {
    if (seconds.length != frames.size()) {
      throw new IllegalArgumentException(
          "%d times do not fit %d frames".formatted(seconds.length, frames.size()));
    }
    double before = 0;
    for (double time : seconds) {
      if (!(time >= before && time <= duration)) {
        throw new IllegalArgumentException(
            "frames are shown one after the other from 0 to %s seconds; found one at %s behind one at %s"
                .formatted(duration, time, before));
      }
      before = time;
    }
    return new Video(frames, seconds.clone(), duration, OptionalDouble.empty(), false);
  }

  /**
   * Frames with their own durations, as animations have them.
   *
   * @throws ImageFormatException if the frames differ in size
   * @throws IllegalArgumentException if there are none
   */
  public static Video ofAnimation(List<ImageFrame> frames) {
    List<RgbImage> images = new ArrayList<>();
    double[] seconds = new double[frames.size()];
    double time = 0;
    for (int i = 0; i < seconds.length; i++) {
      Duration shown = frames.get(i).duration();
      images.add(frames.get(i).image());
      seconds[i] = time;
      time += shown.isPositive() ? shown.toMillis() / 1000.0 : UNTIMED_SECONDS;
    }
    return new Video(images, seconds, time, OptionalDouble.empty(), true);
  }

  /** The frames in order. */
  public List<RgbImage> frames() {
    return frames;
  }

  /** Number of frames. */
  public int nFrames() {
    return frames.size();
  }

  /** Size of every frame. */
  public ImageSize size() {
    return frames.getFirst().size();
  }

  /** When a frame is shown, in seconds from the beginning. */
  public double seconds(int frame) {
    return seconds[frame];
  }

  /** How long the video is, in seconds. */
  public double duration() {
    return duration;
  }

  /** Frames per second, on the average. */
  public double fps() {
    return nFrames() / duration;
  }

  /** Frames per second, where they follow each other evenly from the beginning to the end. */
  public OptionalDouble rate() {
    return rate;
  }

  /**
   * Whether these are all frames with the times of where they came from, and not some that were
   * chosen.
   */
  public boolean isWhole() {
    return whole;
  }

  /**
   * Some of the frames, at the times that they have here; the duration stays.
   *
   * @param indices numbers of frames from 0, in order
   */
  public Video select(int... indices) {
    List<RgbImage> selected = new ArrayList<>();
    double[] times = new double[indices.length];
    for (int i = 0; i < indices.length; i++) {
      selected.add(frames.get(indices[i]));
      times[i] = seconds[indices[i]];
    }
    return new Video(selected, times, duration, OptionalDouble.empty(), false);
  }

  /**
   * At most {@code n} frames, the first and the last and evenly between them: numpy's {@code
   * linspace}, rounded.
   */
  public Video evenly(int n) {
    if (n < 1) {
      throw new IllegalArgumentException(
          "at least one frame is taken, but " + n + " was asked for");
    }
    if (n >= nFrames()) {
      return this;
    }
    int[] indices = new int[n];
    double step = n > 1 ? (double) (nFrames() - 1) / (n - 1) : 0;
    for (int i = 0; i < n; i++) {
      indices[i] = (int) Math.rint(i * step);
    }
    return select(indices);
  }

  @Override
  public String contentHash() {
    MessageDigest digest = Sha256.digest();
    digest.update(ByteBuffer.allocate(8).putDouble(duration).flip());
    for (int i = 0; i < seconds.length; i++) {
      digest.update(ByteBuffer.allocate(8).putDouble(seconds[i]).flip());
      digest.update(frames.get(i).contentHash().getBytes(StandardCharsets.US_ASCII));
    }
    return Sha256.hex(digest);
  }

  /** Equal frames at equal times. */
  @Override
  public boolean equals(@Nullable Object other) {
    return this == other
        || other instanceof Video that
            && duration == that.duration
            && Arrays.equals(seconds, that.seconds)
            && frames.equals(that.frames);
  }

  @Override
  public int hashCode() {
    return 31 * Arrays.hashCode(seconds) + frames.hashCode();
  }

  @Override
  public String toString() {
    return "Video[%d frames of %s, %.3f s]".formatted(nFrames(), size(), duration);
  }
}
