package dev.ocellus.cli.chat;

import dev.ocellus.cli.command.Range;
import dev.ocellus.vlm.chat.Content;
import dev.ocellus.vlm.image.ImageLimits;
import dev.ocellus.vlm.image.Video;
import dev.ocellus.vlm.image.codec.VideoReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Videos for a question. */
final class VideoMixin {
  @Option(
      names = "--video",
      paramLabel = "DIR|FILE",
      description =
          "A video for the question: a directory with an image for each frame, in the natural order of their names, or an animated GIF; repeatable.")
  List<Path> paths = new ArrayList<>();

  @Option(
      names = "--fps",
      paramLabel = "N",
      description = "Frames per second of a video. Default: as a GIF says, and 2 for a directory.")
  @Range(above = 0, max = 1000)
  @Nullable Double fps;

  @Option(
      names = "--frames",
      paramLabel = "N",
      description = "Max. frames of a video, sampled evenly. Default: as many as its family takes.")
  @Range(min = 1)
  @Nullable Integer frames;

  /** Reads the videos that were given. */
  List<Content> read() throws IOException {
    List<Content> parts = new ArrayList<>();
    for (Path path : paths) {
      parts.add(read(path));
    }
    return parts;
  }

  /** Reads a video with these options. */
  Content.Video read(Path path) throws IOException {
    OptionalDouble rate = fps == null ? OptionalDouble.empty() : OptionalDouble.of(fps);
    Video video = VideoReader.read(path, rate, ImageLimits.DEFAULT);
    return new Content.Video(
        frames == null ? video : video.evenly(frames),
        path.toAbsolutePath().normalize().toString());
  }
}
