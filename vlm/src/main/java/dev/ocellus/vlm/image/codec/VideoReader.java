package dev.ocellus.vlm.image.codec;

import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.image.ImageFrame;
import dev.ocellus.vlm.image.ImageLimits;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.Video;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Reads videos: animated GIF files, and directories of images. */
public final class VideoReader {
  /** Frames per second of a directory that nothing is said about. */
  public static final double DEFAULT_FPS = 2;

  private static final Set<String> EXTENSIONS =
      Set.of("png", "jpg", "jpeg", "gif", "bmp", "tif", "tiff", "webp");

  private static final String HOW_TO =
      " Videos are animated GIF files, or directories with an image for each frame, as 'ffmpeg -i film.mp4 -vf fps=2 DIR/%05d.png' makes them.";

  private static final Pattern PART = Pattern.compile("\\d+|\\D+");

  private VideoReader() {}

  /**
   * Reads the images of a directory in the natural order of their names ({@code 9.png} before
   * {@code 10.png}), or the frames of an animated GIF.
   *
   * @param fps frames per second; if empty, the times that a GIF has, and {@link #DEFAULT_FPS} for
   *     a directory
   * @param limits for each image, and for all frames together as for an animation
   * @throws IOException if something cannot be read
   * @throws ImageFormatException if there are no frames, or too many, or some are broken or differ
   *     in size
   */
  public static Video read(Path path, OptionalDouble fps, ImageLimits limits) throws IOException {
    if (Files.isDirectory(path)) {
      return Video.of(frames(path, limits), fps.orElse(DEFAULT_FPS));
    }
    List<ImageFrame> frames;
    try {
      frames = ImageDecoder.decodeFrames(path, limits);
    } catch (ImageFormatException e) {
      if (e.kind() != ImageFormatException.Kind.NOT_AN_IMAGE) {
        throw e;
      }
      throw new ImageFormatException(e.kind(), e.getMessage() + "." + HOW_TO, e);
    }
    if (frames.size() == 1) {
      throw ImageFormatException.unsupported(
          path + " is a still image and not a video; give it as an image." + HOW_TO);
    }
    return fps.isPresent()
        ? Video.of(frames.stream().map(ImageFrame::image).toList(), fps.getAsDouble())
        : Video.ofAnimation(frames);
  }

  private static List<RgbImage> frames(Path directory, ImageLimits limits) throws IOException {
    List<Path> files;
    try (Stream<Path> entries = Files.list(directory)) {
      files =
          entries
              .filter(VideoReader::isImage)
              .sorted(Comparator.comparing(VideoReader::name, VideoReader::compareNaturally))
              .toList();
    }
    if (files.isEmpty()) {
      throw ImageFormatException.unsupported(
          directory + ": no images are in this directory." + HOW_TO);
    }
    if (files.size() > limits.maxFrames()) {
      throw tooLarge(directory, files.size() + " frames", limits.maxFrames() + " are");
    }
    List<RgbImage> frames = new ArrayList<>();
    long pixels = 0;
    for (Path file : files) {
      RgbImage frame = ImageDecoder.decode(file, limits);
      pixels += frame.size().pixels();
      if (pixels > limits.maxPixels()) {
        throw tooLarge(
            directory,
            "more than %d frames' pixels".formatted(frames.size()),
            limits.maxPixels() + " pixels are");
      }
      frames.add(frame);
    }
    return frames;
  }

  private static ImageFormatException tooLarge(Path directory, String found, String allowed) {
    return new ImageFormatException(
        ImageFormatException.Kind.TOO_LARGE,
        "%s has %s; at most %s allowed. Take fewer or smaller frames, or raise ImageLimits"
            .formatted(directory, found, allowed));
  }

  private static String name(Path file) {
    return String.valueOf(file.getFileName());
  }

  private static boolean isImage(Path file) {
    String name = name(file).toLowerCase(Locale.ROOT);
    return !name.startsWith(".")
        && EXTENSIONS.contains(name.substring(name.lastIndexOf('.') + 1))
        && Files.isRegularFile(file);
  }

  /** Compares digits as numbers and everything else as text. */
  static int compareNaturally(String a, String b) {
    List<String> left = parts(a);
    List<String> right = parts(b);
    for (int i = 0; i < Math.min(left.size(), right.size()); i++) {
      String x = left.get(i);
      String y = right.get(i);
      boolean numbers = isDigit(x.charAt(0)) && isDigit(y.charAt(0));
      int order = numbers ? new BigInteger(x).compareTo(new BigInteger(y)) : x.compareTo(y);
      if (order != 0) {
        return order;
      }
    }
    int order = Integer.compare(left.size(), right.size());
    return order != 0 ? order : a.compareTo(b);
  }

  private static boolean isDigit(char c) {
    return c >= '0' && c <= '9';
  }

  private static List<String> parts(String name) {
    return PART.matcher(name).results().map(MatchResult::group).toList();
  }
}
