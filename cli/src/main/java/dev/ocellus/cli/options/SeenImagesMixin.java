package dev.ocellus.cli.options;

import com.fasterxml.jackson.databind.node.ArrayNode;
import dev.ocellus.cli.terminal.Json;
import dev.ocellus.cli.terminal.PngFiles;
import dev.ocellus.vlm.encoder.VisionEncoder;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.Visual;
import dev.ocellus.vlm.vision.ImageInput;
import dev.ocellus.vlm.vision.ImageOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Writes images as the encoder gets them. */
public final class SeenImagesMixin {
  @Option(
      names = "--save-preprocessed",
      paramLabel = "DIR",
      description =
          "Write what the encoder gets of image or video N, from 0, tile by tile or frame by frame: DIR/N-TILE.png. Made if it is missing.")
  @Nullable Path directory;

  /**
   * Writes the tiles of an image, or the frames of a video; names of the files, none if nobody
   * asked for them.
   */
  public ArrayNode save(VisionEncoder encoder, Visual visual, ImageOptions options, int index)
      throws IOException {
    Path to = directory;
    if (to == null) {
      return Json.array();
    }
    return save(to, encoder, encoder.prepare(visual, options), index);
  }

  private static ArrayNode save(Path to, VisionEncoder encoder, ImageInput input, int index)
      throws IOException {
    ArrayNode names = Json.array();
    Files.createDirectories(to);
    List<RgbImage> tiles = encoder.architecture().shown(input);
    for (int i = 0; i < tiles.size(); i++) {
      Path file = to.resolve("%d-%d.png".formatted(index, i));
      PngFiles.write(file, tiles.get(i));
      names.add(file.toString());
    }
    return names;
  }

  public boolean isAsked() {
    return directory != null;
  }
}
