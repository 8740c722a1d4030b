package dev.ocellus.vlm.json;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.vlm.chat.Content;
import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.image.ImageLimits;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.Video;
import dev.ocellus.vlm.image.codec.VideoReader;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/**
 * A video in a conversation as JSON: the path of a directory of frames or of an animation, or a
 * list of frames. Its times are evenly {@code fps} to a second, or for a list those under {@code
 * times}.
 */
final class VideoPart {
  private static final double MAX_FPS = 1000;

  private VideoPart() {}

  static Content.Video read(String at, JsonNode node, ImageLoader loader) throws IOException {
    OptionalDouble fps = rate(at + ".fps", node.get("fps"));
    for (String key : List.of("video", "url", "path")) {
      JsonNode found = node.get(key);
      if (found == null) {
        continue;
      }
      String where = at + "." + key;
      if (!found.isArray()) {
        String reference = MessagesJson.text(where, found);
        return MessagesJson.loaded(where, () -> loader.loadVideo(reference, fps));
      }
      List<RgbImage> frames = frames(where, found, loader);
      return new Content.Video(timed(at, node, frames, fps), "");
    }
    throw new MessagesFormatException(
        at + ": expected the video under video, url or path, found none of them");
  }

  private static OptionalDouble rate(String at, @Nullable JsonNode rate) {
    if (rate == null) {
      return OptionalDouble.empty();
    }
    if (!rate.isNumber() || !(rate.doubleValue() > 0) || rate.doubleValue() > MAX_FPS) {
      throw new MessagesFormatException(
          "%s: expected a rate from above 0 to 1000, found %s".formatted(at, rate));
    }
    return OptionalDouble.of(rate.doubleValue());
  }

  private static List<RgbImage> frames(String at, JsonNode list, ImageLoader loader)
      throws IOException {
    ImageLimits limits = loader.limits();
    if (list.isEmpty() || list.size() > limits.maxFrames()) {
      throw new MessagesFormatException(
          "%s: expected 1 to %d frames, found %d".formatted(at, limits.maxFrames(), list.size()));
    }
    List<RgbImage> frames = new ArrayList<>();
    long pixels = 0;
    for (int i = 0; i < list.size(); i++) {
      String where = at + "[" + i + "]";
      String reference = MessagesJson.text(where, list.get(i));
      RgbImage frame = MessagesJson.loaded(where, () -> loader.load(reference)).image();
      pixels += frame.size().pixels();
      if (pixels > limits.maxPixels()) {
        throw new ImageFormatException(
            ImageFormatException.Kind.TOO_LARGE,
            "%s: the frames up to here have %d pixels together; at most %d are allowed. Take fewer or smaller frames, or raise ImageLimits"
                .formatted(where, pixels, limits.maxPixels()));
      }
      frames.add(frame);
    }
    return frames;
  }

  private static Video timed(String at, JsonNode node, List<RgbImage> frames, OptionalDouble fps)
      throws IOException {
    JsonNode times = node.get("times");
    if (times == null) {
      double rate = fps.orElse(VideoReader.DEFAULT_FPS);
      return MessagesJson.loaded(at, () -> Video.of(frames, rate));
    }
    if (fps.isPresent()) {
      throw new MessagesFormatException(at + ": expected fps or times, found both");
    }
    if (!times.isArray()) {
      throw new MessagesFormatException(
          at + ".times: expected a list of seconds, found " + MessagesJson.kind(times));
    }
    double[] seconds = new double[times.size()];
    for (int i = 0; i < seconds.length; i++) {
      seconds[i] = number(at + ".times[" + i + "]", times.get(i));
    }
    double duration = number(at + ".duration", node.get("duration"));
    try {
      return MessagesJson.loaded(at, () -> Video.at(frames, seconds, duration));
    } catch (IllegalArgumentException e) {
      throw new MessagesFormatException(at + ": " + e.getMessage(), e);
    }
  }

  private static double number(String at, @Nullable JsonNode node) {
    if (node == null || !node.isNumber()) {
      throw new MessagesFormatException(
          at + ": expected a number of seconds, found " + MessagesJson.kind(node));
    }
    return node.doubleValue();
  }

  /** Writes a path only where what is read from it is this video again. */
  static void write(Content.Video content, ObjectNode part) {
    Video video = content.video();
    OptionalDouble rate = video.rate();
    boolean usual = rate.isEmpty() || rate.getAsDouble() <= MAX_FPS;
    part.put("type", "video");
    if (video.isWhole() && !content.source().isEmpty() && usual) {
      part.put("video", content.source());
      rate.ifPresent(fps -> part.put("fps", fps));
      return;
    }
    ArrayNode frames = part.putArray("video");
    video.frames().forEach(frame -> frames.add(MessagesWriter.pngUrl(frame)));
    if (rate.isPresent() && usual) {
      part.put("fps", rate.getAsDouble());
      return;
    }
    ArrayNode times = part.putArray("times");
    for (int i = 0; i < video.nFrames(); i++) {
      times.add(video.seconds(i));
    }
    part.put("duration", video.duration());
  }
}
